"""What a decoder is given of a file: usually the file as it is, sometimes a corrected or shorter view of it.

Each container has its own known deviations:

- FLAC: a count of samples in the header that is 0 or does not agree with the last frame is replaced.
- Ogg: each link of a chained stream (joined files, recorded radio) is a source of its own.
- AIFF-C: compression types that libsndfile does not know but whose samples are plain integers are renamed.
- WAV, RF64, W64: integers that use only the lower bits of their container get a gain; MP3 inside WAV is decoded
  as MP3.
- WAV, RF64, BW64, AIFF, AU, CAF: headers that state no size or a wrong one are replaced.
- FLAC, Ogg, WAV, AIFF: bytes before the header, up to 256 KiB, are skipped.
- MP3: bytes before the first frame are skipped, impossible frame counts in its header are replaced, and files joined
  with their headers are a source each.
"""

from __future__ import annotations

import functools
import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

from soundalike.audio import data_size, flac_length, mpeg
from soundalike.audio.aiff import aiff_source
from soundalike.audio.byte_view import WHOLE_FILE, Source
from soundalike.audio.riff import riff_source

# The first page of a logical Ogg stream: version 0, the flag "beginning of stream" (RFC 3533, section 6).
_OGG_BEGINNING = re.compile(rb"OggS\x00[\x02\x03\x06\x07]", re.DOTALL)
_OGG_BLOCK = 1 << 22

_HEADERS = re.compile(
    rb"fLaC[\x00\x80]\x00\x00\x22|OggS\x00\x02|(?:RIFF|RIFX|RF64|BW64)....WAVE(?:fmt |ds64|JUNK|bext)|FORM....AIF[FC]",
    re.DOTALL,
)
_BYTES_BEFORE = 1 << 18  # in which the header of a container is looked for
_OGG_HEADER = 27
_MOST_WRONG_PAGES = 10_000  # first pages with a wrong checksum, each of which takes time to compute
_LONGEST_OGG_HEADER = _OGG_HEADER + 255


def sources(path: Path) -> tuple[Source, ...]:
    """The sources of the file at `path`, in the order of time; at least one. Remembered for the last few files."""
    status = path.stat()
    return _sources(path, status.st_size, status.st_mtime_ns, status.st_ino)


@functools.lru_cache(maxsize=64)
def _sources(path: Path, size: int, modified: int, inode: int) -> tuple[Source, ...]:
    with path.open("rb") as handle:
        begin = mpeg.end_of_tags(handle)
        found = _sources_at(handle, begin)
        if found is not None:
            return found
        handle.seek(begin)
        if mpeg.may_be_mpeg(handle.read(16)):
            return _mpeg_sources(handle, begin, size) or _sources_behind(handle, begin) or (WHOLE_FILE,)
    return (WHOLE_FILE,)


def _sources_at(handle: BinaryIO, begin: int) -> tuple[Source, ...] | None:
    """The sources of the container whose header is at byte `begin`; None if none of those that may need a correction is."""
    handle.seek(begin)
    head = handle.read(16)
    if head[:4] == b"fLaC":
        return (_flac_source(handle, begin),)
    if head[:4] == b"OggS":
        return _ogg_sources(handle)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return (aiff_source(handle, begin),)
    if head[:4] == b"riff" or (head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE"):
        return (riff_source(handle, begin) or WHOLE_FILE,)
    if head[:4] in (b".snd", b"caff"):
        return (data_size.source(handle, begin),)
    return None


def _sources_behind(handle: BinaryIO, begin: int) -> tuple[Source, ...] | None:
    """The sources of a container behind other bytes, such as a MacBinary header or the headers of a web stream."""
    handle.seek(begin)
    match = _HEADERS.search(handle.read(_BYTES_BEFORE))
    found = None if match is None else _sources_at(handle, begin + match.start())
    if match is None or found != (WHOLE_FILE,):
        return found
    return (Source(((begin + match.start(), handle.seek(0, os.SEEK_END)),)),)


def _mpeg_sources(handle: BinaryIO, begin: int, size: int) -> tuple[Source, ...] | None:
    """One source for each stream with a header of its own, one for a file without any; None if there are no frames."""
    # A header that states the delay is worth more than the damaged frames that follow it.
    first = begin if mpeg.states_delay(handle, begin) else mpeg.first_frame(handle, begin)
    if first is None:  # libsndfile would count the bytes of tags as frames of a free format
        return (Source(((begin, size),)),) if begin > 0 and mpeg.is_free_format(handle) else None
    begins = mpeg.joined_streams(handle, first)
    ends = [*begins[1:], size]
    found = tuple(_mpeg_source(handle, *place) for place in zip(begins, ends, strict=True))
    return (WHOLE_FILE,) if found == (Source(((begin, size),)),) else found


def _mpeg_source(handle: BinaryIO, begin: int, end: int) -> Source:
    header = mpeg.xing_header(handle, begin)
    count = None if header is None else mpeg.frame_count(handle, header)
    if header is None or count is None or header.frames is None:
        return Source(((begin, end),))
    return Source(((begin, header.place), count.to_bytes(4, "big"), (header.place + 4, end)))


def _flac_source(handle: BinaryIO, begin: int) -> Source:
    info = flac_length.stream_info(handle, begin)
    if info is None:
        return WHOLE_FILE
    count = flac_length.last_sample(handle, info)
    if count is None or count == info.stated:
        return WHOLE_FILE
    return Source(flac_length.with_count(info, handle, count))


def _ogg_sources(handle: BinaryIO) -> tuple[Source, ...]:
    """One source for each link: a link begins at a first page that does not follow another first page."""
    size = handle.seek(0, os.SEEK_END)
    begins: list[int] = []
    previous_end = -1
    for place, end in _ogg_beginnings(handle, size):
        if place != previous_end:
            begins.append(place)
        previous_end = end
    if begins in ([], [0]):
        return (WHOLE_FILE,)
    ends = [*begins[1:], size]
    return tuple(Source(((begin, end),)) for begin, end in zip(begins, ends, strict=True))


def _ogg_beginnings(handle: BinaryIO, size: int) -> list[tuple[int, int]]:
    """(begin, end) of all first pages whose checksum is right."""
    result = []
    wrong = 0
    for first in range(0, size, _OGG_BLOCK):
        handle.seek(first)
        block = handle.read(_OGG_BLOCK + len(b"OggS\0\2") - 1)
        for match in _OGG_BEGINNING.finditer(block):
            place = first + match.start()
            handle.seek(place)
            page = handle.read(_LONGEST_OGG_HEADER)
            body = _OGG_HEADER + page[26] if len(page) >= _OGG_HEADER else 0
            page += handle.read(max(0, body + sum(page[_OGG_HEADER:body]) - len(page)))
            end = body + sum(page[_OGG_HEADER:body])
            if body and len(page) >= end and ogg_checksum(page[:22] + bytes(4) + page[26:end]) == page[22:26]:
                result.append((place, place + end))
                continue
            wrong += 1
            if wrong > _MOST_WRONG_PAGES:
                return result
    return result


def ogg_checksum(page: bytes) -> bytes:
    """The 4 bytes of the checksum of an Ogg page whose own checksum is set to zeros."""
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ _OGG_CRC[value >> 24 ^ byte]
    return struct.pack("<I", value)


def _ogg_crc_table() -> list[int]:
    table = []
    for index in range(256):
        value = index << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return table


_OGG_CRC = _ogg_crc_table()
