"""The chunks of RIFF and IFF files: wav (RIFF, RIFX, RF64, BW64), Wave64 and aiff.

Writers that omit the pad byte after a chunk of odd size are common: the next chunk is looked for at both places. Sizes are
bounded by the length of the file, whatever the headers state. Layouts: EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64),
Sony Wave64 1.3.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_CHUNKS = 1000
_UNKNOWN_SIZE = 0xFFFFFFFF  # stated in RF64 where the size is in `ds64`, and by programs that write to a pipe
_KNOWN_NAMES = frozenset(
    (
        *(
            b"fmt ",
            b"data",
            b"fact",
            b"LIST",
            b"acid",
            b"smpl",
            b"inst",
            b"cue ",
            b"plst",
            b"bext",
            b"iXML",
            b"id3 ",
            b"ID3 ",
        ),
        *(
            b"JUNK",
            b"junk",
            b"PAD ",
            b"FLLR",
            b"CSET",
            b"_PMX",
            b"chna",
            b"axml",
            b"PEAK",
            b"cart",
            b"strc",
            b"LGWV",
            b"ResU",
        ),
        *(
            b"COMM",
            b"SSND",
            b"basc",
            b"trns",
            b"cate",
            b"MARK",
            b"INST",
            b"NAME",
            b"AUTH",
            b"(c) ",
            b"ANNO",
            b"APPL",
            b"COMT",
        ),
    )
)


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
        head = file.read(40)
        if head[8:12] == b"WAVE" and head[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX"):
            order = ">" if head[:4] == b"RIFX" else "<"
            found = _riff_chunks(file, 12, length, order, limits)
            return ChunkedFile("WAVE", order, tuple(found))
        if head[8:12] in (b"AIFF", b"AIFC") and head[:4] == b"FORM":
            return ChunkedFile(head[8:12].decode(), ">", tuple(_riff_chunks(file, 12, length, ">", limits)))
        if head[:4] == b"riff" and head[24:28] == b"wave":
            return ChunkedFile("WAVE", "<", tuple(_wave64_chunks(file, length, limits)))
    return None


def _riff_chunks(file: BinaryIO, place: int, length: int, order: str, limits: dict[bytes, int]) -> Iterator[Chunk]:
    large: dict[bytes, int] = {}  # the sizes that do not fit in 32 bits
    for _ in range(_MAX_CHUNKS):
        header = _header(file, place, order)
        if header is None:
            return
        name, size = header
        content = place + 8
        if name == b"ds64":
            large = _large_sizes(file.read(min(size, 1 << 16)))
        if size == _UNKNOWN_SIZE:
            size = large.get(name, size)
        size = min(size, length - content)
        if name in limits:
            file.seek(content)
            yield Chunk(name, size, file.read(min(size, limits[name])))
        place = content + size + (size % 2 and _pad_byte(file, content + size, length, order))


def _header(file: BinaryIO, place: int, order: str) -> tuple[bytes, int] | None:
    file.seek(place)
    head = file.read(8)
    return (head[:4], struct.unpack(order + "I", head[4:])[0]) if len(head) == 8 else None


def _pad_byte(file: BinaryIO, end: int, length: int, order: str) -> int:
    """1 if a chunk of odd size that ends at `end` is followed by a pad byte, as it should be, else 0."""
    headers = [_header(file, end + pad, order) for pad in (0, 1)]
    known = [header is not None and header[0] in _KNOWN_NAMES for header in headers]
    if known[0] != known[1]:
        return int(known[1])
    plausible = [
        header is not None
        and all(32 <= byte < 127 for byte in header[0])
        and (end + pad + 8 + header[1] <= length or header[1] == _UNKNOWN_SIZE)
        for pad, header in enumerate(headers)
    ]
    return 0 if plausible == [True, False] else 1


def _large_sizes(content: bytes) -> dict[bytes, int]:
    """The sizes in a `ds64` chunk: of `data`, and of the chunks in its table."""
    if len(content) < 16:
        return {}
    sizes = {b"data": struct.unpack_from("<Q", content, 8)[0]}
    count = struct.unpack_from("<I", content, 24)[0] if len(content) >= 28 else 0
    for entry in range(min(count, (len(content) - 28) // 12)):
        name, size = struct.unpack_from("<4sQ", content, 28 + 12 * entry)
        sizes[name] = size
    return sizes


def _wave64_chunks(file: BinaryIO, length: int, limits: dict[bytes, int]) -> Iterator[Chunk]:
    """Chunks named by GUIDs, the first four bytes of which are the name in RIFF; sizes include the header of 24 bytes."""
    place = 40
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
