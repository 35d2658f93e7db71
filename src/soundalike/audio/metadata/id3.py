"""The frames of an ID3v2 tag, versions 2.2 to 2.4: texts and general objects.

Allowed for is what many readers miss: unsynchronisation (a zero after each FF, which cuts through the byte order mark of
UTF-16), extended headers, data length indicators, and the sizes of 8 bits that some programs write into version 2.4.
Formats: ID3v2.2, ID3v2.3 and ID3v2.4 (id3.org).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = 10
"""Bytes of the header of a tag; as many as of its footer."""

_MAX_FRAMES = 1000
_MAX_FRAME = 1 << 20  # bytes of a compressed frame
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40  # flags of the tag
_LENGTH_3, _ENCRYPTED_3, _GROUPED_3 = 0x80, 0x40, 0x20  # flags of a frame of version 2.3; the first: compressed
_GROUPED, _COMPRESSED, _ENCRYPTED, _UNSYNCHRONISED_FRAME, _LENGTH = 0x40, 0x08, 0x04, 0x02, 0x01
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_WIDE = (1, 2)  # encodings whose terminator has two bytes
_LANGUAGE = 3  # bytes, of a comment
_TEXTS = {"TP1": "artist", "TT2": "title", "TAL": "album", "TBP": "bpm", "TKE": "key"}  # version 2.2
_TEXTS |= {"TPE1": "artist", "TIT2": "title", "TALB": "album", "TBPM": "bpm", "TKEY": "key"}


@dataclass(frozen=True)
class _Frame:
    name: str
    content: bytes


def texts(tag: bytes) -> Iterator[tuple[str, str]]:
    """(name, text) of each text of a tag: artist, title, album, bpm, key and comment; of a text that a user defined (TXXX) its
    description in lower case. Latin-1 is not decoded further, see `text_encodings.repair_text`."""
    for frame in _frames(tag):
        if frame.name in ("TXX", "TXXX"):
            fields = _decoded(frame.content)
            if (name := fields[0].lower()) not in ("artist", "title", "album"):
                yield from ((name, text) for text in fields[1:])
        elif frame.name in ("COM", "COMM") and len(frame.content) > _LANGUAGE:
            fields = _decoded(frame.content[:1] + frame.content[1 + _LANGUAGE :])
            yield from (("comment", text) for text in fields[1:])
        elif frame.name in _TEXTS:
            yield from ((_TEXTS[frame.name], text) for text in _decoded(frame.content))


def objects(tag: bytes) -> Iterator[tuple[str, str]]:
    """(description in lower case, text) of each general object (GEOB)."""
    for frame in _frames(tag):
        content = frame.content
        if frame.name not in ("GEO", "GEOB") or not content:
            continue
        end = b"\0\0" if content[0] in _WIDE else b"\0"
        mime_end = content.find(b"\0", 1)
        fields = content[mime_end + 1 :].split(end, 2) if mime_end > 0 else []
        if len(fields) == 3:
            description = fields[1].replace(b"\0", b"").lstrip(b"\xff\xfe").decode("latin-1")
            yield description.lower(), fields[2].strip(b"\0").decode("latin-1")


def _decoded(content: bytes) -> list[str]:
    """The texts of a frame, of which the first byte states the encoding; empty ones are kept."""
    if not content:
        return [""]
    encoding = _ENCODINGS[content[0]] if content[0] < len(_ENCODINGS) else "latin-1"
    body = content[1:]
    if content[0] in _WIDE:
        body += bytes(len(body) % 2)
    text = body.decode(encoding, "replace").rstrip("\0")
    return [one.removeprefix("\ufeff").removeprefix("\ufffe") for one in text.split("\0")]


def _frames(tag: bytes) -> Iterator[_Frame]:
    """The frames of a tag, a damaged one up to the damage."""
    if tag[:3] != b"ID3" or len(tag) < HEADER or tag[3] not in (2, 3, 4):
        return
    version, flags, content = tag[3], tag[5], tag[HEADER:]
    if version < 4 and flags & _UNSYNCHRONISED:
        content = _synchronised(content)
    place = _extended_size(content, version) if version > 2 and flags & _EXTENDED else 0
    head = 6 if version == 2 else 10
    for _ in range(_MAX_FRAMES):
        name = content[place : place + (3 if version == 2 else 4)]
        if place + head > len(content) or not name.isalnum():
            return
        size = _frame_size(content, place, version)
        frame_flags = content[place + 9] if version > 2 else 0
        if version == 4 and flags & _UNSYNCHRONISED:  # of all frames, whatever they state themselves
            frame_flags |= _UNSYNCHRONISED_FRAME
        body = _body(content[place + head : place + head + size], version, frame_flags)
        if body is not None:
            yield _Frame(name.decode("latin-1"), body)
        place += head + size


def _frame_size(content: bytes, place: int, version: int) -> int:
    """The bytes of the frame at `place` without its header; in version 2.4 with 7 bits a byte, unless only 8 bits lead to
    another frame or to the end."""
    if version == 2:
        return int.from_bytes(content[place + 3 : place + 6], "big")
    field = content[place + 4 : place + 8]
    plain = int.from_bytes(field, "big")
    if version == 3:
        return plain
    seven = field[0] << 21 | field[1] << 14 | field[2] << 7 | field[3]
    fits = (_may_follow(content, place + 10 + seven), _may_follow(content, place + 10 + plain))
    return plain if max(field) > 0x7F or fits == (False, True) else seven


def _may_follow(content: bytes, place: int) -> bool:
    """Whether a frame, the padding or the end of the tag may be at `place`."""
    name = content[place : place + 4]
    return place <= len(content) and (not name.strip(b"\0") or (len(name) == 4 and name.isalnum() and name.isupper()))


def _extended_size(content: bytes, version: int) -> int:
    field = content[:4]
    if len(field) < 4:
        return len(content)
    if version == 3:
        return int.from_bytes(field, "big") + 4
    return field[0] << 21 | field[1] << 14 | field[2] << 7 | field[3]


def _body(content: bytes, version: int, flags: int) -> bytes | None:
    """The content of a frame without what its flags add to it; None if it is encrypted or damaged."""
    skipped, compressed = 0, False
    if version == 3:
        compressed = bool(flags & _LENGTH_3)
        skipped = 4 * compressed + bool(flags & _GROUPED_3)
        encrypted = bool(flags & _ENCRYPTED_3)
    else:
        compressed = bool(flags & _COMPRESSED)
        skipped = 4 * bool(flags & _LENGTH) + bool(flags & _GROUPED)
        encrypted = bool(flags & _ENCRYPTED)
        if flags & _UNSYNCHRONISED_FRAME:
            content = _synchronised(content)
    if encrypted:
        return None
    content = content[skipped:]
    if not compressed:
        return content
    try:
        return zlib.decompressobj().decompress(content, _MAX_FRAME)
    except zlib.error:
        return None


def _synchronised(content: bytes) -> bytes:
    return content.replace(b"\xff\x00", b"\xff")
