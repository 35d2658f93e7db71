"""How long `soundalike index` takes to say why the only file of a folder is refused.

    python -m benchmarks.refused_files

For each kind of file, a folder with one of it is indexed into a new library, so many times. Reported: the median processor time
(user and system, of all processes) and elapsed time of the command, and the reason that it printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.odd_files import RATE, tone
from benchmarks.shared.markdown import print_table

TIMEOUT = 120.0  # s


def text(path: Path) -> None:
    path.write_text("This is not audio.\n" * 200)


def truncated(path: Path) -> None:
    """Tags and the beginning of the first frame."""
    whole = path.with_name("whole.mp3")
    soundfile.write(whole, tone(np.random.default_rng(0), 3.0), RATE, format="MP3")
    path.write_bytes(b"ID3\x03\x00\x00\x00\x00\x07\x76" + bytes(1014) + whole.read_bytes()[:40])
    whole.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def silent(path: Path) -> None:
    soundfile.write(path, np.zeros((30 * RATE, 2), np.float32), RATE)


def noise(path: Path) -> None:
    path.write_bytes(b"\x00\x00\x00\x20ftypM4A " + np.random.default_rng(0).bytes(1_000_000))


def noise_behind(header: bytes) -> Callable[[Path], None]:
    """100 MB of noise behind the first bytes of a container."""

    def write(path: Path) -> None:
        path.write_bytes(header + np.random.default_rng(0).bytes(100_000_000))

    return write


def long_silence(path: Path) -> None:
    with soundfile.SoundFile(path, "w", RATE, 2) as file:
        for _ in range(60):
            file.write(np.zeros((60 * RATE, 2), np.float32))


KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a text": ("notes.wav", text),
    "a truncated MP3": ("cut.mp3", truncated),
    "an empty file": ("empty.flac", empty),
    "30 s of silence": ("silent.wav", silent),
    "1 MB of noise": ("noise.m4a", noise),
    "noise, as MP3": ("noise.mp3", noise_behind(b"")),
    "noise, as Ogg": ("noise.ogg", noise_behind(b"OggS")),
    "noise, as FLAC": ("noise.flac", noise_behind(b"fLaC")),
    "noise, as Matroska": ("noise.mka", noise_behind(b"\x1a\x45\xdf\xa3")),
    "noise, as AIFF": ("noise.aiff", noise_behind(b"FORM\0\0\0\0AIFF")),
    "noise, as WMA": ("noise.wma", noise_behind(bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"))),
    "an hour of silence": ("hour.flac", long_silence),
}


def measure(name: str, make: Callable[[Path], None], runs: int) -> tuple[float, float, str]:
    """Median processor and elapsed seconds of the command, and what it printed about the file."""
    processor, elapsed, printed = [], [], ""
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="refused-files-") as place:
            folder = Path(place) / "music"
            folder.mkdir()
            make(folder / name)
            command = [
                sys.executable,
                "-m",
                "soundalike",
                "index",
                str(folder),
                "--library",
                str(Path(place) / "library"),
            ]
            before, begin = os.times(), time.monotonic()
            result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
            elapsed.append(time.monotonic() - begin)
            after = os.times()
            processor.append(
                after.children_user + after.children_system - before.children_user - before.children_system
            )
            lines = (result.stdout + result.stderr).replace(f"{folder}{os.sep}", "").splitlines()
            printed = next((line.strip() for line in lines if name in line), "nothing")
    return float(np.median(processor)), float(np.median(elapsed)), printed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="for each kind (default %(default)s)")
    options = parser.parse_args()
    rows = []
    for kind, (name, make) in KINDS.items():
        processor, elapsed, printed = measure(name, make, options.runs)
        rows.append((kind, f"{processor:.2f}", f"{elapsed:.2f}", printed))
    print_table(("the only file", "processor time (s)", "elapsed (s)", "printed"), rows)


if __name__ == "__main__":
    main()
