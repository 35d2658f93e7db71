"""Kill indexing runs (`kill -9`) at random moments, and check what each leaves behind.

    python -m benchmarks.stress_kill --count 200 --seed 1

After every kill: the library opens, every item has its vectors, no content has them twice, nothing that was committed
is lost, no worker process survives. A library whose last run completes must equal one that was never killed, bit for
bit. The moments are uniform over the working time of a run, which is measured first; one in ten is during startup.
Exits with code 1 after a fault.
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
from tests.library.compare import Rows, rows_of

RATE = 32_000
RUN = """
import os, sys
from pathlib import Path
from soundalike.library import index
index(Path(sys.argv[1]), [Path(sys.argv[2])], jobs=int(sys.argv[3]),
      on_progress=lambda now: os.write(1, f"{now.done} {now.total}\\n".encode()))
"""
MARK = "SOUNDALIKE_STRESS"
START_SHARE = 0.1


@dataclass
class Outcome:
    """Figures of a stress test."""

    kills: int = 0
    kills_at_start: int = 0
    libraries: int = 0
    orphans: int = 0
    lost: list[int] = field(default_factory=list)
    gained: int = 0
    faults: list[str] = field(default_factory=list)


def make_files(folder: Path, rng: np.random.Generator, songs: int, one_shots: int) -> None:
    """Write songs of 20 to 32 s (pulses and tones) and one-shots of 0.1 to 0.5 s."""
    folder.mkdir(parents=True)
    for number in range(songs):
        seconds = rng.uniform(20, 32)
        time_axis = np.arange(int(seconds * RATE)) / RATE
        pulse = np.exp(-((time_axis * rng.uniform(1.5, 3)) % 1) * 12) * rng.normal(size=len(time_axis))
        tones = sum(np.sin(2 * np.pi * rng.uniform(50, 900) * time_axis + rng.uniform(0, 6)) for _ in range(4))
        write(folder / f"song{number:02d}.wav", 0.3 * pulse + 0.1 * tones)
    for number in range(one_shots):
        time_axis = np.arange(int(rng.uniform(0.1, 0.5) * RATE)) / RATE
        tone = np.sin(2 * np.pi * rng.uniform(60, 2000) * time_axis) + rng.uniform() * rng.normal(size=len(time_axis))
        write(folder / "one-shots" / f"one-shot{number:03d}.wav", 0.3 * tone * np.exp(-time_axis * rng.uniform(8, 40)))


def write(path: Path, samples: np.ndarray) -> None:
    """Write a 16-bit mono WAV file."""
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, np.clip(samples, -1, 1).astype(np.float32), RATE)


class Run:
    """An indexing run in a separate process."""

    def __init__(self, library: Path, music: Path, jobs: int) -> None:
        self.began = time.monotonic()
        self._lines: list[str] = []
        environment = {**os.environ, MARK: str(library)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(library), str(music), str(jobs)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def wait_for_work(self) -> None:
        """Wait until the first file is done, or the whole run if no file is left to do."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self._lines.append(line)
            if not line.startswith("0 "):
                break

    def kill(self) -> None:
        """`kill -9`."""
        self.process.send_signal(signal.SIGKILL)

    def end(self) -> tuple[int, int, str]:
        """Exit code, files reported as done, and standard error."""
        output, errors = self.process.communicate()
        lines = [*self._lines, *output.splitlines()]
        done = [int(line.split()[0]) for line in lines if len(line.split()) == 2]
        return self.process.returncode, done[-1] if done else 0, errors


def surviving_processes(library: Path) -> list[int]:
    """Processes of the run on `library` that still run after five seconds (Linux)."""
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


def check(library: Path, before: set[str], outcome: Outcome, done: int) -> set[str]:
    """Check what a kill has left behind; the ids of all items."""
    place = f"after kill {outcome.kills}"
    if alive := surviving_processes(library):
        outcome.faults.append(f"{place}: processes survive: {alive}")
    if not (library / "library.json").exists():
        if before:
            outcome.faults.append(f"{place}: the library is missing")
        return before
    opened = Library.open(library)
    state = audit(opened)
    outcome.faults += [f"{place}: {problem}" for problem in state.problems]
    outcome.orphans += state.orphans
    now = set(opened.items()["id"].to_pylist())
    if before - now:
        outcome.faults.append(f"{place}: {len(before - now)} committed items are missing")
    outcome.lost.append(done - len(now - before))
    outcome.gained += len(now - before)
    return now


def stress(music: Path, work: Path, count: int, seed: int, jobs: int) -> Outcome:
    """Kill runs `count` times."""
    rng, outcome = random.Random(seed), Outcome()
    first = Run(work / "reference", music, jobs)
    first.wait_for_work()
    start = time.monotonic() - first.began
    code, files, errors = first.end()
    length = time.monotonic() - first.began - start
    if code:
        sys.exit(f"the run that is never killed failed: {errors}")
    reference = rows_of(Library.open(work / "reference"))
    print(f"{files} files; a run takes {start:.1f} s to start and {length:.1f} s to work", flush=True)
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
            code, files, errors = run.end()
            if code == -signal.SIGKILL:
                outcome.kills += 1
                outcome.kills_at_start += at_start
                before = check(library, before, outcome, files)
            elif code:
                outcome.faults.append(f"after kill {outcome.kills}: a run failed: {errors[-500:]}")
                break
            else:
                done = True
        if not done:
            Run(library, music, jobs).end()
        outcome.libraries += 1
        outcome.faults += compare(reference, library, number)
        shutil.rmtree(library)
    return outcome


def compare(reference: Rows, library: Path, number: int) -> list[str]:
    """Differences between a finished library and the one that was never killed, and problems inside it."""
    opened = Library.open(library)
    tables = rows_of(opened)
    faults = []
    for name, expected in reference.items():
        if tables[name] != expected:
            pairs = zip(expected, tables[name], strict=False)
            columns = {column for one, other in pairs for column in one if one[column] != other[column]}
            faults.append(
                f"library {number}: {name} differ: {len(tables[name])} rows instead of {len(expected)}; "
                f"different columns: {', '.join(sorted(columns)) or 'none'}"
            )
    return faults + [f"library {number}: {problem}" for problem in audit(opened).problems]


def main() -> None:
    """Run the stress test and print its result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="kills (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes of each run (default %(default)s)")
    parser.add_argument("--data", type=Path, help="a folder of audio to index instead of generated files")
    parser.add_argument("--songs", type=int, default=12, help="songs to generate (default %(default)s)")
    parser.add_argument("--one-shots", type=int, default=60, help="one-shots to generate (default %(default)s)")
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="stress-kill-") as folder:
        work = Path(folder)
        music = chosen.data or work / "music"
        if chosen.data is None:
            make_files(music, np.random.default_rng(chosen.seed), chosen.songs, chosen.one_shots)
        outcome = stress(music, work, chosen.count, chosen.seed, chosen.jobs)
    print(f"kills: {outcome.kills} ({outcome.kills_at_start} of them during startup)")
    print(f"libraries completed (differences from the one that was never killed are listed below): {outcome.libraries}")
    print(f"contents with vectors but no item yet, deleted by the next run: {outcome.orphans}")
    print(f"files committed by killed runs: {outcome.gained}")
    lost = Counter(outcome.lost)
    print("analysed files lost per kill (files: kills): " + ", ".join(f"{n}: {lost[n]}" for n in sorted(lost)))
    print(f"faults: {len(outcome.faults)}; {time.monotonic() - began:.0f} s")
    for fault in outcome.faults:
        print(f"  {fault}")
    sys.exit(1 if outcome.faults else 0)


if __name__ == "__main__":
    main()
