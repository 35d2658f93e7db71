"""Drawing triplets at random from excerpts: balanced over songs and parts, each song at most so often.

In `XAB` the three excerpts are of three songs. In `XYC` one candidate is another excerpt of the reference's song. Whether it is A
or B is balanced. Nothing here depends on vectors or weights: a random test must not favour any model.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from soundalike.errors import InputError
from soundalike.listening.design import DesignTriplet, Excerpt, Origin
from soundalike.preferences.triplets import Kind

MAX_TRIPLETS = 2_000
"""At a time: a listener would take 18 hours for so many."""
PROPOSALS = 30
"""Triplets that are compared for each one that is drawn."""


@dataclass(frozen=True)
class DrawOptions:
    """How many triplets to draw, and how.

    count: number of triplets; xyc_share: share of XYC among them; cap: times that a song may be used, None for as often as an
    even use of all songs needs, and one more. block: number of the block; origin: recorded in the triplets.
    """

    count: int
    xyc_share: float = 0.25
    cap: int | None = None
    block: int = 0
    origin: Origin = "random"

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_TRIPLETS:
            raise InputError(f"{self.count:,} triplets were requested; 1 to {MAX_TRIPLETS:,} are possible at a time")
        if not 0 <= self.xyc_share <= 1:
            raise InputError(f"the share of XYC triplets is {self.xyc_share:g}; it must be from 0 to 1")
        if self.cap is not None and self.cap < 1:
            raise InputError(f"the cap is {self.cap}; a song must be allowed to be used once or more")


@dataclass
class _Use:
    """How often songs and parts have been used, and which triplets are taken."""

    songs: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    taken: set[tuple[str, frozenset[str]]] = field(default_factory=set)
    own_is_a: int = 0


def draw_triplets(
    excerpts: Sequence[Excerpt],
    audible: Mapping[str, frozenset[str]],
    options: DrawOptions,
    rng: np.random.Generator,
    taken: Sequence[DesignTriplet] = (),
) -> tuple[DesignTriplet, ...]:
    """Draw different triplets whose clips are of one part each.

    audible: by id, the parts that can be heard in an excerpt; songs are used evenly, and so are parts: those audible in all three
    clips of a triplet. taken: triplets that must not come again. Raises InputError if there are too few songs or excerpts.
    """
    by_part = _by_part(excerpts)
    songs = {excerpt.item for group in by_part.values() for excerpt in group}
    cap = options.cap or math.ceil(3 * options.count / len(songs)) + 1
    use = _Use(taken={(one.x, frozenset((one.a, one.b))) for one in taken})
    parts = list(by_part)
    kinds = _kinds(options.count, options.xyc_share, len(parts))
    triplets = []
    for number, kind in enumerate(kinds):
        part = parts[number % len(parts)]
        drawn = _best(by_part[part], kind, audible, use, cap, rng)
        if drawn is None:
            raise InputError(
                f"only {number} of {options.count} triplets can be drawn from {len(songs)} songs, each in at most {cap} "
                f"triplets: the next, {kind} of {part}, has no songs left; ask for fewer triplets, raise --cap, or add songs"
            )
        x, a, b = drawn
        use.songs.update({excerpt.item for excerpt in drawn})
        use.parts.update(audible[x.id] & audible[a.id] & audible[b.id])
        use.taken.add((x.id, frozenset((a.id, b.id))))
        name = f"{options.block}-{options.origin}-{number + 1:03d}"
        triplets.append(DesignTriplet(name, kind, part, x.id, a.id, b.id, options.origin, options.block))
    return tuple(triplets)


def _by_part(excerpts: Sequence[Excerpt]) -> dict[str, list[Excerpt]]:
    """Excerpts by part. Parts with fewer than three songs are left out. Raises InputError if none is left."""
    groups: dict[str, list[Excerpt]] = {}
    for excerpt in excerpts:
        groups.setdefault(excerpt.part, []).append(excerpt)
    usable = {part: group for part, group in groups.items() if len({excerpt.item for excerpt in group}) >= 3}
    if not usable:
        raise InputError(
            "a triplet compares three songs, but no part has excerpts of three; add songs to the library, or choose more"
        )
    return usable


def _kinds(count: int, xyc_share: float, parts: int) -> list[Kind]:
    """The kind of each triplet; XYC are spread over the triplets, and over the parts, which take turns."""
    rounds = [number // parts for number in range(count)]
    return [
        "XYC" if math.floor((n + 1) * xyc_share + 1e-9) > math.floor(n * xyc_share + 1e-9) else "XAB" for n in rounds
    ]


Drawn = tuple[Excerpt, Excerpt, Excerpt]


def _best(
    group: Sequence[Excerpt],
    kind: Kind,
    audible: Mapping[str, frozenset[str]],
    use: _Use,
    cap: int,
    rng: np.random.Generator,
) -> Drawn | None:
    """Of several triplets at random, the one of the least used songs; among equals that of the least used parts."""
    by_song: dict[str, list[Excerpt]] = {}
    for excerpt in group:
        if use.songs[excerpt.item] < cap:
            by_song.setdefault(excerpt.item, []).append(excerpt)
    with_two = [song for song, own in by_song.items() if len(own) >= 2]
    if len(by_song) < (3 if kind == "XAB" else 2) or (kind == "XYC" and not with_two):
        return None
    proposals: list[tuple[float, float, Drawn]] = []
    for attempt in range(20 * PROPOSALS):
        if len(proposals) >= PROPOSALS or (proposals and attempt >= 2 * PROPOSALS):
            break
        drawn = _propose(by_song, with_two, kind, use, rng)
        if (drawn[0].id, frozenset((drawn[1].id, drawn[2].id))) in use.taken:
            continue
        heard = audible[drawn[0].id] & audible[drawn[1].id] & audible[drawn[2].id]
        songs = sum(use.songs[item] for item in {excerpt.item for excerpt in drawn}) * (1.0 if kind == "XAB" else 1.5)
        proposals.append((songs, -sum(1 / (1 + use.parts[part]) for part in heard), drawn))
    if not proposals:
        return None
    chosen = min(proposals, key=lambda proposal: proposal[:2])[2]
    if kind == "XYC":
        own_is_a = chosen[1].item == chosen[0].item
        use.own_is_a += 1 if own_is_a else -1
    return chosen


def _propose(
    by_song: Mapping[str, Sequence[Excerpt]], with_two: Sequence[str], kind: Kind, use: _Use, rng: np.random.Generator
) -> Drawn:
    songs = list(by_song)

    def some(own: Sequence[Excerpt]) -> Excerpt:
        return own[int(rng.integers(len(own)))]

    if kind == "XAB":
        x, a, b = (some(by_song[songs[index]]) for index in rng.choice(len(songs), 3, replace=False))
        return x, a, b
    song = with_two[int(rng.integers(len(with_two)))]
    x_place, y_place = rng.choice(len(by_song[song]), 2, replace=False)
    others = [other for other in songs if other != song]
    x, y = by_song[song][x_place], by_song[song][y_place]
    c = some(by_song[others[int(rng.integers(len(others)))]])
    own_is_a = use.own_is_a < 0 or (use.own_is_a == 0 and bool(rng.integers(2)))
    return (x, y, c) if own_is_a else (x, c, y)
