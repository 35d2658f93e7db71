"""Specifications of songs: titles, styles, keys, kits and patches. No sound is rendered here.

Songs are planned so that each part has its own right answers: every kit and patch
occurs in several songs, two songs seldom share more than one of them, and songs of one style share a
groove though their kits differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from soundalike.errors import InputError
from soundalike.synth.patterns import style_named
from soundalike.synth.seeds import generator
from soundalike.synth.styles import STYLES, Style
from soundalike.synth.theory import Key

PITCHED = ("bass", "guitar", "piano", "residuals")
"""The parts that play patches; the drums play a kit."""

MOST_SONGS = 400

_FIRST = (
    "Amber Broken Copper Distant Electric Faded Golden Hollow Idle Jagged "
    "Kind Lunar Marble Northern Open Paper Quiet Rusty Silver Tidal"
)
_SECOND = (
    "Avenue Bridge Corner Dancer Ember Frontier Garden Harbour Island Junction "
    "Kingdom Lantern Mirror Notion Orchard Parade River Signal Tower Window"
)
_ARTISTS = (
    "Halogen Street",
    "The Pale Kites",
    "Nadia Verne",
    "Low Meridian",
    "Oskar & Fields",
    "Tin Parliament",
)


@dataclass(frozen=True)
class Section:
    """A section of a song with one arrangement."""

    name: str
    bars: int
    parts: tuple[str, ...]
    sparse: bool = False
    """Whether the drums leave the backbeat out."""


@dataclass(frozen=True)
class SongSpec:
    """Everything that determines a song: the same specification gives the same samples."""

    title: str
    artist: str
    album: str
    style: str
    groove: int
    """Which of the style's drum grooves."""
    tempo: int
    key: Key
    progression: tuple[int, ...]
    """Scale degrees, one a bar."""
    kit: str
    patches: tuple[tuple[str, str], ...]
    """(part, patch) of each pitched part there is, in the order of parts."""
    sections: tuple[Section, ...]
    seed: int

    @property
    def groove_name(self) -> str:
        """`rock-1`: the same in two songs means the same strokes."""
        return f"{self.style}-{self.groove + 1}"

    @property
    def bars(self) -> int:
        """Total number of bars."""
        return sum(section.bars for section in self.sections)

    @property
    def parts(self) -> tuple[str, ...]:
        """The stems of the song, in the order of parts."""
        return tuple(sorted(("drums", *(part for part, _ in self.patches))))

    def patch(self, part: str) -> str:
        """The patch that plays `part`. Raises InputError where the song has no such pitched part."""
        for name, patch in self.patches:
            if name == part:
                return patch
        raise InputError(f"{self.title!r} has no patch for {part!r}; it has {', '.join(dict(self.patches))}")


class _Rotation:
    """Chooses kits and patches: the least used first, preferring new combinations with the song's other choices."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()
        self._met: Counter[frozenset[str]] = Counter()

    def take(self, choices: Sequence[str], company: Sequence[str], rng: np.random.Generator) -> str:
        order = rng.permutation(len(choices)).tolist()

        def cost(index: int) -> tuple[int, int, int]:
            name = choices[index]
            return (
                sum(self._met[frozenset((name, other))] for other in company),
                self._used[name],
                order[index],
            )

        chosen = choices[min(range(len(choices)), key=cost)]
        self._used[chosen] += 1
        for other in company:
            self._met[frozenset((chosen, other))] += 1
        return chosen


def song_specs(seed: int = 1, count: int = 16, length: float = 28.0) -> tuple[SongSpec, ...]:
    """`count` different songs of about `length` seconds, eight bars at least.

    Raises InputError for a count or a length out of range.
    """
    if not 1 <= count <= MOST_SONGS:
        raise InputError(f"the number of songs must be 1 to {MOST_SONGS}, and is {count}")
    if not 10.0 <= length <= 600.0:
        raise InputError(f"the length of a song must be 10 to 600 seconds, and is {length:g}")
    rng = generator("songs", seed)
    titles = [f"{first} {second}" for first in _FIRST.split() for second in _SECOND.split()]
    names = rng.permutation(titles)[:count].tolist()
    styles = _rounds(tuple(STYLES), count, rng)
    rotation = _Rotation()
    seen: Counter[str] = Counter()
    specs = []
    for number, (title, style) in enumerate(zip(names, styles, strict=True)):
        # The second song of a style plays the groove of the first, the third and fourth share the next one.
        groove = seen[style] // 2 % len(STYLES[style].grooves)
        seen[style] += 1
        own = generator("song", seed, number)
        specs.append(_one(title, style_named(style), groove, length, rotation, own))
    return tuple(specs)


def _rounds(names: tuple[str, ...], count: int, rng: np.random.Generator) -> list[str]:
    """`count` names, each equally often, plus or minus one."""
    rounds = [rng.permutation(names).tolist() for _ in range(-(-count // len(names)))]
    return [name for names_of_round in rounds for name in names_of_round][:count]


def _one(
    title: str, style: Style, groove: int, length: float, rotation: _Rotation, rng: np.random.Generator
) -> SongSpec:
    tempo = int(rng.integers(style.tempos[0], style.tempos[1] + 1))
    key = Key(int(rng.integers(12)), str(rng.choice(style.modes)))
    progressions = style.progressions[key.mode]
    # The groove counts as a choice too: it should be combined with different kits, the style with different
    # patches.
    groove_name = f"{style.name}-{groove + 1}"
    chosen = [rotation.take(style.kits, (groove_name,), rng)]
    left_out = str(rng.choice(style.optional)) if len(style.optional) > 2 and rng.random() < 0.6 else ""
    parts = ("bass", *(part for part in style.optional if part != left_out))
    patches = []
    for part in parts:
        chosen.append(rotation.take(style.patches[part], (*chosen, groove_name), rng))
        patches.append((part, chosen[-1]))
    return SongSpec(
        title=title,
        artist=str(rng.choice(_ARTISTS)),
        album=f"{title.split()[1]} Sessions",
        style=style.name,
        groove=groove,
        tempo=tempo,
        key=key,
        progression=progressions[int(rng.integers(len(progressions)))],
        kit=chosen[0],
        patches=tuple(patches),
        sections=_arrangement(length, tempo, parts[1:]),
        seed=int(rng.integers(2**31)),
    )


def _arrangement(length: float, tempo: int, harmony: tuple[str, ...]) -> tuple[Section, ...]:
    """Intro, verse, chorus, break, chorus: in whole pairs of bars, each with its own parts."""
    bars = max(8, 2 * round(length * tempo / 480.0))
    everyone = ("drums", "bass", *harmony)
    intro, rest = 2, 2
    sung = bars - intro - rest
    verse = max(2, 2 * round(0.4 * sung / 2))
    first = max(2, 2 * round(0.3 * sung / 2))
    last = sung - verse - first
    sections = [
        Section("intro", intro, ("drums", harmony[0]), sparse=True),
        Section("verse", verse, ("drums", "bass", *harmony[:-1])),
        Section("chorus", first, everyone),
        Section("break", rest, ("bass", *harmony[-1:]), sparse=True),
    ]
    return (*sections, Section("chorus", last, everyone)) if last > 0 else tuple(sections)
