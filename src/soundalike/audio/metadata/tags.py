"""Tags of a file: artist, title, album, tempo, key; and its loop chunk.

In wav files, ID3 chunks and INFO lists are read, in aiff files ID3 chunks and the text chunks. Where they disagree, ID3 wins,
which programs for DJs write and which has no limit of length, and the last of several; tags that some programs put behind the
chunks only fill gaps. Of several ID3v2 and APEv2 tags in another file, the later win, field by field (see `attached_tags`).
FFmpeg reads the tags of containers for videos, CAF and AU.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from tinytag import TinyTag, TinyTagException

from soundalike.audio.file_part import part_of_address
from soundalike.audio.metadata import id3
from soundalike.audio.metadata.attached_tags import ape_texts, read_attached_tags, trailing_id3
from soundalike.audio.metadata.chunks import Chunk, ChunkedFile, read_chunks
from soundalike.audio.metadata.keys import Key, find_key_in_comment, find_key_in_tag
from soundalike.audio.metadata.loop_chunks import LIMITS as _LOOP_LIMITS
from soundalike.audio.metadata.loop_chunks import LoopChunk, loop_chunk
from soundalike.audio.metadata.text_encodings import code_page_name, decode_text, repair_text

_NUMBER = re.compile(r"\d{1,4}(?:[.,]\d+)?")
_MAX_CHARACTERS = 500
_MAX_LIST = 1 << 20  # bytes of an INFO list that are read
_MAX_ID3 = 1 << 24
_LIMITS = {
    **_LOOP_LIMITS,
    b"LIST": _MAX_LIST,
    b"NAME": _MAX_LIST,
    b"AUTH": _MAX_LIST,
    b"CSET": 2,
    b"id3 ": _MAX_ID3,
    b"ID3 ": _MAX_ID3,
}
_TEXT_CHUNKS = {
    b"INAM": "title",
    b"TITL": "title",
    b"NAME": "title",
    b"IART": "artist",
    b"AUTH": "artist",
    b"IPRD": "album",
    b"IALB": "album",
    b"IBPM": "bpm",
    b"IKEY": "key",
}
_TEMPO_FIELDS = ("bpm", "tbpm", "tempo")
_KEY_FIELDS = ("initial_key", "initialkey", "initial key", "key", "musical key", "tonality")

_BY_FFMPEG = re.compile(rb"\x1a\x45\xdf\xa3|caff|\.snd|FLV|RIFF....AVI |....ftypqt  ", re.DOTALL)
"""First bytes of the files whose tags FFmpeg reads if nothing else does: Matroska, CAF, AU, FLV, AVI, QuickTime."""

_LEVELS = ("", "track/", "song/")  # of Matroska's tags that are about the piece itself
_FFMPEG_FIELDS = {
    "title": ("title",),
    "artist": ("artist",),
    "album": ("album",),
    "bpm": _TEMPO_FIELDS,
    "key": _KEY_FIELDS,
}
_FFMPEG_ALBUM_FIELDS = {"artist": ("album/artist", "album_artist"), "album": ("album/title",)}

_ID3_NAME = Path("id3.mp3")  # by which tinytag reads ID3 tags

_Field = tuple[str, str]
"""The name of a field (artist, title, album, bpm, key, comment) and its text."""


@dataclass(frozen=True)
class Tags:
    """The tags of a file; None for those that it lacks. tempo in BPM; key as in `keys`."""

    artist: str | None = None
    title: str | None = None
    album: str | None = None
    tempo: float | None = None
    key: str | None = None
    loop: LoopChunk | None = None


def read_tags(path: str | Path) -> Tags:
    """The tags of the file at `path`; all None if it has none, damaged ones or an unknown format.

    A stretch of a file (`file_part`) has its artist and album. A tempo outside 20..400 or a key that cannot be parsed is None.
    Of several values of a field, the first that can be used counts. Audio is not decoded.
    """
    part = part_of_address(Path(path))
    if part.is_excerpt:
        tags = read_tags(part.file)
        return Tags(artist=tags.artist, album=tags.album)
    path = part.file
    try:
        chunked = read_chunks(path, _LIMITS)
        with path.open("rb") as file:
            fields = list(_merged_fields(file, path) if chunked is None else _chunked_fields(file, chunked))
            if not fields and chunked is None:
                file.seek(0)
                if _BY_FFMPEG.match(file.read(12)):
                    fields = list(_container_fields(path))
    except OSError:
        return Tags()

    def texts(name: str) -> Iterator[str]:
        return (text for field, value in fields if field == name and (text := _text(value)) is not None)

    key = next(filter(None, map(find_key_in_tag, texts("key"))), None)
    key = key or next(filter(None, map(find_key_in_comment, texts("comment"))), None)
    if key is not None and key.mode is None:
        key = Key(key.root, "major")  # ID3v2: a root alone is major, minor is marked by an m
    return Tags(
        artist=next(texts("artist"), None),
        title=next(texts("title"), None),
        album=next(texts("album"), None),
        tempo=next(filter(None, map(_tempo, texts("bpm"))), None),
        key=str(key) if key else None,
        loop=None if chunked is None else loop_chunk(chunked),
    )


def _merged_fields(file: BinaryIO, path: Path) -> Iterator[_Field]:
    """The fields of all tags of a file, those that win first."""
    tags = read_attached_tags(file)
    flac = None
    if tags.leading:
        file.seek(tags.start)
        flac = file.read(_MAX_ID3) if file.read(4) == b"fLaC" else None
    for tag in reversed(tags.trailing):
        yield from _attached_fields(tag)
    if flac is not None:
        yield from _fields(BytesIO(b"fLaC" + flac), Path("a.flac"))
    for tag in reversed(tags.leading):
        yield from _attached_fields(tag)
    yield from _fields(file, path)
    if tags.id3v1 is not None:
        yield from _fields(BytesIO(tags.id3v1), _ID3_NAME)
    for tag in reversed((*tags.leading, *tags.trailing)):
        yield from _object_fields(tag)


def _container_fields(path: Path) -> Iterator[_Field]:
    from soundalike.audio import ffmpeg

    texts = dict(reversed(ffmpeg.texts(path)))
    for field, names in _FFMPEG_FIELDS.items():
        wanted = [level + name for level in _LEVELS for name in names] + list(_FFMPEG_ALBUM_FIELDS.get(field, ()))
        yield from ((field, texts[name]) for name in wanted if name in texts)


def _object_fields(tag: bytes) -> Iterator[_Field]:
    yield from (("key", text) for description, text in id3.objects(tag) if description == "key")


def _attached_fields(tag: bytes) -> Iterator[_Field]:
    for name, text in id3.texts(tag) if tag[:3] == b"ID3" else ape_texts(tag):
        if name in ("artist", "title", "album", "comment"):
            yield name, text
        elif name in _TEMPO_FIELDS:
            yield "bpm", text
        elif name in _KEY_FIELDS:
            yield "key", text


def _chunked_fields(file: BinaryIO, chunked: ChunkedFile) -> Iterator[_Field]:
    """The fields of the chunks of a WAV or AIFF file, then those of tags around them."""
    yield from _chunk_fields(chunked)
    tags = read_attached_tags(file)
    file.seek(tags.start)
    end = tags.start + 8 + int.from_bytes(file.read(8)[4:], "big" if chunked.order == ">" else "little")
    behind = [tag for place in (end, end + 1) if (tag := trailing_id3(file, place)) is not None]
    for tag in (*reversed(tags.trailing), *behind, *reversed(tags.leading)):
        yield from _attached_fields(tag)
        yield from _object_fields(tag)
    if tags.id3v1 is not None:
        yield from _fields(BytesIO(tags.id3v1), _ID3_NAME)


def _fields(file: BinaryIO, path: Path) -> Iterator[_Field]:
    """The fields that tinytag reads; none if it cannot read the file as what its name says nor as what it begins like."""
    for name in (path, None):
        try:
            file.seek(0)
            tag = TinyTag.get(filename=name, file_obj=file, duration=False)
        except TinyTagException:
            continue
        for field in ("artist", "title", "album", "comment"):
            if (value := getattr(tag, field)) is not None:
                yield field, value
        yield from (("bpm", str(value)) for field in _TEMPO_FIELDS for value in tag.other.get(field) or ())
        yield from (("key", str(value)) for field in _KEY_FIELDS for value in tag.other.get(field) or ())
        return


def _chunk_fields(file: ChunkedFile) -> Iterator[_Field]:
    character_set = file.last(b"CSET")
    page = None
    if character_set is not None and len(character_set.content) == 2:
        page = code_page_name(struct.unpack(file.order + "H", character_set.content)[0])
    for chunk in reversed([chunk for chunk in file.chunks if chunk.name in (b"id3 ", b"ID3 ")]):
        yield from _attached_fields(chunk.content)
        yield from _fields(BytesIO(chunk.content), _ID3_NAME)
        yield from _object_fields(chunk.content)
    for chunk in file.chunks:
        if chunk.name == b"LIST":
            yield from _info_fields(chunk, file.order, page)
        elif chunk.name in _TEXT_CHUNKS:
            yield _TEXT_CHUNKS[chunk.name], decode_text(chunk.content, page)


def _info_fields(chunk: Chunk, order: str, page: str | None) -> Iterator[_Field]:
    """The fields of an INFO list. Some writers omit the pad byte after a text of odd length."""
    content, place = chunk.content, 4
    if content[:4] != b"INFO":
        return
    while place + 8 <= len(content):
        name, size = struct.unpack_from(order + "4sI", content, place)
        text = content[place + 8 : place + 8 + size]
        place += 8 + size
        if size % 2 and (content[place : place + 1] == b"\0" or content[place + 1 : place + 5] in _TEXT_CHUNKS):
            place += 1
        if name in _TEXT_CHUNKS:
            yield _TEXT_CHUNKS[name], decode_text(text, page)


def _text(value: str) -> str | None:
    """One clean line, or None if nothing is left."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", repair_text(value)).split())
    line = line.encode("utf-8", "replace").decode("utf-8")
    return line[:_MAX_CHARACTERS] or None


def _tempo(text: str) -> float | None:
    match = _NUMBER.match(text)
    if match is None:
        return None
    value = float(match[0].replace(",", "."))
    return value if math.isfinite(value) and 20.0 <= value <= 400.0 else None
