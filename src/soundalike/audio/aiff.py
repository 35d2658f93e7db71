"""Deviations of AIFF and AIFF-C files that libsndfile and FFmpeg do not handle.

Compression types that libsndfile does not know but whose samples are plain integers are renamed. Headers whose sizes are
wrong (see `chunk_places`) are corrected.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from soundalike.audio.byte_view import WHOLE_FILE, Piece, Source
from soundalike.audio.chunk_places import chunk_places

# AIFF-C compression types that stand for plain integers, little endian ("sowt") or big endian ("twos"). 42ni is
# written by Native Instruments' samplers.
_INTEGERS = {
    **dict.fromkeys((b"42ni", b"ni24", b"61ni", b"ni16", b"ni32"), b"sowt"),
    **dict.fromkeys((b"in16", b"lpcm", bytes(4)), b"twos"),
}

_KIND = 18  # the byte of a COMM chunk at which the compression type begins
_SSND_HEADER = 8  # bytes before the samples: offset and block size
_LARGEST = 0xFFFF_FFFF


def aiff_source(handle: BinaryIO, begin: int) -> Source:
    """What to decode of the file whose FORM header is at byte `begin`."""
    size = handle.seek(0, os.SEEK_END)
    handle.seek(begin)
    pieces: list[Piece] = [handle.read(12)]
    is_wrong = False
    for chunk in chunk_places(handle, begin + 12, ">"):
        handle.seek(chunk.begin - 8)
        head = handle.read(4) + min(chunk.size, _LARGEST).to_bytes(4, "big")
        content: list[Piece] = [(chunk.begin, chunk.begin + chunk.size)]
        if chunk.name == b"COMM" and chunk.size >= _KIND + 4:
            kind = _INTEGERS.get(handle.read(4 + _KIND + 4)[-4:].lower())
            if kind is not None:
                place = chunk.begin + _KIND
                content = [(chunk.begin, place), kind, (place + 4, chunk.begin + chunk.size)]
                is_wrong = True
        if chunk.name == b"SSND":
            if chunk.size <= _SSND_HEADER:
                return Source(length=0) if chunk.begin + chunk.size < size else WHOLE_FILE
            is_wrong = is_wrong or chunk.size > chunk.stated
        is_wrong = is_wrong or (chunk.lacks_pad and chunk.end < size)
        pieces += [head, *content, bytes(chunk.size % 2)]
    return Source(tuple(pieces)) if is_wrong else WHOLE_FILE
