"""Tags before and behind the audio of a file: ID3v2 and APEv2, of which a file may have several that disagree.

Later tags win, as the ID3v2.4 specification has it for updates: those at the end over those at the beginning, and of these the
last over the first. ID3v1 is no such tag: its texts are cut, so that it only fills what all others lack. Layouts: ID3v2.4
structure, sections 3 and 5; APEv2 of the Hydrogenaudio wiki.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from soundalike.audio.metadata.id3 import HEADER as _HEADER

_MAX_TAGS = 16
_MAX_BYTES = 1 << 24  # of a tag that are read
_MAX_PADDING = 1 << 16  # zeros between tags
_ID3V1, _ENHANCED = 128, 227
_APE_FOOTER = 32
_MAX_ITEMS = 1000


@dataclass(frozen=True)
class AttachedTags:
    """The tags around the audio of a file, in the order of the file; those that start with ID3 are ID3v2, others APEv2.

    start: where the audio begins; id3v1: the last 128 bytes if they are an ID3v1 tag.
    """

    leading: tuple[bytes, ...]
    trailing: tuple[bytes, ...]
    start: int
    id3v1: bytes | None


def read_attached_tags(file: BinaryIO) -> AttachedTags:
    """The tags before and behind the audio of an open file. Raises OSError if it cannot be read."""
    length = os.fstat(file.fileno()).st_size
    leading, start = _leading(file, length)
    id3v1 = _at(file, length - _ID3V1, _ID3V1)
    end = length
    if id3v1[:3] == b"TAG":
        end -= _ID3V1
        if _at(file, end - _ENHANCED, 4) == b"TAG+":
            end -= _ENHANCED
    trailing: list[bytes] = []
    while len(trailing) < _MAX_TAGS:
        tag = _ends_with(file, start, end)
        if tag is None:
            break
        content, end = tag
        trailing.insert(0, content)
    return AttachedTags(tuple(leading), tuple(trailing), start, id3v1 if id3v1[:3] == b"TAG" else None)


def ape_texts(tag: bytes) -> Iterator[tuple[str, str]]:
    """(name in lower case, text) of each item of an APEv2 tag, without its header; of several values the first."""
    place = 0
    for _ in range(_MAX_ITEMS):
        if place + 8 > len(tag):
            return
        size, flags = struct.unpack_from("<II", tag, place)
        end_of_name = tag.find(b"\0", place + 8, place + 8 + 256)
        if end_of_name < 0:
            return
        name = tag[place + 8 : end_of_name].decode("latin-1").lower()
        place = end_of_name + 1 + size
        if flags & 6 == 0:  # text in UTF-8
            yield name, tag[end_of_name + 1 : place].split(b"\0", 1)[0].decode("utf-8", "replace")


def trailing_id3(file: BinaryIO, place: int) -> bytes | None:
    """The ID3v2 tag at byte `place`, behind the chunks of a WAV or AIFF file, None if there is none."""
    header = _at(file, place, _HEADER)
    size = _id3_size(header, b"ID3")
    return None if size is None else _at(file, place, min(_HEADER + size, _MAX_BYTES))


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    if place < 0:
        return b""
    file.seek(place)
    return file.read(size)


def _leading(file: BinaryIO, length: int) -> tuple[list[bytes], int]:
    """The ID3v2 tags at the beginning, and where what follows them starts."""
    tags: list[bytes] = []
    start = 0
    while len(tags) < _MAX_TAGS:
        padding = _at(file, start, _MAX_PADDING) if tags else b""
        place = start + len(padding) - len(padding.lstrip(b"\0"))
        header = _at(file, place, _HEADER)
        size = _id3_size(header, b"ID3")
        if size is None:
            break
        footer = _HEADER if header[5] & 0x10 else 0
        tags.append(_at(file, place, min(_HEADER + size, _MAX_BYTES)))
        start = min(place + _HEADER + size + footer, length)
    return tags, start


def _id3_size(header: bytes, magic: bytes) -> int | None:
    """The size that an ID3v2 header or footer states, without either of them; None if it is none."""
    valid = len(header) == _HEADER and header[:3] == magic and header[3] < 0xFF and header[4] < 0xFF
    if not valid or any(byte > 0x7F for byte in header[6:]):
        return None
    return header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]


def _ends_with(file: BinaryIO, start: int, end: int) -> tuple[bytes, int] | None:
    """The tag that ends at `end`, and where it begins; None if there is none behind `start`."""
    size = _id3_size(_at(file, end - _HEADER, _HEADER), b"3DI")
    if size is not None:
        begin = end - size - 2 * _HEADER
        if begin >= start and _at(file, begin, 3) == b"ID3":
            return _at(file, begin, min(_HEADER + size, _MAX_BYTES)), begin
    footer = _at(file, end - _APE_FOOTER, _APE_FOOTER)
    if footer[:8] != b"APETAGEX" or len(footer) < _APE_FOOTER:
        return None
    size, _, flags = struct.unpack_from("<III", footer, 12)
    begin = end - size
    if size < _APE_FOOTER or begin < start:
        return None
    content = _at(file, begin, min(size - _APE_FOOTER, _MAX_BYTES))
    has_header = bool(flags & 0x80000000) and begin - _APE_FOOTER >= start
    return content, begin - (_APE_FOOTER if has_header else 0)
