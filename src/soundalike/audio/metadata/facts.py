"""Facts of a file that users filter by: tempo, key, loudness; and which source of a fact takes precedence.

One module to import from; the work is in `keys`, `filename_metadata`, `tempo`, `tonality`, `loudness`. Conventions:
tempo in BPM, keys as in `keys` ("A minor", or "C" if the mode is unknown), loudness in LUFS. scipy.signal is
imported when an estimate is made, not before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.metadata.filename_metadata import metadata_from_filename
from soundalike.audio.metadata.keys import Key, compatible, find_key, parse_key
from soundalike.audio.metadata.loudness import estimate_loudness
from soundalike.audio.metadata.tags import Tags
from soundalike.audio.metadata.tempo import estimate_tempo, loop_tempo, tempo_matches
from soundalike.audio.metadata.tonality import estimate_key

__all__ = [
    "Estimate",
    "Fact",
    "Key",
    "compatible",
    "estimate_key",
    "estimate_loudness",
    "estimate_tempo",
    "find_key",
    "loop_tempo",
    "metadata_from_filename",
    "parse_key",
    "resolve_facts",
    "tempo_matches",
]

Source = Literal["tag", "name", "loop chunk", "estimate"]


@dataclass(frozen=True)
class Fact:
    """A tempo (float) or key (str), its source, and its confidence (1 if it is stated, else 0..1)."""

    value: float | str
    source: Source
    confidence: float


def resolve_facts(
    tags: Tags, name_stem: str, estimates: tuple[Estimate | None, Estimate | None] = (None, None)
) -> tuple[Fact | None, Fact | None]:
    """(tempo, key) of a file: from its tag, else its name, else its loop chunk, else the estimates (tempo, key).

    `name_stem` is the file name without its suffix. None if no source has it.
    """
    named_tempo, named_key = metadata_from_filename(name_stem)
    loop = tags.loop
    tempo = _first((tags.tempo, named_tempo, loop.tempo if loop else None), estimates[0])
    key = _first((tags.key, named_key, loop.key if loop else None), estimates[1])
    return tempo, key


def _first(stated: tuple[float | str | None, ...], estimate: Estimate | None) -> Fact | None:
    sources: tuple[Source, ...] = ("tag", "name", "loop chunk")
    for value, source in zip(stated, sources, strict=True):
        if value is not None:
            return Fact(value, source, 1.0)
    if estimate is None or estimate.value is None:
        return None
    return Fact(estimate.value, "estimate", estimate.confidence)
