"""A soak: one writer and four searching clients over one library, every answer checked against an exact pass over its rows.

    PYTHONPATH=. python benchmarks/soak.py --seconds 3600
    PYTHONPATH=. python benchmarks/soak.py --seconds 60 --songs 1500

The writer is a process of its own that adds, changes and removes made-up files (their analyses are made up, all else is what
`soundalike index` and `remove` do). The clients are threads of one process, as a server's are: each follows the library
(`Finder.refreshed`), asks with random references, weights of either sign and filters, and compares with NumPy on the rows of
the very state it asked: two clients search in memory and must agree to the last place, two search by sketches, whose scores
must be exact and whose ten best must hold nine of the true ones on average. Ends with code 1 after a fault.
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

from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.roots import remove
from soundalike.search.filters import make_filters
from soundalike.search.finder import Finder
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE

RECIPE_OF_SOAK = replace(RECIPE, dimension=64)
CLIENTS = 4
COUNT = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--songs", type=int, default=4_000)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds that a client rests between questions")
    parser.add_argument("--rest", type=float, default=0.5, help="seconds that the writer rests between runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write, arguments.songs, arguments.rest, arguments.seed)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return soak(Path(folder), arguments)


def write(folder: Path, songs: int, pause: float, seed: int) -> None:
    """The writer: until its parent ends it."""
    parent = os.getppid()
    rng = random.Random(seed)
    number = 1_000_000
    music = folder / "music"
    while os.getppid() == parent:
        there = sorted(music.iterdir())
        for _ in range(added := rng.randrange(1, 12)):
            number += 1
            (music / f"{number}.wav").write_text(f"song {rng.randrange(1, 9)} {number}")
        # As many go as come, so that a growing process would be a leak and no growing library.
        for file in rng.sample(there, max(0, min(len(there), len(there) + added - songs + rng.randrange(-3, 4)))):
            file.unlink()
        for file in rng.sample([one for one in there if one.exists()], 2):
            file.write_text(f"song {rng.randrange(1, 9)} {number + rng.randrange(10**6, 10**7)}")
        _index(folder)
        if rng.random() < 0.3:
            remove(folder / "library", missing=True)
        time.sleep(pause * (0.5 + rng.random()))


def _index(folder: Path) -> None:
    index(folder / "library", [folder / "music"], recipe=RECIPE_OF_SOAK, backend=InlineBackend())


@dataclass
class Tally:
    """What the clients have seen."""

    asked: dict[str, int] = field(default_factory=lambda: {"memory": 0, "sketches": 0})
    found: list[float] = field(default_factory=list)
    states: set[tuple[int, ...]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Truth:
    """The exact scores of a state of the library, by plain NumPy on its stored rows."""

    def __init__(self, finder: Finder) -> None:
        library = finder.library
        stored = library.windows(["content", "start"])
        self.contents = np.array(stored["content"].to_pylist())
        self.vectors = {part: library.vectors("windows", part).astype(np.float64) for part in library.recipe.parts}
        self.items = {item["id"]: item for item in finder.items}

    def best(self, query: Any, effective: dict[str, float], admitted: set[str]) -> dict[str, float]:
        """Score by content, of those admitted."""
        scores = np.zeros(len(self.contents))
        for part, weight in effective.items():
            scores += weight * (self.vectors[part] @ query.direction(part))
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
    tally, over = Tally(), threading.Event()
    clients = [
        threading.Thread(target=client, args=(folder / "library", number, arguments.pause, tally, over))
        for number in range(CLIENTS)
    ]
    for one in clients:
        one.start()
    began = time.monotonic()
    readings = []
    try:
        while (passed := time.monotonic() - began) < arguments.seconds and not tally.faults:
            over.wait(min(10.0, arguments.seconds - passed) or 0.1)
            if writer.poll() is not None:
                tally.faults.append(f"the writer ended with code {writer.returncode}")
            readings.append((*usage(os.getpid()), *usage(writer.pid)))
            if int(passed) // 60 > int(passed - 10) // 60:
                print(f"{passed:6.0f} s  asked {tally.asked}  states {len(tally.states)}  {readings[-1]}", flush=True)
    finally:
        over.set()
        for one in clients:
            one.join(60)
        writer.kill()
        writer.wait()
    thirds = [piece for piece in np.array_split(np.array(readings, dtype=float), 3) if len(piece)]
    print(f"asked {tally.asked}, states of the library {len(tally.states)}, faults {len(tally.faults)}")
    print(
        f"of the ten best by sketches {np.mean(tally.found or [1.0]):.4f} on average, {min(tally.found or [1.0]):.1f} at worst"
    )
    print(f"ms: p50 {np.percentile(tally.milliseconds, 50):.1f}, p99 {np.percentile(tally.milliseconds, 99):.1f}")
    for name, column in (("clients MB", 0), ("clients handles", 1), ("writer MB", 2), ("writer handles", 3)):
        print(f"{name} by thirds: " + ", ".join(f"{piece[:, column].mean():.0f}" for piece in thirds))
    for fault in tally.faults[:10]:
        print(fault, file=sys.stderr)
    return 1 if tally.faults or np.mean(tally.found or [1.0]) < 0.9 else 0


def usage(pid: int) -> tuple[float, int]:
    """Own memory (MB) and open handles of a process; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon"))
        return int(kilobytes) / 1024, len(os.listdir(f"/proc/{pid}/fd"))
    except (OSError, StopIteration):
        return 0.0, 0


