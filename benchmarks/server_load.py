"""Latency and memory of the server under load: searches of 100,000 rows by several clients with ever-changing weights.

    python -m benchmarks.server_load [--seconds 60] [--clients 1 8] [--songs 10000] [--candidates 0 2000]

Writes a library of random unit vectors (songs of 10 windows, 4 parts), starts `soundalike serve` on it as a separate
process, and sends the requests that the page sends: each client has a song of the library as its reference and releases
a slider again and again. Reports latencies (ms) as the clients see them, and memory (resident, MB), file handles and
threads of the server before, during and after.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.shared.markdown import print_table
from benchmarks.shared.processes import ProcessStatus, process_status
from benchmarks.shared.random_library import WINDOWS, write_random_library
from benchmarks.shared.server import request, serve

HITS = 50
HEADER = (
    "clients",
    "candidates",
    "requests",
    "failed",
    "per second",
    "p50 (ms)",
    "p90",
    "p99",
    "max",
    "kB per response",
    "MB: before, max, max of the second half, after",
    "handles: before, max, after",
    "threads",
)


class Client(threading.Thread):
    """Searches with random weights until a deadline; latencies in s."""

    def __init__(self, port: int, item: str, parts: list[str], candidates: int, deadline: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._body = {"item": item, "n": HITS, "candidates": candidates}
        self._parts, self._deadline = parts, deadline
        self._random = random.Random(seed)
        self.latencies: list[float] = []
        self.bytes = 0
        self.failed = 0

    def run(self) -> None:
        while time.monotonic() < self._deadline:
            weights = {part: round(self._random.uniform(-0.5, 1), 3) for part in self._parts}
            start = time.perf_counter()
            try:
                status, body = request(
                    self._connection, "POST", "/api/search", {**self._body, "weights": weights}, gzip=True
                )
            except (OSError, http.client.HTTPException):
                self._connection.close()
                status, body = 0, b""
            if status == 200:
                self.latencies.append(time.perf_counter() - start)
                self.bytes += len(body)
            else:
                self.failed += 1


@dataclass(frozen=True)
class Load:
    """What is measured in one row of the table."""

    clients: int
    candidates: int
    seconds: float


def measure(pid: int, port: int, load: Load) -> tuple[str, ...]:
    """One row of the table."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    parts = json.loads(request(connection, "GET", "/api/library")[1])["parts"]
    items = json.loads(request(connection, "GET", f"/api/items?limit={load.clients}")[1])["items"]
    body = {"item": items[0]["id"], "weights": dict.fromkeys(parts, 1.0), "candidates": load.candidates}
    request(connection, "POST", "/api/search", body)  # reads the vectors
    before = process_status(pid)
    deadline = time.monotonic() + load.seconds
    clients = [Client(port, item["id"], parts, load.candidates, deadline, seed) for seed, item in enumerate(items)]
    for client in clients:
        client.start()
    during = []
    while time.monotonic() < deadline:
        time.sleep(min(1.0, load.seconds / 10))
        during.append(process_status(pid))
    for client in clients:
        client.join(90)
    time.sleep(1)
    return row(load, clients, before, during, process_status(pid))


def row(
    load: Load, clients: list[Client], before: ProcessStatus, during: list[ProcessStatus], after: ProcessStatus
) -> tuple[str, ...]:
    latencies = 1e3 * np.sort(np.concatenate([client.latencies for client in clients]))
    memory = (
        before.resident,
        max(status.resident for status in during),
        max(status.resident for status in during[len(during) // 2 :]),
        after.resident,
    )
    handles = (before.handles, max(status.handles for status in during), after.handles)
    return (
        str(load.clients),
        str(load.candidates),
        str(len(latencies)),
        str(sum(client.failed for client in clients)),
        f"{len(latencies) / load.seconds:.0f}",
        *(f"{np.quantile(latencies, share):.0f}" for share in (0.5, 0.9, 0.99, 1.0)),
        f"{sum(client.bytes for client in clients) / len(latencies) / 1e3:.0f}",
        ", ".join(f"{value:.0f}" for value in memory),
        ", ".join(map(str, handles)),
        str(max(status.threads for status in during)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--songs", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, nargs="+", default=[0, 2_000])
    parser.add_argument("--library", type=Path, help="keep the random library here, or use the one that is here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.library or Path(folder) / "library"
        if not (place / "library.json").exists():
            write_random_library(place, arguments.songs, np.random.default_rng(1))
        loads = [Load(n, c, arguments.seconds) for c in arguments.candidates for n in arguments.clients]
        with serve(place) as (process, port):
            print(f"{arguments.songs:,} songs of {WINDOWS} windows, {os.cpu_count()} cores for server and clients\n")
            print_table(HEADER, (measure(process.pid, port, load) for load in loads))


if __name__ == "__main__":
    main()
