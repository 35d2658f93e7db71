"""Cue sheets inside audio files: the tag CUESHEET and the block of this name in FLAC.

The tag holds the text of a sheet (foobar2000, EAC, Mp3tag): in Vorbis comments, APEv2, ID3v2 (TXXX) and the free-form atoms of
MP4. The block holds the places of the tracks without texts (RFC 9639, section 8.7); it counts where there is no tag.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tinytag import TinyTag, TinyTagException

from soundalike.audio.cue_sheet import LARGEST, Track, read_cue_sheet
from soundalike.audio.metadata import id3
from soundalike.audio.metadata.attached_tags import ape_texts, read_attached_tags

SUFFIXES = frozenset(
    (".flac", ".ape", ".wv", ".tak", ".tta", ".mpc", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".mp4")
)
"""Suffixes of files in which a sheet is looked for."""

SMALLEST = 1 << 20
"""Bytes of the smallest of these files: an album is larger."""

_NAME = "cuesheet"
_COMMENTS, _CUE_SHEET, _LAST = 4, 5, 0x80  # types of FLAC's metadata blocks, and the mark of the last one
_MAX_BLOCKS = 1000
_CUE_HEADER, _CUE_TRACK, _CUE_INDEX = 396, 36, 12  # bytes
_LEAD_OUT = (170, 255)  # track numbers, of a CD and of other sheets
_NOT_AUDIO = 0x80


def embedded_tracks(path: Path) -> tuple[Track, ...]:
    """The tracks into which a sheet inside the file at `path` divides it; none without a sheet, with a damaged one, or with one
    that lists a single track or several files. Raises OSError if the file cannot be read."""
    with path.open("rb") as file:
        for sheet in _sheets(file, path):
            try:
                files = read_cue_sheet(sheet[:LARGEST])
            except ValueError:
                continue
            return files[0].tracks if len(files) == 1 and len(files[0].tracks) > 1 else ()
        tracks = _flac_tracks(file)
    return tracks if len(tracks) > 1 else ()


def _sheets(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """The texts of the tags called CUESHEET."""
    tags = read_attached_tags(file)
    for tag in reversed((*tags.leading, *tags.trailing)):
        texts = id3.texts(tag) if tag[:3] == b"ID3" else ape_texts(tag)
        yield from (text.encode() for name, text in texts if name == _NAME)
    for kind, content in _flac_blocks(file, tags.start):
        if kind == _COMMENTS:
            yield from _comments(content)
    file.seek(tags.start)
    head = file.read(8)
    if head[:4] == b"OggS" or head[4:] == b"ftyp":
        file.seek(0)
        try:
            found = TinyTag.get(filename=path, file_obj=file, duration=False)
        except TinyTagException:
            return
        yield from (str(text).encode() for text in found.other.get(_NAME) or ())


def _flac_blocks(file: BinaryIO, begin: int) -> Iterator[tuple[int, bytes]]:
    """(type, content) of the metadata blocks of a FLAC stream at byte `begin`, without those of other types than are used
    here."""
    file.seek(begin)
    if file.read(4) != b"fLaC":
        return
    place = begin + 4
    for _ in range(_MAX_BLOCKS):
        file.seek(place)
        head = file.read(4)
        if len(head) < 4:
            return
        kind, size = head[0] & ~_LAST, int.from_bytes(head[1:], "big")
        if kind in (_COMMENTS, _CUE_SHEET) or place == begin + 4:
            yield kind, file.read(size)
        if head[0] & _LAST:
            return
        place += 4 + size


def _comments(content: bytes) -> Iterator[bytes]:
    """The values of the comments called CUESHEET in a Vorbis comment block."""
    place = 4 + int.from_bytes(content[:4], "little")
    while place + 8 <= len(content) + 4:
        place += 4
        size = int.from_bytes(content[place : place + 4], "little") if place + 4 <= len(content) else 0
        name, mark, value = content[place + 4 : place + 4 + size].partition(b"=")
        if mark and name.lower() == _NAME.encode():
            yield value
        place += size


def _flac_tracks(file: BinaryIO) -> tuple[Track, ...]:
    """The audio tracks of the first CUESHEET block of a FLAC file."""
    file.seek(0)
    rate = 0
    for kind, content in _flac_blocks(file, read_attached_tags(file).start):
        if kind == 0 and len(content) >= 34:
            rate = int.from_bytes(content[10:13], "big") >> 4
        if kind == _CUE_SHEET and rate and len(content) > _CUE_HEADER:
            return _block_tracks(content, rate)
    return ()


def _block_tracks(content: bytes, rate: int) -> tuple[Track, ...]:
    """The tracks of a block; none if they are not in order."""
    found: list[tuple[int, bool, int]] = []  # number, whether it is audio, first sample
    place = _CUE_HEADER
    for _ in range(content[_CUE_HEADER - 1]):
        if place + _CUE_TRACK > len(content):
            return ()
        offset, number = struct.unpack_from(">QB", content, place)
        flags, indices = content[place + 21], content[place + _CUE_TRACK - 1]
        place += _CUE_TRACK
        starts = {
            content[place + _CUE_INDEX * index + 8]: struct.unpack_from(">Q", content, place + _CUE_INDEX * index)[0]
            for index in range(indices)
            if place + _CUE_INDEX * (index + 1) <= len(content)
        }
        place += _CUE_INDEX * indices
        found.append((number, not flags & _NOT_AUDIO and number not in _LEAD_OUT, offset + starts.get(1, 0)))
    ends = [start for _, _, start in found[1:]]
    if any(end <= start for (_, _, start), end in zip(found, ends, strict=False)):
        return ()
    return tuple(
        Track(
            number,
            start / rate,
            ends[place] / rate if place + 1 < len(found) and found[place + 1][0] not in _LEAD_OUT else None,
        )
        for place, (number, is_audio, start) in enumerate(found)
        if is_audio
    )
