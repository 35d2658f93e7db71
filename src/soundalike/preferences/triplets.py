"""Triplets and their votes: which of two clips, A or B, listeners found more like a reference X.

Conventions
- A triplet is the ordered triple of its clips (reference, A, B); answers to the same triple are votes for it.
- A vote has one of four grades, `GRADES`: clearly A, rather A, rather B, clearly B.
- Agreement of a triplet is the share of its majority, whatever the grade (Inst-Sim-ABX; Vohra & Akama, Table 1).
- Two kinds of question: in `XYC` one candidate is of the reference's own track, in `XAB` neither is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError

Kind = Literal["XAB", "XYC"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Grade = Literal["A+", "A-", "B-", "B+"]
GRADES: tuple[Grade, ...] = get_args(Grade)

Perspective = Literal["timbre", "rhythm", "melody", "total"]
PERSPECTIVES: tuple[Perspective, ...] = get_args(Perspective)

Votes = tuple[int, int, int, int]
"""How many answers had each of `GRADES`."""

NO_VOTES: Votes = (0, 0, 0, 0)


@dataclass(frozen=True)
class Triplet:
    """One question, and the answers it had.

    reference, a, b: the clips' names; part: what they hold, a part of `soundalike.parts.PARTS`; tracks: the track that
    each of the three is cut from, in the same order; votes: by perspective, those without a vote may be left out.
    """

    reference: str
    a: str
    b: str
    part: str
    tracks: tuple[str, str, str]
    votes: Mapping[Perspective, Votes]

    @property
    def kind(self) -> Kind:
        """XYC where one candidate, and not both, is of the reference's own track."""
        return "XYC" if (self.tracks[0] == self.tracks[1]) != (self.tracks[0] == self.tracks[2]) else "XAB"

    def counts(self, perspective: Perspective = "total") -> Votes:
        """Votes a grade."""
        return self.votes.get(perspective, NO_VOTES)

    def for_a(self, perspective: Perspective = "total") -> int:
        """Votes for A, of either strength."""
        return sum(self.counts(perspective)[:2])

    def for_b(self, perspective: Perspective = "total") -> int:
        """Votes for B, of either strength."""
        return sum(self.counts(perspective)[2:])

    def share(self, perspective: Perspective = "total") -> float:
        """Agreement: the majority's share of the votes, .5 to 1; NaN without a vote."""
        a, b = self.for_a(perspective), self.for_b(perspective)
        return max(a, b) / (a + b) if a + b else float("nan")

    def label(self, perspective: Perspective = "total") -> int:
        """+1 where most preferred A, -1 where B, 0 where neither: the y of Eq. 3."""
        difference = self.for_a(perspective) - self.for_b(perspective)
        return (difference > 0) - (difference < 0)

    def turned(self) -> Triplet:
        """The same question with A and B in each other's place."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            tracks=(self.tracks[0], self.tracks[2], self.tracks[1]),
            votes={perspective: votes[::-1] for perspective, votes in self.votes.items()},
        )


def kept(triplets: Iterable[Triplet], cut_off: float, perspective: Perspective = "total") -> list[Triplet]:
    """Those with agreement of at least `cut_off` (0.5 to 1) and a majority; the rule of the paper's tables.

    Raises InputError for another cut-off.
    """
    check_cut_off(cut_off)
    return [t for t in triplets if t.label(perspective) != 0 and t.share(perspective) >= cut_off - 1e-9]


def check_cut_off(cut_off: float) -> None:
    """Raises InputError for a cut-off that is no agreement, 0.5 to 1."""
    if not 0.5 <= cut_off <= 1:
        raise InputError(f"a cut-off of {cut_off:g} is not possible; agreement is a share from 0.5 to 1")


def without_repeats(triplets: Iterable[Triplet]) -> list[Triplet]:
    """One triplet for each question, where some were asked in both orders: their votes are added up, in the order that
    was met first."""
    found: dict[tuple[str, str, str], Triplet] = {}
    for triplet in triplets:
        other = (triplet.reference, triplet.b, triplet.a)
        if other in found:
            turned, first = triplet.turned(), found[other]
            found[other] = replace(first, votes=added(first.votes, turned.votes))
        else:
            found[triplet.reference, triplet.a, triplet.b] = triplet
    return list(found.values())


def added(one: Mapping[Perspective, Votes], other: Mapping[Perspective, Votes]) -> dict[Perspective, Votes]:
    """Votes of two sets of answers together."""
    return {
        perspective: (
            one.get(perspective, NO_VOTES)[0] + other.get(perspective, NO_VOTES)[0],
            one.get(perspective, NO_VOTES)[1] + other.get(perspective, NO_VOTES)[1],
            one.get(perspective, NO_VOTES)[2] + other.get(perspective, NO_VOTES)[2],
            one.get(perspective, NO_VOTES)[3] + other.get(perspective, NO_VOTES)[3],
        )
        for perspective in PERSPECTIVES
        if perspective in one or perspective in other
    }


def labels(triplets: Sequence[Triplet], perspective: Perspective = "total") -> NDArray[np.int64]:
    """(N,) of +1, -1, 0."""
    return np.array([triplet.label(perspective) for triplet in triplets], dtype=np.int64)


def vote_counts(triplets: Sequence[Triplet], perspective: Perspective = "total") -> NDArray[np.int64]:
    """(N, 4) votes a grade."""
    return np.array([triplet.counts(perspective) for triplet in triplets], dtype=np.int64).reshape(-1, len(GRADES))
