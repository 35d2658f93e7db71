"""Send a server damaged uploads, and look whether it answers each in words, goes on, and grows.

    PYTHONPATH=. python benchmarks/damaged_uploads.py LIBRARY [--count 200] [--seed 1]

Kinds: cut short, bits flipped (also in the header alone), another format than the name says, no audio at all, random bytes, one
byte, not-a-numbers, silence, a header that claims hours, impossible channels and rates, five hours of near-silence in few bytes.
After each the server is asked for the library's state; what was taken as an upload is also searched with and separated. `serve`
runs as a process of its own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from benchmarks.server_load import serving, state_of
from tests.web import damaged


def asked(port: int, method: str, path: str, body: bytes | None = None, kind: str = "") -> tuple[int, bytes]:
    """Status and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.request(method, path, body, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def family(pid: int) -> float:
    """Resident memory (MB) of a process and its children."""
    children = [one for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()]
    return sum(state_of(int(one))["MB"] for one in (pid, *children))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcomes: Counter[tuple[str, int]] = Counter()
    faults: list[str] = []
    slowest: dict[str, float] = {}
    alive = 0
    with serving(arguments.library) as (process, port):
        memory = [family(process.pid)]
        for kind, name, data in damaged.uploads(arguments.count, arguments.seed):
            began = time.monotonic()
            status, body = asked(port, "POST", f"/api/uploads?name={quote(name)}", data)
            if status == 200:
                upload = json.loads(body)["id"]
                question = json.dumps({"upload": upload, "n": 5}).encode()
                for more in (
                    asked(port, "POST", "/api/search", question, "application/json"),
                    asked(port, "GET", f"/api/uploads/{upload}/stems/drums?end=5"),
                ):
                    if more[0] >= 500 or (more[0] >= 400 and b"/tmp" in more[1]):
                        faults.append(f"{name}: {more[0]} {more[1][:200]!r}")
            if status >= 500 or b"/tmp" in body:
                faults.append(f"{name}: {status} {body[:200]!r}")
            slowest[kind] = max(slowest.get(kind, 0.0), time.monotonic() - began)
            outcomes[kind, status] += 1
            alive += asked(port, "GET", "/api/library/state")[0] == 200
            memory.append(family(process.pid))
        handles = state_of(process.pid)["handles"]
    third = max(1, len(memory) // 3)
    print(f"{arguments.count} damaged uploads, {alive} times the server answered afterwards, {len(faults)} faults")
    print(f"memory of the server and its workers (MB): {memory[0]:.0f} at first, highest by thirds: ", end="")
    print(
        ", ".join(f"{max(memory[i * third : (i + 1) * third]):.0f}" for i in range(3))
        + f"; {handles:.0f} handles at last\n"
    )
    print("| kind | answers | slowest, all that was asked (s) |\n|---|---|---|")
    for kind, seconds in slowest.items():
        answers = ", ".join(f"{n} x {status}" for (of, status), n in sorted(outcomes.items()) if of == kind)
        print(f"| {kind} | {answers} | {seconds:.1f} |")
    for fault in faults:
        print(fault)
    raise SystemExit(bool(faults) or alive != arguments.count)


if __name__ == "__main__":
    main()
