"""Facts of a file that people filter by: tempo, key, loudness; and which source of a fact is believed.

One place to import from; the work is in `keys`, `names`, `tempo`, `tonality`, `loudness`. Conventions: tempo in
beats a minute, keys as in `keys` ("A minor", "C" where the mode is unknown), loudness in LUFS.
scipy.signal is imported when an estimate is made, not before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.metadata.filename_metadata import facts_from_name
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
    "facts_from_name",
    "find_key",
    "loop_tempo",
    "parse_key",
    "resolve_facts",
    "tempo_matches",
]

Source = Literal["tag", "name", "loop chunk", "estimate"]


@dataclass(frozen=True)
class Fact:
    """A tempo (float) or key (str), where it was learnt, and how far to trust it (1 where it is stated, else 0..1)."""

    value: float | str
    source: Source
    confidence: float


def resolve_facts(
    tags: Tags, name_stem: str, estimates: tuple[Estimate | None, Estimate | None] = (None, None)
) -> tuple[Fact | None, Fact | None]:
    """(tempo, key) of a file: its tag, else its name, else its loop chunk, else the estimate (tempo, key) of its sound.

    `name_stem` is the file name without its suffix. None where no source tells.
    """
    named_tempo, named_key = facts_from_name(name_stem)
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
