"""Send damaged uploads to a server and check that it answers each with a proper message and keeps running.

    python -m benchmarks.stress_damaged_uploads LIBRARY [--count 200] [--seed 1]

Kinds of damage: truncated; flipped bits (anywhere, or in the header); a format other than the suffix says; no audio at
all; random bytes; one byte; NaNs; silence; a header that claims hours; impossible channels and sample rates; five hours
of near-silence in few bytes. After each upload the server is asked for the state of the library; an upload that it
accepts is also searched with and separated. `soundalike serve` runs as a separate process. Exits with code 1 after a
fault.
"""

from __future__ import annotations

import argparse
import http.client
import json
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from benchmarks.shared.markdown import print_table
from benchmarks.shared.processes import child_processes, process_status, total_resident
from benchmarks.shared.server import request, serve
from tests.web import damaged

LEAKED_PATH = b"/tmp"


def send(port: int, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    """Status and body of a response, over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        return request(connection, method, path, body)
    finally:
        connection.close()


def upload(port: int, name: str, data: bytes) -> tuple[int, list[str]]:
    """Upload a file; search and separate it if it is accepted. The status of the upload, and faults."""
    status, body = send(port, "POST", f"/api/uploads?name={quote(name)}", data)
    faults = []
    if status >= 500 or LEAKED_PATH in body:
        faults.append(f"{name}: {status} {body[:200]!r}")
    if status == 200:
        reference = json.loads(body)["id"]
        for status_, body_ in (
            send(port, "POST", "/api/search", {"upload": reference, "n": 5}),
            send(port, "GET", f"/api/uploads/{reference}/stems/drums?end=5"),
        ):
            if status_ >= 500 or (status_ >= 400 and LEAKED_PATH in body_):
                faults.append(f"{name}: {status_} {body_[:200]!r}")
    return status, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcomes: Counter[tuple[str, int]] = Counter()
    slowest: dict[str, float] = {}
    faults: list[str] = []
    answered = 0
    with serve(arguments.library) as (process, port):
        memory = [total_resident([process.pid, *child_processes(process.pid)])]
        for kind, name, data in damaged.uploads(arguments.count, arguments.seed):
            start = time.monotonic()
            status, found = upload(port, name, data)
            faults += found
            slowest[kind] = max(slowest.get(kind, 0.0), time.monotonic() - start)
            outcomes[kind, status] += 1
            answered += send(port, "GET", "/api/library/state")[0] == 200
            memory.append(total_resident([process.pid, *child_processes(process.pid)]))
        handles = process_status(process.pid).handles
    third = max(1, len(memory) // 3)
    peaks = ", ".join(f"{max(memory[i * third : (i + 1) * third]):.0f}" for i in range(3))
    print(f"{arguments.count} damaged uploads, the server answered after {answered}, {len(faults)} faults")
    print(f"memory of the server and its workers (MB): {memory[0]:.0f} at first, peaks by thirds {peaks}")
    print(f"file handles of the server at the end: {handles}\n")
    rows = []
    for kind, seconds in slowest.items():
        responses = ", ".join(f"{n} x {status}" for (of, status), n in sorted(outcomes.items()) if of == kind)
        rows.append((kind, responses, f"{seconds:.1f}"))
    print_table(("kind", "responses", "slowest, all requests (s)"), rows)
    print("\n".join(faults))
    raise SystemExit(bool(faults) or answered != arguments.count)


if __name__ == "__main__":
    main()
