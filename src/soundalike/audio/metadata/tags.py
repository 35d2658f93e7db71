"""What a file says of itself in words: artist, title, album, tempo and key tags, loop chunks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from tinytag import TinyTag, TinyTagException

from soundalike.audio.metadata.keys import Key, find_key
from soundalike.audio.metadata.loop_chunks import LoopChunk, read_loop_chunk

_NUMBER = re.compile(r"\d{1,4}(?:[.,]\d+)?")
_LONGEST_TEXT = 500


@dataclass(frozen=True)
class Tags:
    """Words and figures of a file's own; None where it has none. `tempo` in beats a minute, `key` as in `keys`."""

    artist: str | None = None
    title: str | None = None
    album: str | None = None
    tempo: float | None = None
    key: str | None = None
    loop: LoopChunk | None = None


def read_tags(path: str | Path) -> Tags:
    """The tags of the file at `path`; a file with none, damaged ones or of an unknown kind has all None.

    A tempo outside 20..400 or a key that cannot be read is None. Audio is not decoded.
    """
    path = Path(path)
    loop = read_loop_chunk(path)
    try:
        with path.open("rb") as file:
            found = TinyTag.get(filename=path, file_obj=file, duration=False)
    except (TinyTagException, OSError):
        return Tags(loop=loop)
    key = find_key(_text(_first(found, "initial_key")) or "")
    if key is not None and key.mode is None:
        key = Key(key.root, "major")  # ID3v2: a tonic alone is major, minor is marked by an m
    return Tags(
        artist=_text(found.artist),
        title=_text(found.title),
        album=_text(found.album),
        tempo=_tempo(_text(_first(found, "bpm"))),
        key=str(key) if key else None,
        loop=loop,
    )


def _first(found: TinyTag, name: str) -> str | None:
    values = found.other.get(name)
    return str(values[0]) if values else None


def _text(value: str | None) -> str | None:
    """One clean line, or None where nothing is left of it."""
    if value is None:
        return None
    line = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", value).split())
    line = line.encode("utf-8", "replace").decode("utf-8")
    return line[:_LONGEST_TEXT] or None


def _tempo(text: str | None) -> float | None:
    match = _NUMBER.match(text) if text else None
    if match is None:
        return None
    value = float(match[0].replace(",", "."))
    return value if math.isfinite(value) and 20.0 <= value <= 400.0 else None
