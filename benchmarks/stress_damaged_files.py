"""Index a folder of good and damaged files in one run; check that no file is lost and memory does not grow.

    python -m benchmarks.stress_damaged_files --count 1000 --seed 1

Kinds of damage: truncated, flipped bits, another kind of file with an audio suffix, audio with the suffix of another
format, random bytes, an empty file, NaNs, silence; and the odd files of `odd_files` (cue sheets, stem files, chained Ogg,
headers without a length, ...). Every file must be indexed or reported with a reason, every good file indexed, files without
audio never; all vectors must be valid, and peak memory by thirds of the run must not grow.
Exits with code 1 after a fault.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.odd_files import MAKERS, READABLE
from benchmarks.shared.processes import child_processes, process_status, total_resident
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
DAMAGE = ("cut", "flipped", "foreign", "misnamed", "random", "empty", "nan", "silent")
KINDS = (*DAMAGE, *MAKERS)
UNUSABLE = {"foreign", "random", "empty", "nan", "silent"}
"""Damage after which no decoder can get music from a file; after other damage it may or may not."""

SONG_SHARE = 0.05
ALLOWED_GROWTH = 1.3
"""Peak memory of the last third, divided by that of the first."""


def sound(rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Decaying tones and noise, twice per second."""
    time_axis = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(60, 2000) * time_axis) + rng.uniform(0.1, 1) * rng.normal(size=len(time_axis))
    return (0.3 * tone * np.exp(-(time_axis % 0.5) * rng.uniform(4, 30))).clip(-1, 1).astype(np.float32)


def good_file(folder: Path, name: str, rng: np.random.Generator) -> Path:
    """Write a sound in one of the formats; one in twenty is long enough to be a song."""
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
    """Write `good` good and `count` damaged files in random order; their names end with the kind of damage."""
    folder.mkdir(parents=True)
    for number in rng.permutation(good + count):
        place = f"{rng.integers(10**6):06d}-{number:05d}"
        if number < good:
            good_file(folder, f"{place}-good", rng)
        else:
            kind = KINDS[int(number) % len(KINDS)]
            if kind in MAKERS:
                MAKERS[kind](folder, f"{place}-{kind}", rng)
            else:
                damage(good_file(folder, f"{place}-{kind}", rng), kind, rng)


class Memory:
    """Peak resident memory (MB) of this process, and of all its children together, by thirds of the run."""

    def __init__(self) -> None:
        self.own = [0.0, 0.0, 0.0]
        self.children = [0.0, 0.0, 0.0]

    def sample(self, progress: Progress) -> None:
        """Update the peaks."""
        third = min(2, 3 * progress.done // max(1, progress.total))
        self.own[third] = max(self.own[third], process_status().resident)
        self.children[third] = max(self.children[third], total_resident(child_processes()))


def kind_of(path: str) -> str:
    """The kind of damage of a file, from its name."""
    return re.split(r"[.#]", Path(path).name.rsplit("-", 1)[1])[0]


def file_of(path: str, names: Collection[str]) -> str:
    """The file of an item: its path, or without the number of a track."""
    return path if path in names else path.rpartition("#")[0]


def faults_in(report: IndexReport, library: Library, names: list[str]) -> list[str]:
    """Everything that is wrong with the result of a run over the files called `names`."""
    paths = [row["path"] for row in library.items().to_pylist()]
    tracks = len([path for path in paths if path not in names])
    indexed = {file_of(path, names) for path in paths}
    # A track behind the end of its file is skipped, and the others are not.
    skipped = {Path(path).name: reason for path, reason in report.skipped if Path(path).name in names}
    skipped_tracks = len(report.skipped) - len(skipped)
    faults = list(audit(library).problems)
    whole = len({file_of(path, names) for path in paths if path not in names})
    expected = len(names) - whole + tracks + skipped_tracks
    if report.found != expected or report.found != report.indexed + len(report.skipped):
        faults.append(
            f"{len(names)} files, {report.found} found, {report.indexed} indexed, {len(report.skipped)} skipped"
        )
    faults += [
        f"{name} was neither indexed nor reported" for name in names if name not in indexed and name not in skipped
    ]
    faults += [f"{name} was indexed and skipped" for name in names if name in indexed and name in skipped]
    faults += [
        f"{name} is good and was skipped: {skipped[name]}" for name in skipped if kind_of(name) in {"good", *READABLE}
    ]
    faults += [f"{name} was indexed" for name in sorted(indexed) if kind_of(name) in UNUSABLE]
    for name, reason in skipped.items():
        if not reason.strip() or "\n" in reason or reason.startswith(("unexpected", "crashed", "did not end")):
            faults.append(f"{name}: {reason!r}")
    return faults


def main() -> None:
    """Run the stress test and print its result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="damaged files (default %(default)s)")
    parser.add_argument("--good", type=int, default=100, help="good files among them (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default %(default)s)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stress-damaged-files-") as folder:
        music, place = Path(folder) / "music", Path(folder) / "library"
        make_files(music, chosen.good, chosen.count, np.random.default_rng(chosen.seed))
        names = sorted(path.name for path in music.iterdir() if path.suffix != ".cue")
        memory, began = Memory(), time.monotonic()
        report = index(place, [music], jobs=chosen.jobs, on_progress=memory.sample)
        seconds = time.monotonic() - began
        faults = faults_in(report, Library.open(place), names)
        again = index(place, jobs=chosen.jobs)
        if (again.unchanged, len(again.skipped)) != (report.indexed, len(report.skipped)):
            faults.append(f"the second run left {again.unchanged} unchanged and skipped {len(again.skipped)}")
    print(f"found {report.found} = indexed {report.indexed} + skipped {len(report.skipped)} in {seconds:.1f} s")
    skipped_kinds = Counter(kind_of(path) for path, _ in report.skipped)
    made = Counter(map(kind_of, names))
    print("skipped: " + ", ".join(f"{kind} {skipped_kinds[kind]} of {made[kind]}" for kind in ("good", *KINDS)))
    for title, peaks in (("this process", memory.own), ("its workers", memory.children)):
        print(f"peak memory of {title}, by thirds of the run: " + ", ".join(f"{peak:.0f} MB" for peak in peaks))
        if chosen.count >= 500 and peaks[2] > ALLOWED_GROWTH * peaks[0]:
            faults.append(f"memory of {title} grows")
    reasons = Counter(reason[:60] for _, reason in report.skipped)
    for reason, number in reasons.most_common(12):
        print(f"  {number:4d} x {reason}")
    print(f"a second run took {again.seconds:.1f} s; faults: {len(faults)}")
    for fault in faults:
        print(f"  {fault}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
