"""Kill an indexing run (`kill -9`) at random moments, again and again, and look at what it leaves.

    python benchmarks/drill_kill.py --count 200 --seed 1

After every kill: the library opens, every item has its vectors, no content has them twice, nothing that was
committed is gone, no worker lives on. A library whose run comes to its end must equal one that was never killed, bit
for bit. The moments are uniform over the work of a run, measured first; one in ten falls into its start.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from soundalike.library import Library
from soundalike.library.maintenance.audit import audit

RATE = 32_000
RUN = """
import os, sys
from pathlib import Path
from soundalike.library import index
index(Path(sys.argv[1]), [Path(sys.argv[2])], jobs=int(sys.argv[3]),
      on_progress=lambda now: os.write(1, f"{now.done} {now.total}\\n".encode()))
"""
MARK = "SOUNDALIKE_DRILL"
START_SHARE = 0.1


@dataclass
class Outcome:
    """Figures of a drill."""

    kills: int = 0
    kills_at_start: int = 0
    libraries: int = 0
    orphans: int = 0
    lost: list[int] = field(default_factory=list)
    gained: int = 0
    faults: list[str] = field(default_factory=list)


def make_files(folder: Path, rng: np.random.Generator, songs: int, hits: int) -> None:
    """Songs of 20 to 32 s (pulses and tones) and hits of a tenth of a second to half of one."""
    folder.mkdir(parents=True)
    for number in range(songs):
        seconds = rng.uniform(20, 32)
        time_axis = np.arange(int(seconds * RATE)) / RATE
        pulse = np.exp(-((time_axis * rng.uniform(1.5, 3)) % 1) * 12) * rng.normal(size=len(time_axis))
        tones = sum(np.sin(2 * np.pi * rng.uniform(50, 900) * time_axis + rng.uniform(0, 6)) for _ in range(4))
        write(folder / f"song{number:02d}.wav", 0.3 * pulse + 0.1 * tones)
    for number in range(hits):
        time_axis = np.arange(int(rng.uniform(0.1, 0.5) * RATE)) / RATE
        tone = np.sin(2 * np.pi * rng.uniform(60, 2000) * time_axis) + rng.uniform() * rng.normal(size=len(time_axis))
        write(folder / "hits" / f"hit{number:03d}.wav", 0.3 * tone * np.exp(-time_axis * rng.uniform(8, 40)))


def write(path: Path, samples: np.ndarray) -> None:
    """A 16-bit mono wav."""
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.clip(samples, -1, 1).astype(np.float32), RATE)


class Run:
    """A running index command, in a process of its own."""

    def __init__(self, library: Path, music: Path, jobs: int) -> None:
        self.began = time.monotonic()
        self._heard: list[str] = []
        environment = {**os.environ, MARK: str(library)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(library), str(music), str(jobs)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def wait_for_work(self) -> None:
        """Until the first file is done (or the run, if there is none left to do)."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self._heard.append(line)
            if not line.startswith("0 "):
                break

    def kill(self) -> None:
        """`kill -9`."""
        self.process.send_signal(signal.SIGKILL)

    def end(self) -> tuple[int, int, str]:
        """Exit code, files booked when it ended, and what it said on its standard error."""
        said, complaints = self.process.communicate()
        heard = [*self._heard, *said.splitlines()]
        booked = [int(line.split()[0]) for line in heard if len(line.split()) == 2]
        return self.process.returncode, booked[-1] if booked else 0, complaints


def left_alive(library: Path) -> list[int]:
    """Processes of the run on `library` that live (Linux), after giving them five seconds to end."""
    for _ in range(100):
        alive = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={library}".encode() in (place / "environ").read_bytes().split(b"\0"):
                    alive.append(int(place.name))
            except OSError:
                continue
        if not alive:
            return []
        time.sleep(0.05)
    return alive


