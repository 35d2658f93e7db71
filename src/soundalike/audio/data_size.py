"""AU and CAF files that state no size of their samples, or a wrong one: they extend to the end of the file.

Formats: Sun/NeXT audio (`.snd`), Apple Core Audio Format 1.0. Both have a number that stands for an unknown size, which is
put in place of 0 and of what exceeds the file; in AU, which has nothing behind the samples, also of what is much less. Of CAF
with fewer bits than its containers have, such as 24 in 32, which the decoders read as packed, the bits are restated: they are
taken for the upper ones.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from soundalike.audio.byte_view import WHOLE_FILE, Piece, Source

_Change = tuple[int, bytes]
"""A place in the file, and what to read there."""

_MAX_CHUNKS = 1000
_LEAST_CUT = 1 << 16  # bytes behind the samples of AU from which they are samples too
_CAF_DESCRIPTION = 52  # bytes up to the end of the desc chunk, which is the first
_CAF_FLOAT = 1  # flag of the format
_CAF_EDITS = 4  # bytes before the samples in a data chunk: the count of edits


def source(handle: BinaryIO, begin: int) -> Source:
    """What to decode of the AU or CAF file whose header is at byte `begin`."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(begin)
    if handle.read(4) == b".snd":
        changes = [_au_size(handle, begin, size)]
    else:
        changes = [_caf_bits(handle, begin), _caf_size(handle, begin, size)]
    pieces: list[Piece] = []
    place = begin
    for change in changes:
        if change is not None:
            pieces += [(place, change[0]), change[1]]
            place = change[0] + len(change[1])
    if not pieces and not begin:
        return WHOLE_FILE
    return Source((*pieces, (place, size)))


def _au_size(handle: BinaryIO, begin: int, size: int) -> _Change | None:
    """The size, if it is 0, impossible or much too small."""
    handle.seek(begin + 4)
    head = handle.read(8)
    if len(head) < 8:
        return None
    offset, length = struct.unpack(">II", head)
    left = size - begin - offset
    is_right = 0 < length <= left and left - length <= max(_LEAST_CUT, left // 100)
    return None if is_right else (begin + 8, b"\xff" * 4)


def _caf_bits(handle: BinaryIO, begin: int) -> _Change | None:
    """The bits of a sample, if they do not fill its bytes."""
    handle.seek(begin)
    head = handle.read(_CAF_DESCRIPTION)
    if len(head) < _CAF_DESCRIPTION or head[8:12] != b"desc" or head[28:32] != b"lpcm":
        return None
    flags, packet, frames, channels, bits = struct.unpack(">5I", head[32:])
    width = packet // channels if frames == 1 and channels else 0
    if flags & _CAF_FLOAT or width not in (2, 3, 4) or not 8 * (width - 1) - 7 <= bits < 8 * width:
        return None
    return begin + _CAF_DESCRIPTION - 4, struct.pack(">I", 8 * width)


def _caf_size(handle: BinaryIO, begin: int, size: int) -> _Change | None:
    """The size of the data chunk, if it is impossible."""
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
            return None if possible else (place - 8, b"\xff" * 8)
        if not 0 <= length <= size - place:
            return None
        place += length
    return None
