"""Index a folder of good and damaged files in one run, and look whether anything is lost, wrong, or grows.

    python benchmarks/drill_damage.py --count 1000 --seed 1

Damage: cut short, bits flipped, another kind of file under an audio suffix, audio under another's suffix, random
bytes, nothing at all, not-a-numbers, silence. Every file must be indexed or named with its reason, every good one
indexed, what cannot be audio never, all vectors sound, and the memory of the run flat (its peaks by thirds are
shown).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile

from soundalike.library import IndexReport, Library, Progress, index
from soundalike.library.maintenance.audit import audit

RATE = 44_100
FORMATS = (
    ("wav", "WAV", "PCM_16"),
    ("aiff", "AIFF", "PCM_24"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
)
DAMAGES = ("cut", "flipped", "foreign", "misnamed", "random", "empty", "nan", "silent")
HOPELESS = {"foreign", "random", "empty", "nan", "silent"}
"""What no decoder can make music of; the rest may or may not be usable."""

SONG_SHARE = 0.05
GROWTH_ALLOWED = 1.3
"""Peak memory of the last third over that of the first."""


def sound(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Decaying tones and noise, struck twice a second."""
    at = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(60, 2000) * at) + rng.uniform(0.1, 1) * rng.normal(size=len(at))
    return (0.3 * tone * np.exp(-(at % 0.5) * rng.uniform(4, 30))).clip(-1, 1).astype(np.float32)


def good_file(folder: Path, name: str, rng: np.random.Generator) -> Path:
    """A sound in one of the formats; one in twenty is long enough for a song."""
    suffix, container, coding = FORMATS[rng.integers(len(FORMATS))]
    seconds = rng.uniform(21, 30) if rng.random() < SONG_SHARE else rng.uniform(0.1, 2.0)
    path = folder / f"{name}.{suffix}"
    rate = 48_000 if coding == "OPUS" else RATE
    soundfile.write(path, sound(rng, seconds), rate, format=container, subtype=coding)
    return path


def damage(path: Path, kind: str, rng: np.random.Generator) -> None:
    """Damage the file at `path`."""
    data = bytearray(path.read_bytes())
    match kind:
        case "cut":
            path.write_bytes(data[: int(rng.uniform(0, 1) * len(data))])
        case "flipped":
            for place in rng.integers(0, len(data), max(1, int(len(data) * 10 ** rng.uniform(-4, -1)))):
                data[place] ^= 1 << int(rng.integers(8))
            path.write_bytes(data)
        case "foreign":
            head = (b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"<!DOCTYPE html><html>", b"PK\x03\x04", b"#!/bin/sh\n")
            path.write_bytes(head[rng.integers(len(head))] + bytes(rng.integers(32, 127, 3000, dtype=np.uint8)))
        case "misnamed":
            others = [suffix for suffix, _, _ in FORMATS if f".{suffix}" != path.suffix]
            path.rename(path.with_suffix(f".{others[rng.integers(len(others))]}"))
        case "random":
            path.write_bytes(rng.bytes(int(rng.integers(1, 50_000))))
        case "empty":
            path.write_bytes(b"")
        case "nan":
            samples = sound(rng, 0.5)
            samples[rng.integers(0, len(samples), 3)] = (np.nan, np.inf, -np.inf)
            path.unlink()
            soundfile.write(path.with_suffix(".wav"), samples, RATE, format="WAV", subtype="FLOAT")
        case "silent":
            path.unlink()
            soundfile.write(path.with_suffix(".flac"), np.zeros(int(rng.integers(1, RATE)), np.float32), RATE)


def make_files(folder: Path, good: int, count: int, rng: np.random.Generator) -> None:
    """`good` good files and `count` damaged ones, whose names tell which is which, well mixed."""
    folder.mkdir(parents=True)
    for number in rng.permutation(good + count):
        place = f"{rng.integers(10**6):06d}-{number:05d}"
        if number < good:
            good_file(folder, f"{place}-good", rng)
        else:
            kind = DAMAGES[int(number) % len(DAMAGES)]
            damage(good_file(folder, f"{place}-{kind}", rng), kind, rng)


