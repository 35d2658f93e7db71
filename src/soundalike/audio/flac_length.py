"""The number of samples that a FLAC file really holds, from its last frames.

Recorders and encoders that write to a pipe leave the count in the header at 0, and a truncated or damaged file states
more than it holds. Every frame starts with its own position, so the end of the file shows the true count. Format:
RFC 9639, sections 8.2 (STREAMINFO) and 9.1 (frame header).
"""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from typing import BinaryIO

_STREAMINFO = 34  # bytes, after "fLaC" and the header of the metadata block
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_TAILS = (1 << 16, 1 << 20, 1 << 24)  # bytes searched from the end; a frame is at most 16 MiB long
_BLOCK_SIZES = {1: 192, **{code: 576 << code - 2 for code in range(2, 6)}, **{code: 1 << code for code in range(8, 16)}}


@dataclass(frozen=True)
class StreamInfo:
    """The header of a FLAC file: where it begins, the largest block in samples, and the stated count of samples."""

    begin: int
    largest_block: int
    stated: int


def stream_info(handle: BinaryIO, begin: int) -> StreamInfo | None:
    """The STREAMINFO of the FLAC stream that begins at byte `begin`; None if there is none."""
    handle.seek(begin)
    head = handle.read(8 + _STREAMINFO)
    if len(head) < 8 + _STREAMINFO or head[:4] != b"fLaC" or head[4] & 0x7F != 0:
        return None
    stated = (head[21] & 0x0F) << 32 | int.from_bytes(head[22:26], "big")
    return StreamInfo(begin, int.from_bytes(head[10:12], "big"), stated)


def last_sample(handle: BinaryIO, info: StreamInfo) -> int | None:
    """The position behind the last sample; None if the end of the file shows no two frames that follow each other."""
    size = handle.seek(0, os.SEEK_END)
    for tail in _TAILS:
        first = max(info.begin, size - tail)
        handle.seek(first)
        content = handle.read(size - first)
        places = (_frame(content, match.start(), info.largest_block) for match in _SYNC.finditer(content))
        frames = [frame for frame in places if frame is not None]
        for (position, length), (following, last) in reversed(list(itertools.pairwise(frames))):
            if position + length == following:
                return following + last
        if first == info.begin:
            return frames[0][1] if len(frames) == 1 and frames[0][0] == 0 else None
    return None


def with_count(info: StreamInfo, handle: BinaryIO, count: int) -> tuple[bytes | tuple[int, int], ...]:
    """The pieces (see `ByteView`) of the stream with `count` in its header, without what precedes it."""
    place = info.begin + 21
    handle.seek(place)
    upper = handle.read(1)[0] & 0xF0
    size = handle.seek(0, os.SEEK_END)
    return (
        (info.begin, place),
        bytes([upper | count >> 32 & 0x0F]) + (count & 0xFFFFFFFF).to_bytes(4, "big"),
        (place + 5, size),
    )


def _frame(content: bytes, place: int, largest_block: int) -> tuple[int, int] | None:
    """(first sample, samples) of the frame whose header is at `place`; None if there is no valid header."""
    head = content[place : place + 16]
    if len(head) < 6 or head[3] & 1 or head[3] >> 4 > 10 or head[2] & 0x0F == 15:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 0x0F
    coded = _coded_number(head[4:])
    if coded is None or size_code == 0:
        return None
    number, length = coded
    end = 4 + length
    samples = _BLOCK_SIZES.get(size_code, 0)
    if size_code in (6, 7):
        width = size_code - 5
        samples = int.from_bytes(head[end : end + width], "big") + 1
        end += width
    end += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if end >= len(head) or _crc8(head[:end]) != head[end]:
        return None
    variable = head[1] & 1
    return (number if variable else number * largest_block), samples


def _coded_number(content: bytes) -> tuple[int, int] | None:
    """(number, bytes) of a number coded as in UTF-8, up to 7 bytes; None if it is not valid."""
    lead = content[0]
    length = 1 if lead < 0x80 else 8 - (lead ^ 0xFF).bit_length()
    if lead >= 0x80 and (length < 2 or length > 7 or len(content) < length):
        return None
    number = lead if length == 1 else lead & 0x7F >> length
    for byte in content[1:length]:
        if byte & 0xC0 != 0x80:
            return None
        number = number << 6 | byte & 0x3F
    return number, length


def _crc8(content: bytes) -> int:
    value = 0
    for byte in content:
        value = _CRC8[value ^ byte]
    return value


def _crc8_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value << 1 ^ 0x07 if value & 0x80 else value << 1) & 0xFF
        table.append(value)
    return table


_CRC8 = _crc8_table()
