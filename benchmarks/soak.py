"""Soak test: one writer and four searching clients on one library; every result is checked against an exact pass.

    python -m benchmarks.soak --seconds 3600
    python -m benchmarks.soak --seconds 60 --songs 1500

The writer is a separate process that adds, changes and removes fake files (their analysis is made up; everything else
is what `soundalike index` and `remove` do). The clients are threads of one process, like those of a server. Each
follows the library (`Finder.refreshed`), searches with random references, signed weights and filters, and compares the
result with NumPy on the rows of the same state of the library. Two clients use the flat index and must agree exactly.
Two use the quantised index: their scores must be exact, and their first ten hits must contain nine of the true ten on
average. Exits with code 1 after a fault.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.processes import process_status
from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.roots import remove
from soundalike.search.filters import make_filters
from soundalike.search.finder import Finder
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE

SOAK_RECIPE = replace(RECIPE, dimension=64)
CLIENTS = 4
COUNT = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--songs", type=int, default=4_000)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds that a client waits between searches")
    parser.add_argument("--rest", type=float, default=0.5, help="seconds that the writer waits between runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write, arguments.songs, arguments.rest, arguments.seed)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return soak(Path(folder), arguments)


def write(folder: Path, songs: int, pause: float, seed: int) -> None:
    """The writer; runs until its parent ends."""
    parent = os.getppid()
    rng = random.Random(seed)
    number = 1_000_000
    music = folder / "music"
    while os.getppid() == parent:
        there = sorted(music.iterdir())
        for _ in range(added := rng.randrange(1, 12)):
            number += 1
            (music / f"{number}.wav").write_text(f"song {rng.randrange(1, 9)} {number}")
        # As many are deleted as added: the library does not grow, so a growing process has a leak.
        for file in rng.sample(there, max(0, min(len(there), len(there) + added - songs + rng.randrange(-3, 4)))):
            file.unlink()
        for file in rng.sample([one for one in there if one.exists()], 2):
            file.write_text(f"song {rng.randrange(1, 9)} {number + rng.randrange(10**6, 10**7)}")
        _index(folder)
        if rng.random() < 0.3:
            remove(folder / "library", missing=True)
        time.sleep(pause * (0.5 + rng.random()))


def _index(folder: Path) -> None:
    index(folder / "library", [folder / "music"], recipe=SOAK_RECIPE, backend=InlineBackend())


@dataclass
class Tally:
    """What the clients have observed."""

    searches: dict[str, int] = field(default_factory=lambda: {"flat": 0, "quantised": 0})
    recall: list[float] = field(default_factory=list)
    states: set[tuple[int, ...]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Truth:
    """Exact scores in one state of the library, with plain NumPy on its stored rows."""

    def __init__(self, finder: Finder) -> None:
        library = finder.library
        stored = library.windows(["content", "start"])
        self.contents = np.array(stored["content"].to_pylist())
        self.vectors = {part: library.vectors("windows", part).astype(np.float64) for part in library.recipe.parts}
        self.items = {item["id"]: item for item in finder.items}

    def best(self, query: Any, effective: dict[str, float], admitted: set[str]) -> dict[str, float]:
        """Best score of each admitted content."""
        scores, present = np.zeros(len(self.contents)), np.zeros(len(self.contents), dtype=bool)
        for part, weight in effective.items():
            scores += weight * (self.vectors[part] @ query.direction(part))
            if query.direction(part).any():
                present |= self.vectors[part].any(axis=1)
        scores[~present] = -np.inf
        found: dict[str, float] = {}
        for content, score in zip(self.contents.tolist(), scores.tolist(), strict=True):
            if content in admitted and score > found.get(content, -np.inf):
                found[content] = score
        return found


def soak(folder: Path, arguments: argparse.Namespace) -> int:
    (folder / "music").mkdir()
    for number in range(arguments.songs):
        (folder / "music" / f"{number}.wav").write_text(f"song {1 + number % 9} {number}")
    _index(folder)
    command = [sys.executable, "-m", "benchmarks.soak", "--write", str(folder), "--songs", str(arguments.songs)]
    command += ["--seed", str(arguments.seed), "--rest", str(arguments.rest)]
    writer = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    tally, stop = Tally(), threading.Event()
    clients = [
        threading.Thread(target=client, args=(folder / "library", number, arguments.pause, tally, stop))
        for number in range(CLIENTS)
    ]
    for thread in clients:
        thread.start()
    start = time.monotonic()
    readings = []
    try:
        while (passed := time.monotonic() - start) < arguments.seconds and not tally.faults:
            stop.wait(min(10.0, arguments.seconds - passed) or 0.1)
            if writer.poll() is not None:
                tally.faults.append(f"the writer ended with code {writer.returncode}")
            readings.append((*usage(os.getpid()), *usage(writer.pid)))
            if int(passed) // 60 > int(passed - 10) // 60:
                print(
                    f"{passed:6.0f} s  searches {tally.searches}  states {len(tally.states)}  {readings[-1]}",
                    flush=True,
                )
    finally:
        stop.set()
        for thread in clients:
            thread.join(60)
        writer.kill()
        writer.wait()
    thirds = [piece for piece in np.array_split(np.array(readings, dtype=float), 3) if len(piece)]
    print(f"searches {tally.searches}, states of the library {len(tally.states)}, faults {len(tally.faults)}")
    recall = tally.recall or [1.0]
    print(f"recall@10 of the quantised index: {np.mean(recall):.4f} on average, {min(recall):.1f} at worst")
    print(f"ms: p50 {np.percentile(tally.milliseconds, 50):.1f}, p99 {np.percentile(tally.milliseconds, 99):.1f}")
    for name, column in (("clients MB", 0), ("clients handles", 1), ("writer MB", 2), ("writer handles", 3)):
        print(f"{name} by thirds: " + ", ".join(f"{piece[:, column].mean():.0f}" for piece in thirds))
    for fault in tally.faults[:10]:
        print(fault, file=sys.stderr)
    return 1 if tally.faults or np.mean(recall) < 0.9 else 0


def usage(pid: int) -> tuple[float, int]:
    """Private memory (MB) and open handles of a process; 0 after it has ended."""
    try:
        status = process_status(pid)
    except OSError:
        return 0.0, 0
    return status.private, status.handles


def client(library: Path, number: int, pause: float, tally: Tally, stop: threading.Event) -> None:
    """Search and check until stopped."""
    rng = random.Random(number)
    index = "flat" if number % 2 else "quantised"
    try:
        finder = Finder.open(library, memory=1 << 40 if index == "flat" else 0)
        truth = Truth(finder)
        while not stop.wait(pause):
            later = finder.refreshed()
            if later is not finder:
                finder, truth = later, Truth(later)
            search(finder, truth, rng, index, tally)
    except Exception as error:  # noqa: BLE001  any exception is a fault, and is reported at the end
        with tally.lock:
            tally.faults.append(f"client {number}: {type(error).__name__}: {error}")


def search(finder: Finder, truth: Truth, rng: random.Random, index: str, tally: Tally) -> None:
    """Search once with random settings, and check the result."""
    parts = finder.library.recipe.parts
    reference = rng.choice(list(truth.items))
    chosen = rng.sample(parts, rng.randrange(1, len(parts) + 1))
    weights = {part: rng.choice([1.0, 0.5, -0.3, rng.uniform(0.1, 2)]) for part in chosen}
    filters = make_filters(paths=(str(rng.randrange(10)),)) if rng.random() < 0.3 else make_filters()
    query = finder.query(reference)
    if not any(query.direction(part).any() for part in chosen):
        return  # such a search is refused
    start = time.perf_counter()
    found = finder.similar(query, weights=weights, filters=filters, n=COUNT, raw=rng.random() < 0.5)
    seconds = time.perf_counter() - start
    own = set(found.same)
    admitted: dict[str, list[str]] = {}
    for item in truth.items.values():
        if filters.admits(item) and str(finder.library.absolute(item["root"], item["path"])) not in own:
            admitted.setdefault(item["content"], []).append(item["id"])
    exact = truth.best(query, found.effective, set(admitted))
    expected = sorted(exact, key=lambda content: (-exact[content], min(admitted[content])))[:COUNT]
    hits = [truth.items[hit.id]["content"] for hit in found.hits]
    problems = [
        f"{hit.id} has score {hit.score}, expected {exact.get(content)}"
        for hit, content in zip(found.hits, hits, strict=True)
        if abs(exact.get(content, np.inf) - hit.score) > 1e-9
    ]
    if index == "flat" and [round(exact[c], 9) for c in hits] != [round(exact[c], 9) for c in expected]:
        problems.append(f"the order is {hits}, expected {expected}")
    with tally.lock:
        tally.searches[index] += 1
        tally.states.add(finder.library.version)
        tally.milliseconds.append(1e3 * seconds)
        if index == "quantised" and expected:
            tally.recall.append(len(set(hits) & set(expected)) / len(expected))
        tally.faults += problems


if __name__ == "__main__":
    raise SystemExit(main())
