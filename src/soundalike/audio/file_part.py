"""Addresses of parts of files: `album.flac#t=75,150` for a stretch of seconds, `song.stem.m4a#stream=1` for an audio stream.

Written as in Media Fragments URI 1.0 (W3C, section 4.2.1) behind the path, so that a part is read like a file of its own:
its seconds begin at 0. Whatever decodes takes an address in place of a path; a file that really has such a name is that file.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_ADDRESS = re.compile(
    r"(?P<file>.*[^/\\])#(?:t=(?P<start>\d{1,9}(?:\.\d{1,9})?)(?:,(?P<end>\d{1,9}(?:\.\d{1,9})?))?|stream=(?P<stream>\d{1,3}))",
    re.DOTALL,
)


@dataclass(frozen=True)
class FilePart:
    """A part of a file, or all of it.

    start, end: seconds of the file (end None: to its end); stream: the number of the audio stream, from 0.
    """

    file: Path
    start: float = 0.0
    end: float | None = None
    stream: int = 0

    @property
    def is_excerpt(self) -> bool:
        """Whether it is a stretch of seconds."""
        return self.start > 0 or self.end is not None


def part_of_address(path: Path) -> FilePart:
    """What `path` names: the part of a file if it is an address, else the whole file."""
    match = _ADDRESS.fullmatch(str(path))
    if match is None or os.path.lexists(path):
        return FilePart(path)
    if match["stream"] is not None:
        return FilePart(Path(match["file"]), stream=int(match["stream"]))
    end = None if match["end"] is None else float(match["end"])
    return FilePart(Path(match["file"]), float(match["start"]), end)


def seconds_address(file: str, start: float, end: float | None) -> str:
    """The address of the seconds `start` to `end` (None: to the end) of a file, exact to a microsecond."""
    return f"{file}#t={decimal(start)}" + ("" if end is None else f",{decimal(end)}")


def stream_address(file: Path, stream: int) -> Path:
    """The address of an audio stream, numbered from 0, of a file."""
    return file.with_name(f"{file.name}#stream={stream}")


def decimal(seconds: float) -> str:
    """Seconds as they are written in an address, to a microsecond."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