class Memory:
    """Peaks of the resident memory (MiB) of this process and of its children together, by thirds of the run."""

    def __init__(self) -> None:
        self.own = [0.0, 0.0, 0.0]
        self.children = [0.0, 0.0, 0.0]

    def look(self, progress: Progress) -> None:
        """Take a sample."""
        third = min(2, 3 * progress.done // max(1, progress.total))
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        self.own[third] = max(self.own[third], _resident("self"))
        self.children[third] = max(self.children[third], sum(map(_resident, children)))


def _resident(process: str) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def kind_of(path: str) -> str:
    """What was done to a file, from its name."""
    return Path(path).stem.rsplit("-", 1)[1]


def faults_in(report: IndexReport, library: Library, names: list[str]) -> list[str]:
    """What is wrong with the outcome of a run over the files called `names`."""
    taken = {row["path"] for row in library.items().to_pylist()}
    refused = {Path(path).name: reason for path, reason in report.skipped}
    faults = list(audit(library).problems)
    if report.found != len(names) or report.found != report.indexed + len(report.skipped):
        faults.append(
            f"{len(names)} files, {report.found} found, {report.indexed} indexed, {len(report.skipped)} skipped"
        )
    faults += [f"{name} was neither indexed nor named" for name in names if name not in taken and name not in refused]
    faults += [f"{name} was indexed and refused" for name in names if name in taken and name in refused]
    faults += [f"{name} is good and was refused: {refused[name]}" for name in refused if kind_of(name) == "good"]
    faults += [f"{name} was indexed" for name in sorted(taken) if kind_of(name) in HOPELESS]
    for name, reason in refused.items():
        if not reason.strip() or "\n" in reason or reason.startswith(("unexpected", "crashed", "did not end")):
            faults.append(f"{name}: {reason!r}")
    return faults


def main() -> None:
    """Run the drill and say what came of it; exit code 1 where anything was found wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="damaged files (default %(default)s)")
    parser.add_argument("--good", type=int, default=100, help="good files among them (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="drill-damage-") as folder:
        music, place = Path(folder) / "music", Path(folder) / "library"
        make_files(music, chosen.good, chosen.count, np.random.default_rng(chosen.seed))
        names = sorted(path.name for path in music.iterdir())
        memory, began = Memory(), time.monotonic()
        report = index(place, [music], jobs=chosen.jobs, on_progress=memory.look)
        seconds = time.monotonic() - began
        faults = faults_in(report, Library.open(place), names)
        again = index(place, jobs=chosen.jobs)
        if (again.unchanged, len(again.skipped)) != (report.indexed, len(report.skipped)):
            faults.append(f"the second run kept {again.unchanged} and refused {len(again.skipped)}")
    print(f"found {report.found} = indexed {report.indexed} + skipped {len(report.skipped)} in {seconds:.1f} s")
    refused = Counter(kind_of(path) for path, _ in report.skipped)
    made = Counter(map(kind_of, names))
    print("refused: " + ", ".join(f"{kind} {refused[kind]} of {made[kind]}" for kind in ("good", *DAMAGES)))
    for title, peaks in (("this process", memory.own), ("its workers", memory.children)):
        print(f"peak memory of {title}, by thirds of the run: " + ", ".join(f"{peak:.0f} MiB" for peak in peaks))
        if chosen.count >= 500 and peaks[2] > GROWTH_ALLOWED * peaks[0]:
            faults.append(f"the memory of {title} grows")
    reasons = Counter(reason[:60] for _, reason in report.skipped)
    for reason, number in reasons.most_common(12):
        print(f"  {number:4d} x {reason}")
    print(f"a second run took {again.seconds:.1f} s; faults: {len(faults)}")
    for fault in faults:
        print(f"  {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
