"""Native Instruments' stem files: `.stem.m4a` and `.stem.mp4`, whose audio streams are the mixture and its stems.

Their names are in the JSON of the atom moov/udta/stem (Stem specification of Native Instruments; the same is written by
stemgen). A file without readable names has the usual order: mixture, drums, bass, other, vocals.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from soundalike.audio import ffmpeg
from soundalike.audio.file_part import stream_address
from soundalike.errors import AudioError
from soundalike.parts import STEMS

SUFFIXES = (".stem.m4a", ".stem.mp4")
USUAL_ORDER = ("drums", "bass", "residuals", "vocals")

_WORDS: dict[str, frozenset[str]] = {
    "drums": frozenset(
        ("drum", "drums", "kick", "kicks", "snare", "hat", "hats", "perc", "percussion", "beat", "beats")
    ),
    "bass": frozenset(("bass", "basses", "bassline", "sub", "subbass")),
    "vocals": frozenset(("vocal", "vocals", "vox", "voice", "voices", "acapella", "acappella", "singer", "rap")),
    "guitar": frozenset(("guitar", "guitars")),
    "piano": frozenset(("piano", "pianos")),
}
_LARGEST_ATOM = 1 << 20
_MAX_ATOMS = 10_000


def is_stem_container(name: str) -> bool:
    """Whether a file name is that of a stem file."""
    return name.lower().endswith(SUFFIXES)


def contained_stems(mixture: Path) -> dict[str, tuple[Path, ...]]:
    """The addresses of the stems in a stem file by part, without absent parts.

    Raises AudioError for a file with a single audio stream, or without names and not with the usual five.
    """
    count = ffmpeg.audio_streams(mixture) - 1
    if count < 1:
        raise AudioError(f"{mixture}: is a stem file by its name, but has no audio streams besides the mixture")
    names = stem_names(mixture)
    if not names and count != len(USUAL_ORDER):
        raise AudioError(
            f"{mixture}: names none of its {count} stems; only with {len(USUAL_ORDER)} of them their order is known"
        )
    parts = [_part(names[number] if number < len(names) else "", number) for number in range(count)]
    numbers = {part: [number for number in range(count) if parts[number] == part] for part in STEMS}
    return {part: tuple(stream_address(mixture, number + 1) for number in of) for part, of in numbers.items() if of}


def stem_names(path: Path) -> tuple[str, ...]:
    """The names of the stems in their order, as the atom states them; none if it is missing or damaged."""
    try:
        with path.open("rb") as file:
            content = _stem_atom(file)
        values = json.loads(content.decode("utf-8-sig")) if content else {}
    except (OSError, ValueError, RecursionError):
        return ()
    stems = values.get("stems") if isinstance(values, dict) else None
    if not isinstance(stems, list):
        return ()
    names = tuple(str(stem.get("name") or "") if isinstance(stem, dict) else "" for stem in stems)
    return names if any(names) else ()


def _part(name: str, number: int) -> str:
    """The part of a stem by the words of its name; without a name by the usual order."""
    words = set(re.findall(r"[^\W\d_]+", name.lower()))
    if not words:
        return USUAL_ORDER[number] if number < len(USUAL_ORDER) else "residuals"
    return next((part for part, known in _WORDS.items() if words & known), "residuals")


def _stem_atom(file: BinaryIO) -> bytes | None:
    """The content of moov/udta/stem."""
    end = file.seek(0, 2)
    begin = 0
    for wanted in (b"moov", b"udta", b"stem"):
        found = next(((first, last) for name, first, last in _atoms(file, begin, end) if name == wanted), None)
        if found is None:
            return None
        begin, end = found
    file.seek(begin)
    return file.read(min(end - begin, _LARGEST_ATOM)).strip(b"\0")


def _atoms(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin, end) of the contents of the atoms between `begin` and `end`."""
    for _ in range(_MAX_ATOMS):
        file.seek(begin)
        header = file.read(16)
        if len(header) < 8 or begin + 8 > end:
            return
        size, content = int.from_bytes(header[:4], "big"), 8
        if size == 1 and len(header) == 16:
            size, content = int.from_bytes(header[8:], "big"), 16
        size = size or end - begin  # 0: to the end
        if size < content or begin + size > end:
            return
        yield header[4:8], begin + content, begin + size
        begin += size
