"""Reads files and many copies of each with wrong numbers in their headers, with little memory. Run by its test.

usage: python -m tests.audio.lying_headers FOLDER MEGABYTES TRIALS FILE...
Prints the name of each file and a line for each violation: more frames than the bytes allow, or any error but an AudioError.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from soundalike.audio import ffmpeg, sndfile
from soundalike.audio.decode import probe, read
from soundalike.audio.sources import ogg_checksum
from soundalike.errors import AudioError

VALUES_PER_BYTE = 128
HEAD, TAIL = 800, 2_000
NUMBERS = tuple(
    bytes.fromhex(text) for text in ("ffffffff", "7fffffff", "ffffff7f", "00000000", "ffff", "0000", "7fff")
)
LONG = (b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"\xff" * 7 + b"\x7f", bytes(8))


def lies(content: bytes, trials: int) -> Iterator[bytes]:
    """Copies of `content` with one number in the head or the tail replaced, at random even places."""
    random = np.random.default_rng(0)
    places = [place for place in range(0, len(content), 2) if place < HEAD or place >= len(content) - TAIL]
    numbers = (*NUMBERS, *LONG)
    for _ in range(trials):
        place, number = places[random.integers(len(places))], numbers[random.integers(len(numbers))]
        changed = content[:place] + number + content[place + len(number) :]
        yield with_checksums(changed) if content[:4] == b"OggS" else changed


def with_checksums(ogg: bytes) -> bytes:
    """The pages of an Ogg file with right checksums: a decoder skips the others."""
    pages = [b"OggS" + page for page in ogg.split(b"OggS")[1:]]
    return b"".join(page[:22] + ogg_checksum(page[:22] + bytes(4) + page[26:]) + page[26:] for page in pages)


def violation(path: Path) -> str:
    """What is wrong with the answers for the file at `path`; empty if nothing is."""
    size = path.stat().st_size
    try:
        info = probe(path)
    except AudioError:
        info = None
    try:
        frames = read(path).samples.shape[1]
        read(path, 0.3, 0.2)
    except AudioError as error:
        if "memory" in str(error):
            return str(error)
        frames = 0
    if info is not None and info.frames * info.channels > VALUES_PER_BYTE * size and info.frames > frames:
        return f"states {info.frames} frames of {info.channels} channels, {frames} decoded, {size} bytes"
    return ""


def check(original: Path, folder: Path, megabytes: int, trials: int) -> None:
    """Print the violations of one file and its copies, which are written to `folder`."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    read(original)
    ffmpeg.read(original, 0.0, None, 2**24)
    sndfile.probe(original)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 2**20, most))
    path = folder / f"lie{original.suffix}"
    for index, content in enumerate(lies(original.read_bytes(), trials)):
        path.write_bytes(content)
        try:
            problem = violation(path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
            problem = f"{type(error).__name__}: {error}"
        if problem:
            print(f"{original.name}: {index} {problem}")


def main(folder: Path, megabytes: int, trials: int, *originals: Path) -> None:
    """Check each file in turn."""
    for original in originals:
        check(original, folder, megabytes, trials)
        print(f"{original.name}: done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *map(Path, sys.argv[4:]))
