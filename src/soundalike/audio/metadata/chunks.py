"""The chunks of RIFF and IFF files: wav (RIFF, RIFX, RF64, BW64), Wave64 and aiff.

Wrong headers are allowed for (see `audio.chunk_places`). Layouts: EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), Sony Wave64
1.3.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from soundalike.audio.chunk_places import chunk_places
from soundalike.audio.mpeg import end_of_tags

_MAX_CHUNKS = 1000


@dataclass(frozen=True)
class Chunk:
    """A chunk. size: bytes of its content that the file has; content: the beginning of it."""

    name: bytes
    size: int
    content: bytes


@dataclass(frozen=True)
class ChunkedFile:
    """form: "WAVE", "AIFF" or "AIFC"; order: of bytes, "<" or ">"; chunks: those asked for, in the order of the file."""

    form: str
    order: str
    chunks: tuple[Chunk, ...]

    def last(self, name: bytes) -> Chunk | None:
        """The last chunk of this name, None if there is none."""
        return next((chunk for chunk in reversed(self.chunks) if chunk.name == name), None)


def read_chunks(path: Path, limits: dict[bytes, int]) -> ChunkedFile | None:
    """The chunks of the file at `path` named in `limits`, up to so many bytes of each; None if it is no such file.

    Raises OSError if the file cannot be read.
    """
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        begin = end_of_tags(file)
        file.seek(begin)
        head = file.read(40)
        if head[8:12] == b"WAVE" and head[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX"):
            order = ">" if head[:4] == b"RIFX" else "<"
            found = _riff_chunks(file, begin + 12, order, limits)
            return ChunkedFile("WAVE", order, tuple(found))
        if head[8:12] in (b"AIFF", b"AIFC") and head[:4] == b"FORM":
            return ChunkedFile(head[8:12].decode(), ">", tuple(_riff_chunks(file, begin + 12, ">", limits)))
        if head[:4] == b"riff" and head[24:28] == b"wave":
            return ChunkedFile("WAVE", "<", tuple(_wave64_chunks(file, begin + 40, length, limits)))
    return None


def _riff_chunks(file: BinaryIO, place: int, order: str, limits: dict[bytes, int]) -> Iterator[Chunk]:
    for chunk in chunk_places(file, place, order):
        if chunk.name in limits:
            file.seek(chunk.begin)
            yield Chunk(chunk.name, chunk.size, file.read(min(chunk.size, limits[chunk.name])))


def _wave64_chunks(file: BinaryIO, place: int, length: int, limits: dict[bytes, int]) -> Iterator[Chunk]:
    """Chunks named by GUIDs, the first four bytes of which are the name in RIFF; sizes include the header of 24 bytes."""
    for _ in range(_MAX_CHUNKS):
        file.seek(place)
        head = file.read(24)
        if len(head) < 24:
            return
        name = b"LIST" if head[:4] == b"list" else head[:4]
        (whole,) = struct.unpack("<Q", head[16:])
        if whole < 24:
            return
        size = min(whole - 24, length - place - 24)
        if name in limits:
            yield Chunk(name, size, file.read(min(size, limits[name])))
        place += 24 + size + (-size) % 8
