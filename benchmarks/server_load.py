"""How fast and how steady the server is: re-queries at 100,000 rows under several clients whose weights change at every request.

    PYTHONPATH=. python benchmarks/server.py [--seconds 60] [--clients 8] [--songs 10000] [--candidates 2000]

Makes a library of random unit vectors (songs of 10 windows, 4 parts, few latent dimensions a part, as real embeddings
have), starts `soundalike serve` on it as a process of its own, and asks as the page does: clients that each hold a song of the
library as reference and let go of a slider again and again. Tells latencies (ms) as clients see them, and of the server's
process its memory (resident, MB), file handles and threads before, during and after. --profile FILE: a py-spy recording of the
server meanwhile, where py-spy is installed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from soundalike.analysis.recipe import Recipe, make_recipe
from soundalike.library.storage import schema as layout
from soundalike.library.storage.manifest import generation_folder, read_manifest, write_manifest
from soundalike.library.storage.store import Library, Tables
from soundalike.similarity.cosine import unit

WINDOWS = 10
LATENT = 32
BATCH = 1_000
KEYS = ("A minor", "C major", "E minor", "G major", "F# minor", None)


def make_library(place: Path, songs: int, rng: np.random.Generator) -> None:
    """A library of made-up songs with all that a page shows of them."""
    recipe = make_recipe()
    Library.create(place, recipe)
    tables = Tables(generation_folder(place, 1), recipe)
    bases = {part: rng.normal(size=(LATENT, recipe.dimension)) for part in recipe.parts}
    for begin in range(0, songs, BATCH):
        numbers = np.arange(begin, min(songs, begin + BATCH))
        tables.append(layout.WINDOWS, _windows(recipe, numbers, bases, rng))
        rows = [_item(int(number), rng) for number in numbers]
        tables.append(layout.ITEMS, layout.row_table(rows, layout.ITEMS_SCHEMA))
    tables.tidy(at_end=True)
    write_manifest(place, replace(read_manifest(place), roots={"music": place.parent / "music"}))


def _windows(recipe: Recipe, numbers: np.ndarray, bases: dict[str, np.ndarray], rng: np.random.Generator) -> pa.Table:
    songs = np.repeat(numbers, WINDOWS)
    starts = np.tile(10.0 * np.arange(WINDOWS), len(numbers))
    ends = starts + 10
    ends[WINDOWS - 1 :: WINDOWS] -= [shorter_by(number) for number in numbers]
    columns: dict[str, object] = {"content": [f"{number:032x}" for number in songs], "start": starts, "end": ends}
    for part in recipe.parts:
        of_song = np.repeat(rng.normal(size=(len(numbers), LATENT)), WINDOWS, axis=0)
        vectors = unit((of_song + 0.7 * rng.normal(size=of_song.shape)) @ bases[part])
        columns[part] = layout.vector_array(vectors.astype(np.float16))
        columns[f"{part}_present"] = np.ones(len(songs), dtype=bool)
    return pa.table(columns, schema=layout.windows_schema(recipe))


def shorter_by(number: int) -> float:
    """Songs last differently: seconds that one lacks of its last window."""
    return number * 7919 % 8999 / 1000


def _item(number: int, rng: np.random.Generator) -> dict[str, object]:
    row = dict.fromkeys(layout.ITEMS_SCHEMA.names)
    key = KEYS[number % len(KEYS)]
    return {
        **row,
        "id": f"{number * 2654435761 % 2**32:016x}",
        "root": "music",
        "path": f"artist {number % 400}/album {number % 1300}/{number:05d} a song with a name.flac",
        "size": 30_000_000,
        "mtime_ns": 1,
        "content": f"{number:032x}",
        "kind": "song",
        "kind_source": "estimate",
        "status": "present",
        "duration": 10.0 * WINDOWS - shorter_by(number),
        "sample_rate": 44_100,
        "channels": 2,
        "loudness": -14.0,
        "tempo": float(rng.integers(70, 180)),
        "tempo_source": "estimate",
        "key": key,
        "key_source": None if key is None else "estimate",
        "artist": f"Artist {number % 400}",
        "title": f"Song {number}",
        "album": f"Album {number % 1300}",
        "basis": "{}",
        "windows": WINDOWS,
        "indexed_at": "2026-01-01T00:00:00+00:00",
    }


@contextmanager
def serving(library: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`soundalike serve` as a process, and its port."""
    command = [sys.executable, "-m", "soundalike", "serve", "-L", str(library), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        port = int(re.search(r":(\d+)/", process.stderr.readline())[1])  # type: ignore[index]
        threading.Thread(target=process.stderr.read, daemon=True).start()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                ask(http.client.HTTPConnection("127.0.0.1", port), "GET", "/api/library/state")
                break
            except OSError:
                time.sleep(0.1)
        yield process, port
    finally:
        process.terminate()
        process.wait(20)


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: object = None) -> bytes:
    """The answer; raises RuntimeError for a problem."""
    headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {data[:200]!r}")
    return data


