"""Deviations of WAV, RF64, BW64 and W64 files that libsndfile and FFmpeg do not handle.

Integers with fewer valid bits than their container has are stored in the upper bits (WAVE_FORMAT_EXTENSIBLE), but some
programs store them in the lower ones, which decodes to a level 6 dB lower for each missing bit: 48 dB for 24 in 32.
MP3 inside WAV is decoded from the first frame on, because FFmpeg's WAV demuxer ignores the encoder's delay.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from soundalike.audio import mpeg
from soundalike.audio.byte_view import Source

_PCM, _EXTENSIBLE, _MPEG, _MP3 = 0x1, 0xFFFE, 0x50, 0x55
_W64_CHUNK = 24  # bytes of a chunk's header: a GUID that begins with the name, and a size that includes the header
_DATA_STEP = 3 << 20  # bytes, a multiple of every width


@dataclass(frozen=True)
class _Format:
    """The fmt chunk: `width` is the size of a sample in bytes, `valid` its stated bits."""

    code: int
    width: int
    valid: int


def riff_source(handle: BinaryIO, begin: int) -> Source | None:
    """What to decode of the file whose RIFF header is at byte `begin`; None if the file needs no correction."""
    size = handle.seek(0, os.SEEK_END)
    form: _Format | None = None
    stated: int | None = None
    for name, place, length in _chunks(handle, begin, size):
        if name == b"fmt ":
            handle.seek(place)
            form = _format(handle.read(min(length, 40)))
            if form is None or not (form.code in (_MPEG, _MP3) or 0 < form.valid < 8 * form.width):
                return None
        elif name == b"fact" and length >= 4:
            handle.seek(place)
            stated = int.from_bytes(handle.read(4), "little")
        elif name == b"data" and form is not None:
            end = min(place + length, size)
            if form.code in (_MPEG, _MP3):
                return _mpeg_source(handle, place, end, stated)
            return _integer_source(handle, place, end, form)
    return None


def _chunks(handle: BinaryIO, begin: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, first byte, bytes) of the chunks up to "data"; -1 as a size (RF64, streams) extends to the end."""
    handle.seek(begin)
    w64 = handle.read(4) == b"riff"
    place = begin + (40 if w64 else 12)
    header = _W64_CHUNK if w64 else 8
    while place + header <= size:
        handle.seek(place)
        head = handle.read(header)
        name = head[:4]
        length = int.from_bytes(head[16:24], "little") - header if w64 else int.from_bytes(head[4:8], "little")
        if length < 0:
            return
        if name == b"data" and not w64 and length == 0xFFFFFFFF:
            length = size - place - header
        yield name, place + header, length
        if name == b"data":
            return
        place += header + length + (-length % 8 if w64 else length % 2)


def _format(chunk: bytes) -> _Format | None:
    if len(chunk) < 16:
        return None
    code, channels, _, _, block, bits = struct.unpack("<HHIIHH", chunk[:16])
    if code in (_MPEG, _MP3):
        return _Format(code, 0, 0)
    if channels == 0:
        return None
    if code == _EXTENSIBLE and len(chunk) >= 26:
        code, bits = struct.unpack("<H", chunk[24:26])[0], struct.unpack("<H", chunk[18:20])[0]
    width = block // channels
    return _Format(code, width, bits) if code == _PCM and width in (2, 3, 4) else None


def _integer_source(handle: BinaryIO, begin: int, end: int, form: _Format) -> Source | None:
    """A gain if the samples use the lower bits only: none exceeds the valid bits, and the bits below are used."""
    unused = 8 * form.width - form.valid
    limit = 1 << form.valid - 1
    uses_low_bits = False
    handle.seek(begin)
    for first in range(begin, end, _DATA_STEP):
        values = _integers(handle.read(min(_DATA_STEP, end - first)), form.width)
        if values.size and (int(values.max()) >= limit or int(values.min()) < -limit):
            return None
        uses_low_bits = uses_low_bits or bool((values & (1 << unused) - 1).any())
    return Source(gain=float(1 << unused)) if uses_low_bits else None


def _integers(content: bytes, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Little-endian integers of 2, 3 or 4 bytes; an incomplete one at the end is dropped."""
    content = content[: len(content) // width * width]
    if width != 3:
        return np.frombuffer(content, f"<i{width}").astype(np.int32)
    padded = np.zeros((len(content) // 3, 4), dtype=np.uint8)
    padded[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
    return padded.view("<i4")[:, 0] >> 8


def _mpeg_source(handle: BinaryIO, begin: int, end: int, stated: int | None) -> Source:
    """The stream from its first frame on; without a header that states the delay, LAME's is dropped.

    The fact chunk states the length: some programs include the delay in it, which shows if the length and the delay
    together are more than the frames hold.
    """
    first = mpeg.first_frame(handle, begin, end)
    if first is None:
        return Source(((begin, end),))
    if mpeg.states_delay(handle, first):
        return Source(((first, end),))
    total = mpeg.count_samples(handle, first, end)
    skip = min(mpeg.DELAY, total)
    length = total - skip
    if stated:
        length = stated if stated + skip <= total else min(length, max(0, stated - skip))
    return Source(((first, end),), skip, length)