def client(library: Path, number: int, pause: float, tally: Tally, over: threading.Event) -> None:
    """Ask and check until it is over."""
    rng = random.Random(number)
    by = "memory" if number % 2 else "sketches"
    try:
        finder = Finder.open(library, memory=1 << 40 if by == "memory" else 0)
        truth = Truth(finder)
        while not over.wait(pause):
            later = finder.refreshed()
            if later is not finder:
                finder, truth = later, Truth(later)
            ask(finder, truth, rng, by, tally)
    except Exception as error:  # noqa: BLE001  whatever it is, it is a fault, and is told at the end
        with tally.lock:
            tally.faults.append(f"client {number}: {type(error).__name__}: {error}")


def ask(finder: Finder, truth: Truth, rng: random.Random, by: str, tally: Tally) -> None:
    parts = finder.library.recipe.parts
    reference = rng.choice(list(truth.items))
    chosen = rng.sample(parts, rng.randrange(1, len(parts) + 1))
    weights = {part: rng.choice([1.0, 0.5, -0.3, rng.uniform(0.1, 2)]) for part in chosen}
    filters = make_filters(paths=(str(rng.randrange(10)),)) if rng.random() < 0.3 else make_filters()
    query = finder.query(reference)
    began = time.perf_counter()
    found = finder.similar(query, weights=weights, filters=filters, n=COUNT, raw=rng.random() < 0.5)
    seconds = time.perf_counter() - began
    own = set(found.same)
    admitted: dict[str, list[str]] = {}
    for item in truth.items.values():
        if filters.admits(item) and str(finder.library.absolute(item["root"], item["path"])) not in own:
            admitted.setdefault(item["content"], []).append(item["id"])
    exact = truth.best(query, found.effective, set(admitted))
    expected = sorted(exact, key=lambda content: (-exact[content], min(admitted[content])))[:COUNT]
    hits = [truth.items[hit.id]["content"] for hit in found.hits]
    problems = [
        f"{hit.id} scores {hit.score}, should {exact.get(content)}"
        for hit, content in zip(found.hits, hits, strict=True)
        if abs(exact.get(content, np.inf) - hit.score) > 1e-9
    ]
    if by == "memory" and [round(exact[c], 9) for c in hits] != [round(exact[c], 9) for c in expected]:
        problems.append(f"the order is {hits}, should be {expected}")
    with tally.lock:
        tally.asked[by] += 1
        tally.states.add(finder.library.version)
        tally.milliseconds.append(1e3 * seconds)
        if by == "sketches" and expected:
            tally.found.append(len(set(hits) & set(expected)) / len(expected))
        tally.faults += problems


if __name__ == "__main__":
    raise SystemExit(main())