def state_of(pid: int) -> dict[str, float]:
    """Memory (MB), file handles and threads of a process (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
    threads = int(re.search(r"Threads:\s+(\d+)", status)[1])  # type: ignore[index]
    return {"MB": round(kilobytes / 1024), "handles": len(os.listdir(f"/proc/{pid}/fd")), "threads": threads}


class Client(threading.Thread):
    """Lets go of sliders until told to stop; latencies in s."""

    def __init__(self, port: int, reference: str, parts: list[str], candidates: int, until: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._asked = {"item": reference, "n": 50, "candidates": candidates}
        self._parts, self._until = parts, until
        self._random = random.Random(seed)
        self.latencies: list[float] = []
        self.bytes = 0
        self.failed = 0

    def run(self) -> None:
        while time.monotonic() < self._until:
            weights = {part: round(self._random.uniform(-0.5, 1), 3) for part in self._parts}
            began = time.perf_counter()
            try:
                self.bytes += len(ask(self._connection, "POST", "/api/search", {**self._asked, "weights": weights}))
            except (OSError, RuntimeError, http.client.HTTPException):
                self.failed += 1
                self._connection.close()
            else:
                self.latencies.append(time.perf_counter() - began)


def measure(process: subprocess.Popen[str], port: int, clients: int, candidates: int, seconds: float) -> None:
    """One row of the table."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    parts = json.loads(ask_plain(connection, "/api/library"))["parts"]
    items = json.loads(ask_plain(connection, f"/api/items?limit={clients}"))["items"]
    body = {"item": items[0]["id"], "weights": dict.fromkeys(parts, 1.0), "candidates": candidates}
    ask(connection, "POST", "/api/search", body)  # reads the vectors
    before = state_of(process.pid)
    until = time.monotonic() + seconds
    several = [Client(port, one["id"], parts, candidates, until, seed) for seed, one in enumerate(items)]
    for client in several:
        client.start()
    during: list[dict[str, float]] = []
    while time.monotonic() < until:
        time.sleep(min(1.0, seconds / 10))
        during.append(state_of(process.pid))
    for client in several:
        client.join(90)
    time.sleep(1)
    after = state_of(process.pid)
    latencies = 1e3 * np.sort(np.concatenate([client.latencies for client in several]))
    half = during[len(during) // 2 :]
    p50, p90, p99 = np.quantile(latencies, [0.5, 0.9, 0.99])
    print(
        f"| {clients} | {candidates} | {len(latencies)} | {sum(c.failed for c in several)} | {len(latencies) / seconds:.0f} | "
        f"{p50:.0f} | {p90:.0f} | {p99:.0f} | {latencies[-1]:.0f} | {sum(c.bytes for c in several) / len(latencies) / 1e3:.0f} | "
        f"{before['MB']:.0f}, {max(d['MB'] for d in during):.0f}, {max(d['MB'] for d in half):.0f}, {after['MB']:.0f} | "
        f"{before['handles']:.0f}, {max(d['handles'] for d in during):.0f}, {after['handles']:.0f} | "
        f"{max(d['threads'] for d in during):.0f} |",
        flush=True,
    )


def ask_plain(connection: http.client.HTTPConnection, path: str) -> bytes:
    """As `ask`, uncompressed."""
    connection.request("GET", path, headers={"Accept-Encoding": "identity"})
    return connection.getresponse().read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--songs", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, nargs="+", default=[0, 2_000])
    parser.add_argument("--library", type=Path, help="where the made-up library is kept, or lies already")
    parser.add_argument("--profile", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = arguments.library or Path(folder) / "library"
        if not (place / "library.json").exists():
            make_library(place, arguments.songs, np.random.default_rng(1))
        with serving(place) as (process, port):
            if arguments.profile:
                command = ["py-spy", "record", "-p", str(process.pid), "-o", str(arguments.profile), "-f", "raw", "-t"]
                subprocess.Popen([*command, "-d", str(int(arguments.seconds))])
            print(f"{arguments.songs:,} songs of {WINDOWS} windows, {os.cpu_count()} cores for server and clients\n")
            print(
                "| clients | candidates | requests | failed | a second | p50 (ms) | p90 | p99 | worst | kB sent each | "
                "MB before, highest, highest of the second half, after | handles before, highest, after | threads |"
            )
            print("|---" * 13 + "|")
            for candidates in arguments.candidates:
                for clients in arguments.clients:
                    measure(process, port, clients, candidates, arguments.seconds)


if __name__ == "__main__":
    main()
