"""Tags of a file: artist, title, album, tempo, key; and its loop chunk."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from tinytag import TinyTag, TinyTagException

from soundalike.audio.metadata.keys import Key, find_key
from soundalike.audio.metadata.loop_chunks import LoopChunk, read_loop_chunk

_NUMBER = re.compile(r"\d{1,4}(?:[.,]\d+)?")
_MAX_CHARACTERS = 500


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

    A tempo outside 20..400 or a key that cannot be parsed is None. Audio is not decoded.
    """
    path = Path(path)
    loop = read_loop_chunk(path)
    try:
        with path.open("rb") as file:
            file_tags = TinyTag.get(filename=path, file_obj=file, duration=False)
    except (TinyTagException, OSError):
        return Tags(loop=loop)
    key = find_key(_text(_first(file_tags, "initial_key")) or "")
    if key is not None and key.mode is None:
        key = Key(key.root, "major")  # ID3v2: a root alone is major, minor is marked by an m
    return Tags(
        artist=_text(file_tags.artist),
        title=_text(file_tags.title),
        album=_text(file_tags.album),
        tempo=_tempo(_text(_first(file_tags, "bpm"))),
        key=str(key) if key else None,
        loop=loop,
    )


def _first(file_tags: TinyTag, name: str) -> str | None:
    values = file_tags.other.get(name)
    return str(values[0]) if values else None


def _text(value: str | None) -> str | None:
    """One clean line, or None if nothing is left."""
    if value is None:
        return None
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", value).split())
    line = line.encode("utf-8", "replace").decode("utf-8")
    return line[:_MAX_CHARACTERS] or None


def _tempo(text: str | None) -> float | None:
    match = _NUMBER.match(text) if text else None
    if match is None:
        return None
    value = float(match[0].replace(",", "."))
    return value if math.isfinite(value) and 20.0 <= value <= 400.0 else None
