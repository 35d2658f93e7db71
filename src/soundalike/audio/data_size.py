"""AU and CAF files that state no size of their samples, or an impossible one: they extend to the end of the file.

Formats: Sun/NeXT audio (`.snd`), Apple Core Audio Format 1.0. Both have a number that stands for an unknown size, which is
put in place of 0 and of what exceeds the file.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from soundalike.audio.byte_view import WHOLE_FILE, Source

_MAX_CHUNKS = 1000
_CAF_EDITS = 4  # bytes before the samples in a data chunk: the count of edits


def source(handle: BinaryIO, begin: int) -> Source:
    """What to decode of the AU or CAF file whose header is at byte `begin`."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(begin)
    found = _au_size(handle, begin, size) if handle.read(4) == b".snd" else _caf_size(handle, begin, size)
    if found is None:
        return Source(((begin, size),)) if begin else WHOLE_FILE
    place, width = found
    return Source(((begin, place), b"\xff" * width, (place + width, size)))


def _au_size(handle: BinaryIO, begin: int, size: int) -> tuple[int, int] | None:
    """The place and width of the size, if it is 0 or impossible."""
    handle.seek(begin + 4)
    head = handle.read(8)
    if len(head) < 8:
        return None
    offset, length = struct.unpack(">II", head)
    return None if 0 < length <= size - begin - offset else (begin + 8, 4)


def _caf_size(handle: BinaryIO, begin: int, size: int) -> tuple[int, int] | None:
    """The place and width of the size of the data chunk, if it is impossible."""
    place = begin + 8
    for _ in range(_MAX_CHUNKS):
        handle.seek(place)
        head = handle.read(12)
        if len(head) < 12:
            return None
        (length,) = struct.unpack(">q", head[4:])
        place += 12
        if head[:4] == b"data":
            possible = length == -1 or _CAF_EDITS < length <= size - place
            return None if possible else (place - 8, 8)
        if not 0 <= length <= size - place:
            return None
        place += length
    return None
