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
from soundalike.audio.metadata.tempo import LENGTH_AND_PULSE, estimate_tempo, loop_tempo, tempo_matches
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


_SAME_TEMPO = 0.04  # relative difference up to which two tempos are the same


def resolve_facts(
    tags: Tags,
    name_stem: str,
    estimates: tuple[Estimate | None, Estimate | None] = (None, None),
    *,
    is_loop: bool = False,
) -> tuple[Fact | None, Fact | None]:
    """(tempo, key) of a file: from its tag, else its name, else its loop chunk, else the estimates (tempo, key).

    `name_stem` is the file name without its suffix. None if no source has it. In a loop, a tempo in the name or the loop
    chunk is one vote among three: where the length and the pulse agree on another, theirs counts.
    """
    named_tempo, named_key = metadata_from_filename(name_stem)
    loop = tags.loop
    stated = [named_tempo, loop.tempo if loop else None]
    if is_loop:
        stated = [None if tempo is not None and _outvoted(tempo, estimates[0]) else tempo for tempo in stated]
    tempo = _first((tags.tempo, *stated), estimates[0])
    key = _first((tags.key, named_key, loop.key if loop else None), estimates[1])
    return tempo, key


def _outvoted(tempo: float, estimate: Estimate | None) -> bool:
    """Whether length and pulse agree on a tempo that is neither `tempo` nor half or double of it."""
    if estimate is None or not isinstance(estimate.value, float) or estimate.confidence < LENGTH_AND_PULSE:
        return False
    return not tempo_matches(tempo, estimate.value * (1 - _SAME_TEMPO), estimate.value * (1 + _SAME_TEMPO))


def _first(stated: tuple[float | str | None, ...], estimate: Estimate | None) -> Fact | None:
    sources: tuple[Source, ...] = ("tag", "name", "loop chunk")
    for value, source in zip(stated, sources, strict=True):
        if value is not None:
            return Fact(value, source, 1.0)
    if estimate is None or estimate.value is None:
        return None
    return Fact(estimate.value, "estimate", estimate.confidence)