def rows(library: Library) -> dict[str, list[tuple[object, ...]]]:
    """All there is in a library, in an order of its own, without times of indexing."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for name, table in (
        ("items", library.items().drop_columns(["indexed_at"])),
        ("windows", library.windows(_columns(library, songs=True))),
        ("wholes", library.wholes(_columns(library, songs=False))),
    ):
        columns = [
            [vector.tobytes() for vector in library.as_vectors(column)]
            if str(column.type).startswith("fixed_size_list")
            else column.to_pylist()
            for column in table.columns
        ]
        found[name] = sorted(zip(*columns, strict=True), key=lambda row: tuple(map(str, row[:3])))
    return found


def _columns(library: Library, *, songs: bool) -> list[str]:
    parts = list(library.recipe.parts) if songs else ["mix"]
    return ["content", "start", "end", *parts, *([f"{part}_present" for part in parts] if songs else [])]


def look(library: Path, before: set[str], outcome: Outcome, booked: int) -> set[str]:
    """Check what a kill has left; the ids that are in now."""
    place = f"after kill {outcome.kills}"
    if alive := left_alive(library):
        outcome.faults.append(f"{place}: processes live on: {alive}")
    if not (library / "library.json").exists():
        if before:
            outcome.faults.append(f"{place}: the library is gone")
        return before
    opened = Library.open(library)
    state = audit(opened)
    outcome.faults += [f"{place}: {problem}" for problem in state.problems]
    outcome.orphans += state.orphans
    now = set(opened.items()["id"].to_pylist())
    if before - now:
        outcome.faults.append(f"{place}: {len(before - now)} items that had been committed are gone")
    outcome.lost.append(booked - len(now - before))
    outcome.gained += len(now - before)
    return now


def drill(music: Path, work: Path, count: int, seed: int, jobs: int) -> Outcome:
    """`count` kills."""
    rng, outcome = random.Random(seed), Outcome()
    first = Run(work / "reference", music, jobs)
    first.wait_for_work()
    start = time.monotonic() - first.began
    code, booked, complaints = first.end()
    length = time.monotonic() - first.began - start
    if code:
        sys.exit(f"the run that is never killed failed: {complaints}")
    reference = rows(Library.open(work / "reference"))
    print(f"{booked} files; a run takes {start:.1f} s to start and {length:.1f} s to work", flush=True)
    number = 0
    while outcome.kills < count:
        number += 1
        library, before, done = work / f"library-{number}", set[str](), False
        while not done and outcome.kills < count:
            run = Run(library, music, jobs)
            at_start = rng.random() < START_SHARE
            if not at_start:
                run.wait_for_work()
            time.sleep(rng.uniform(0, start if at_start else length))
            run.kill()
            code, booked, complaints = run.end()
            if code == -signal.SIGKILL:
                outcome.kills += 1
                outcome.kills_at_start += at_start
                before = look(library, before, outcome, booked)
            elif code:
                outcome.faults.append(f"after kill {outcome.kills}: a run failed: {complaints[-500:]}")
                break
            else:
                done = True
        if not done:
            Run(library, music, jobs).end()
        outcome.libraries += 1
        outcome.faults += compare(reference, library, number)
        shutil.rmtree(library)
    return outcome


def compare(reference: dict[str, list[tuple[object, ...]]], library: Path, number: int) -> list[str]:
    """In what a finished library differs from the one that was never killed."""
    opened = Library.open(library)
    mine = rows(opened)
    faults = []
    for name, expected in reference.items():
        found = mine[name]
        if found != expected:
            pairs = [(one, other) for one, other in zip(expected, found, strict=False) if one != other]
            faults.append(
                f"library {number}: {name} differ: {len(found)} rows for {len(expected)}, {len(pairs)} of them unlike, "
                f"vectors by up to {max(map(_largest, pairs), default=0):.2g}"
            )
    return faults + [f"library {number}: {problem}" for problem in audit(opened).problems]


def _largest(pair: tuple[tuple[object, ...], tuple[object, ...]]) -> float:
    """The largest difference of a number in the vectors of two rows."""
    return max(
        (
            float(np.abs(np.frombuffer(one, np.float16).astype(float) - np.frombuffer(other, np.float16)).max())
            for one, other in zip(*pair, strict=True)
            if isinstance(one, bytes) and isinstance(other, bytes)
        ),
        default=0.0,
    )


def main() -> None:
    """Run the drill and say what came of it; exit code 1 where anything was found wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="kills (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes of each run (default %(default)s)")
    parser.add_argument("--data", type=Path, help="a folder of audio to index, instead of made files")
    parser.add_argument("--songs", type=int, default=12, help="songs to make (default %(default)s)")
    parser.add_argument("--hits", type=int, default=60, help="one-shots to make (default %(default)s)")
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drill-kill-") as folder:
        work = Path(folder)
        music = chosen.data or work / "music"
        if chosen.data is None:
            make_files(music, np.random.default_rng(chosen.seed), chosen.songs, chosen.hits)
        outcome = drill(music, work, chosen.count, chosen.seed, chosen.jobs)
    print(f"kills: {outcome.kills} ({outcome.kills_at_start} of them in the start of a run)")
    print(f"libraries finished and equal to the one never killed, or named below: {outcome.libraries}")
    print(f"contents whose vectors were in but not yet their item, swept by the next run: {outcome.orphans}")
    print(f"files that killed runs had got in: {outcome.gained}")
    lost = Counter(outcome.lost)
    print("analysed files lost in a kill (files: kills): " + ", ".join(f"{n}: {lost[n]}" for n in sorted(lost)))
    print(f"faults: {len(outcome.faults)}; {time.monotonic() - began:.0f} s")
    for fault in outcome.faults:
        print(f"  {fault}")
    sys.exit(1 if outcome.faults else 0)


if __name__ == "__main__":
    main()
