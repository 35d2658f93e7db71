"""Simulated listeners of generated music, who judge by the generator's parameters rather than by audio.

The likeness of a part in two segments depends on its kit or patch (timbre), groove or style (rhythm) and key (harmony). A
listener prefers A over B with a logistic response to the weighted sum of differences, and sometimes answers at random: a
planted truth for everything that fits weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from soundalike.parts import MIX, PARTS
from soundalike.synth.drums import kit_named
from soundalike.synth.patches import patch_named
from soundalike.synth.specs import SongSpec

WEIGHTS = {"bass": 3.0, "drums": 5.0, "guitar": 1.0, "piano": 1.0, "residuals": 1.0, MIX: 1.0}
"""Log-odds per unit of likeness: drums and bass decide."""

ALONE = 5.0
"""Weight of a part that is heard by itself."""

SHARES = {"timbre": 0.6, "rhythm": 0.3, "melody": 0.1}
"""Share of each perspective in a part's likeness."""

AUDIBLE = 0.3
"""A part counts as heard in a segment if it plays for this share of it."""


@dataclass(frozen=True)
class Segment:
    """The seconds `start` to `end` of a track."""

    spec: SongSpec
    start: float
    end: float

    @property
    def parts(self) -> frozenset[str]:
        """The audible parts and `mix`."""
        return _heard(self)


@cache
def _heard(segment: Segment) -> frozenset[str]:
    bar = 240.0 / segment.spec.tempo
    seconds = dict.fromkeys(PARTS, 0.0)
    at = 0.0
    for section in segment.spec.sections:
        overlap = min(at + section.bars * bar, segment.end) - max(at, segment.start)
        for part in section.parts:
            seconds[part] += max(0.0, overlap)
        at += section.bars * bar
    enough = AUDIBLE * (segment.end - segment.start)
    return frozenset({MIX, *(part for part, heard in seconds.items() if heard >= enough)})


def likeness(one: Segment, other: Segment, part: str) -> dict[str, float]:
    """Similarity of a part in two segments, 0 to 1, by perspective: timbre, rhythm, melody, and their weighted sum (`total`).

    0 if either segment lacks the part. For the mix: same style, tempo and key.
    """
    if part not in one.parts or part not in other.parts:
        return dict.fromkeys((*SHARES, "total"), 0.0)
    a, b = one.spec, other.spec
    found = {
        "timbre": float(a.style == b.style) if part == MIX else _timbre(a, b, part),
        "rhythm": max(0.0, 1 - abs(a.tempo - b.tempo) / 40) if part == MIX else _rhythm(a, b, part),
        "melody": 1.0 if a.key == b.key else 0.5 * (a.key.mode == b.key.mode),
    }
    return {**found, "total": sum(share * found[name] for name, share in SHARES.items())}


def _timbre(a: SongSpec, b: SongSpec, part: str) -> float:
    if part == "drums":
        same, akin = a.kit == b.kit, kit_named(a.kit).family == kit_named(b.kit).family
    else:
        one, other = patch_named(a.patch(part)), patch_named(b.patch(part))
        same, akin = one.name == other.name, one.voice == other.voice
    return 1.0 if same else 0.4 * akin


def _rhythm(a: SongSpec, b: SongSpec, part: str) -> float:
    if part == "drums" and a.groove_name == b.groove_name:
        return 1.0
    return (0.5 if part == "drums" else 1.0) * (a.style == b.style)


@dataclass(frozen=True)
class Listeners:
    """Simulated listeners. weights: log-odds per unit of likeness, by part; lapse: share of random answers; strength:
    threshold between "rather" and "clearly", in log-odds."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    lapse: float = 0.02
    strength: float = 1.5

    def log_odds(self, x: Segment, a: Segment, b: Segment, part: str, perspective: str = "total") -> float:
        """Log-odds of A over B: of mixes with the weights, of a single part with `ALONE`."""
        weights = self.weights if part == MIX else {part: ALONE}
        return sum(
            weight * (likeness(x, a, name)[perspective] - likeness(x, b, name)[perspective])
            for name, weight in weights.items()
        )

    def answer(self, odds: float, rng: np.random.Generator) -> str:
        """A+, A-, B- or B+."""
        if rng.random() < self.lapse:
            return str(rng.choice(["A+", "A-", "B-", "B+"]))
        leaning = odds + float(rng.logistic())
        return ("A" if leaning > 0 else "B") + ("+" if abs(leaning) > self.strength else "-")


def segments(spec: SongSpec, duration: float, seconds: float) -> Sequence[Segment]:
    """The whole segments of a track, one after the other."""
    count = int(duration / seconds)
    return [Segment(spec, n * seconds, (n + 1) * seconds) for n in range(count)]
