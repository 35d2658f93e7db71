"""Which sounds training compares: a segment, one that shares its instrument, and one whose instrument is another.

Imamura et al. 2025 and Hashizume et al. 2025: neighbouring segments of a track are alike in every instrument; segments of
other tracks of the same tempo are not; pseudo-mixtures exchange one instrument. Ours, where the papers leave it open: what is
the same tempo (5 %, else the eight nearest tracks), when a part is audible, and how often pseudo-mixtures are drawn.

Ours entirely, and optional: `draw_recombined`, whose mixtures take each part from another of a few tracks, so that any three
of them can be a triplet about some part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.research.baselines.track_scan import TrackFacts
from soundalike.research.datasets.slakh import SLAKH_PARTS

T = TypeVar("T")

AUDIBLE_DB = -25.0
"""A part is heard in a segment if its level is at most so far below that of the mixture."""

SAME_TEMPO = 0.05
"""Relative difference of tempos that count as the same."""

NEAREST = 8
"""So many tracks of the nearest tempo are used where none has the same."""

RECOMBINED = 8
"""Tracks whose parts are recombined in a step."""

SILENT = 0.15
"""Share of the mixtures in which a part is left out when parts are recombined, as tracks lack some."""


@dataclass(frozen=True)
class SegmentRef:
    """The segment of a track that begins at `start` (s)."""

    track: str
    start: float


@dataclass(frozen=True)
class Sound:
    """A mixture: one part of the segment `target`, and all other parts of the segment `others`.

    If they are the same segment it is a real mixture, else a pseudo-mixture.
    """

    target: SegmentRef
    others: SegmentRef

    @classmethod
    def real(cls, segment: SegmentRef) -> Sound:
        """The mixture of a segment."""
        return cls(segment, segment)


@dataclass(frozen=True)
class TrainingTriplet:
    """For `part`, `positive` is nearer to `anchor` than `negative` is."""

    part: str
    anchor: Sound
    positive: Sound
    negative: Sound


@dataclass(frozen=True)
class Recombination:
    """A mixture of parts from different tracks; a part that is missing is silent."""

    segments: Mapping[str, SegmentRef]


class TripletSampler:
    """Draws triplets from tracks. Drawing depends on the given generator alone."""

    def __init__(self, tracks: Sequence[TrackFacts], parts: Sequence[str], clip: float, hop: float) -> None:
        """clip, hop: seconds of a segment, and from one to the next.

        Raises InputError if a part is audible in fewer than two tracks, in two segments side by side each.
        """
        self.parts = tuple(parts)
        self._clip, self._hop = clip, hop
        self._facts = {facts.track: facts for facts in tracks}
        self._pairs = {part: self._audible_pairs(part) for part in parts}
        for part, pairs in self._pairs.items():
            if len(pairs) < 2:
                raise InputError(
                    f"{len(pairs)} of {len(tracks)} tracks have {part} in two segments of {clip:g} s side by side; two are "
                    "needed: use more tracks, a shorter --clip, or leave the part out with --part"
                )

    @cached_property
    def segments(self) -> tuple[SegmentRef, ...]:
        """All segments that are not silent."""
        return tuple(
            SegmentRef(facts.track, start)
            for facts in self._facts.values()
            for start in self._starts(facts)
            if math.isfinite(facts.level(MIX, start, self._clip))
        )

    def draw(self, part: str, rng: np.random.Generator, pseudo: bool) -> TrainingTriplet:
        """A triplet about `part`.

        pseudo: the positive shares with the anchor nothing but the part, the negative everything else; otherwise all three are
        real mixtures.
        """
        track = _one(list(self._pairs[part]), rng)
        pair = _one(self._pairs[part][track], rng)
        first, second = pair if rng.random() < 0.5 else pair[::-1]
        other = _one(_one(list(self._pairs[part][self._of_same_tempo(part, track, rng)]), rng), rng)
        if not pseudo:
            return TrainingTriplet(part, Sound.real(first), Sound.real(second), Sound.real(other))
        elsewhere = self._accompaniment(track, rng)
        return TrainingTriplet(part, Sound.real(first), Sound(second, elsewhere), Sound(other, first))

    def draw_many(
        self, count: int, rng: np.random.Generator, pseudo: float, parts: Sequence[str] = ()
    ) -> list[TrainingTriplet]:
        """`count` triplets about `parts` (all if none is given) in turn, `pseudo` of them (0 to 1) with pseudo-mixtures."""
        wanted = tuple(parts) or self.parts
        return [self.draw(wanted[number % len(wanted)], rng, bool(rng.random() < pseudo)) for number in range(count)]

    def draw_sounds(self, part: str, count: int, rng: np.random.Generator, pseudo: float) -> list[Sound]:
        """`count` mixtures to separate `part` from; it may be silent in real ones, as it is in the tracks."""
        sounds = []
        for _ in range(count):
            segment = _one(self.segments, rng)
            if rng.random() < pseudo:
                target = _one(_one(list(self._pairs[part][_one(list(self._pairs[part]), rng)]), rng), rng)
                sounds.append(Sound(target, segment))
            else:
                sounds.append(Sound.real(segment))
        return sounds

    def draw_recombined(self, count: int, rng: np.random.Generator, part: str | None = None) -> list[Recombination]:
        """`count` mixtures whose parts come from RECOMBINED tracks of similar tempo, each part from a track of its own.

        Of each part and track there are two segments side by side, so that mixtures share a part in the same segment or in
        neighbouring ones. Parts that are not trained are recombined too, as accompaniment. part: all tracks have this one.
        """
        tracks = self._of_similar_tempo(self._usable if part is None else tuple(self._pairs[part]), rng)
        pairs = {
            name: [_one(found[track], rng) for track in tracks if track in found]
            for name, found in (self._pairs | self._accompaniments).items()
        }
        mixtures: list[Recombination] = []
        while len(mixtures) < count:
            chosen = {
                part: _one(_one(found, rng), rng) for part, found in pairs.items() if found and rng.random() >= SILENT
            }
            if chosen:
                mixtures.append(Recombination(chosen))
        return mixtures

    def _of_similar_tempo(self, tracks: Sequence[str], rng: np.random.Generator) -> list[str]:
        """RECOMBINED of `tracks` out of those whose tempo is nearest to that of a random one."""
        seed = _one(tracks, rng)
        tempo = self._facts[seed].tempo
        others = [track for track in tracks if track != seed]
        if tempo is not None:
            others.sort(key=lambda track: _tempo_distance(tempo, self._facts[track].tempo))
            others = others[: RECOMBINED + RECOMBINED // 2 - 1]
        count = min(RECOMBINED - 1, len(others))
        return [seed, *(others[int(index)] for index in rng.choice(len(others), count, replace=False))]

    @cached_property
    def _usable(self) -> tuple[str, ...]:
        """The tracks in which some part is audible in two segments side by side."""
        return tuple(track for track in self._facts if any(track in pairs for pairs in self._pairs.values()))

    @cached_property
    def _accompaniments(self) -> dict[str, dict[str, list[tuple[SegmentRef, SegmentRef]]]]:
        """As `_pairs`, for the parts that are not trained."""
        return {part: self._audible_pairs(part) for part in SLAKH_PARTS if part not in self.parts}

    def _audible_pairs(self, part: str) -> dict[str, list[tuple[SegmentRef, SegmentRef]]]:
        """By track, its neighbouring segments without overlap in both of which `part` is audible."""
        found: dict[str, list[tuple[SegmentRef, SegmentRef]]] = {}
        for facts in self._facts.values():
            for start in self._starts(facts):
                after = start + self._clip
                if after + self._clip <= facts.seconds and self._audible(facts, part, start, after):
                    pair = SegmentRef(facts.track, start), SegmentRef(facts.track, after)
                    found.setdefault(facts.track, []).append(pair)
        return found

    def _audible(self, facts: TrackFacts, part: str, *starts: float) -> bool:
        return all(
            facts.level(part, start, self._clip) >= facts.level(MIX, start, self._clip) + AUDIBLE_DB for start in starts
        )

    def _starts(self, facts: TrackFacts) -> list[float]:
        count = math.floor((facts.seconds - self._clip) / self._hop + 1e-9) + 1
        return [number * self._hop for number in range(max(0, count))]

    def _of_same_tempo(self, part: str, track: str, rng: np.random.Generator) -> str:
        return _one(self._neighbours[part][track], rng)

    @cached_property
    def _neighbours(self) -> Mapping[str, Mapping[str, list[str]]]:
        """By part and track, the other tracks with the part that have the same tempo, else those nearest to it."""
        return {
            part: {track: self._nearest(track, [other for other in pairs if other != track]) for track in pairs}
            for part, pairs in self._pairs.items()
        }

    def _nearest(self, track: str, others: Sequence[str]) -> list[str]:
        tempo = self._facts[track].tempo
        if tempo is None:
            return list(others)
        distances = {other: _tempo_distance(tempo, self._facts[other].tempo) for other in others}
        same = [other for other, distance in distances.items() if distance <= math.log(1 + SAME_TEMPO)]
        return same or sorted(others, key=lambda other: distances[other])[:NEAREST]

    def _accompaniment(self, track: str, rng: np.random.Generator) -> SegmentRef:
        """A segment of another track than `track`."""
        while True:
            segment = _one(self.segments, rng)
            if segment.track != track:
                return segment


def track_numbers(mixtures: Sequence[Recombination], parts: Sequence[str]) -> NDArray[np.int64]:
    """(N, parts) which track each part of N mixtures comes from, as a number; -1 where it is silent."""
    names = sorted({segment.track for mixture in mixtures for segment in mixture.segments.values()})
    numbers = {name: number for number, name in enumerate(names)}
    rows = [[mixture.segments.get(part) for part in parts] for mixture in mixtures]
    return np.array([[-1 if found is None else numbers[found.track] for found in row] for row in rows], np.int64)


def _tempo_distance(tempo: float, other: float | None) -> float:
    return math.inf if other is None else abs(math.log(tempo / other))


def _one(items: Sequence[T], rng: np.random.Generator) -> T:
    return items[int(rng.integers(len(items)))]
