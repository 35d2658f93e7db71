"""Triplets and their votes: which of two clips, A or B, listeners found more similar to a reference X.

Conventions
- A triplet is the ordered triple of clips (reference, A, B); answers to the same triple are its votes.
- A vote has one of four `GRADES`: clearly A, rather A, rather B, clearly B.
- The agreement of a triplet is its majority's share of the votes, ignoring strength (Inst-Sim-ABX; Vohra & Akama, Table 1).
- Two kinds of triplet: in `XYC` one candidate is from the reference's own track, in `XAB` neither is.
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

OPPOSITE: Mapping[Grade, Grade] = dict(zip(GRADES, reversed(GRADES), strict=True))

Perspective = Literal["timbre", "rhythm", "melody", "total"]
PERSPECTIVES: tuple[Perspective, ...] = get_args(Perspective)

Votes = tuple[int, int, int, int]
"""Number of answers of each of `GRADES`."""

NO_VOTES: Votes = (0, 0, 0, 0)


@dataclass(frozen=True)
class Ballot:
    """One listener's answers to a triplet.

    grades: by perspective, in the triplet's orientation; swapped: whether the candidates were shown in the other order.
    listener: empty if unknown; experiment: name of the part of a study; seconds: time taken, None if unknown.
    """

    grades: Mapping[Perspective, Grade]
    swapped: bool = False
    listener: str = ""
    experiment: str = ""
    seconds: float | None = None

    def exchanged(self) -> Ballot:
        """The same answers with A and B exchanged."""
        grades = {perspective: OPPOSITE[grade] for perspective, grade in self.grades.items()}
        return replace(self, grades=grades, swapped=not self.swapped)


@dataclass(frozen=True)
class Triplet:
    """Three clips and the answers about them.

    reference, a, b: names of the clips.
    part: the part that the clips contain, one of `soundalike.parts.PARTS`.
    tracks: the track that each clip is cut from, in the order reference, A, B.
    votes: by perspective; perspectives without votes may be missing.
    ballots: the single answers behind the votes, empty if unknown.
    """

    reference: str
    a: str
    b: str
    part: str
    tracks: tuple[str, str, str]
    votes: Mapping[Perspective, Votes]
    ballots: tuple[Ballot, ...] = ()

    @property
    def kind(self) -> Kind:
        """`XYC` where exactly one candidate is from the reference's own track, else `XAB`."""
        return "XYC" if (self.tracks[0] == self.tracks[1]) != (self.tracks[0] == self.tracks[2]) else "XAB"

    def counts(self, perspective: Perspective = "total") -> Votes:
        """Number of votes of each grade."""
        return self.votes.get(perspective, NO_VOTES)

    def for_a(self, perspective: Perspective = "total") -> int:
        """Votes for A, of either strength."""
        return sum(self.counts(perspective)[:2])

    def for_b(self, perspective: Perspective = "total") -> int:
        """Votes for B, of either strength."""
        return sum(self.counts(perspective)[2:])

    def agreement(self, perspective: Perspective = "total") -> float:
        """The majority's share of the votes, 0.5 to 1; NaN without a vote."""
        a, b = self.for_a(perspective), self.for_b(perspective)
        return max(a, b) / (a + b) if a + b else float("nan")

    def label(self, perspective: Perspective = "total") -> int:
        """+1 if the majority prefers A, -1 if it prefers B, 0 for a tie: y in Eq. 3."""
        difference = self.for_a(perspective) - self.for_b(perspective)
        return (difference > 0) - (difference < 0)

    def swapped(self) -> Triplet:
        """The same triplet with A and B exchanged."""
        return replace(
            self,
            a=self.b,
            b=self.a,
            tracks=(self.tracks[0], self.tracks[2], self.tracks[1]),
            votes={perspective: votes[::-1] for perspective, votes in self.votes.items()},
            ballots=tuple(ballot.exchanged() for ballot in self.ballots),
        )

    def with_ballots(self, ballots: Iterable[Ballot]) -> Triplet:
        """The same triplet with these ballots and the votes that they add up to."""
        ballots = tuple(ballots)
        return replace(self, votes=count_votes(ballots), ballots=ballots)


def above_cut_off(triplets: Iterable[Triplet], cut_off: float, perspective: Perspective = "total") -> list[Triplet]:
    """Triplets with a majority and an agreement of at least `cut_off` (0.5 to 1): the rule of the paper's tables.

    Raises InputError for a cut-off outside that range.
    """
    check_cut_off(cut_off)
    return [t for t in triplets if t.label(perspective) != 0 and t.agreement(perspective) >= cut_off - 1e-9]


def check_cut_off(cut_off: float) -> None:
    """Raise InputError for a cut-off outside 0.5 to 1."""
    if not 0.5 <= cut_off <= 1:
        raise InputError(f"the cut-off is {cut_off:g}; it must be an agreement from 0.5 to 1")


def merge_mirrored(triplets: Iterable[Triplet]) -> list[Triplet]:
    """Merge triplets that were asked in both orders, (X, A, B) and (X, B, A): votes are added in the order that comes first."""
    merged: dict[tuple[str, str, str], Triplet] = {}
    for triplet in triplets:
        other = (triplet.reference, triplet.b, triplet.a)
        if other in merged:
            first, mirrored = merged[other], triplet.swapped()
            votes = add_votes(first.votes, mirrored.votes)
            merged[other] = replace(first, votes=votes, ballots=first.ballots + mirrored.ballots)
        else:
            merged[triplet.reference, triplet.a, triplet.b] = triplet
    return list(merged.values())


@dataclass(frozen=True)
class TripletFilter:
    """A rule for keeping triplets: enough votes, a majority, and an agreement of (or, if strict, above) the cut-off."""

    label: str
    cut_off: float
    min_votes: int = 1
    strict: bool = False

    def accepts(self, triplet: Triplet) -> bool:
        """Whether the rule keeps a triplet, judged by its overall answers."""
        agreement = triplet.agreement()
        reached = agreement > self.cut_off + 1e-9 if self.strict else agreement >= self.cut_off - 1e-9
        return triplet.label() != 0 and sum(triplet.counts()) >= self.min_votes and reached

    def select(self, triplets: Iterable[Triplet]) -> list[Triplet]:
        """The triplets that the rule keeps."""
        return [triplet for triplet in triplets if self.accepts(triplet)]


def cut_off_filter(cut_off: float) -> TripletFilter:
    """The rule of the paper's tables. Raises InputError for a cut-off outside 0.5 to 1."""
    check_cut_off(cut_off)
    return TripletFilter(f"agreement of {cut_off:.0%} or more", cut_off)


STRICT_SUBSET = TripletFilter("Imamura et al.: 3 answers or more, agreement above 75%", 0.75, 3, strict=True)
"""The subset on which other systems were evaluated (Imamura et al.): at least 3 answers, and |mean| > 1 where each answer
counts +2 (A) or -2 (B), which is an agreement strictly above 75 %."""


def count_votes(ballots: Iterable[Ballot]) -> dict[Perspective, Votes]:
    """Votes by perspective."""
    counts: dict[Perspective, list[int]] = {}
    for ballot in ballots:
        for perspective, grade in ballot.grades.items():
            counts.setdefault(perspective, [0] * len(GRADES))[GRADES.index(grade)] += 1
    return {perspective: (a, b, c, d) for perspective, (a, b, c, d) in counts.items()}


def add_votes(first: Mapping[Perspective, Votes], second: Mapping[Perspective, Votes]) -> dict[Perspective, Votes]:
    """The sum of two sets of votes, by perspective."""
    totals: dict[Perspective, Votes] = {}
    for perspective in PERSPECTIVES:
        if perspective in first or perspective in second:
            a, b = first.get(perspective, NO_VOTES), second.get(perspective, NO_VOTES)
            totals[perspective] = (a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3])
    return totals


def labels(triplets: Sequence[Triplet], perspective: Perspective = "total") -> NDArray[np.int64]:
    """(N,) the label of each triplet: +1, -1 or 0."""
    return np.array([triplet.label(perspective) for triplet in triplets], dtype=np.int64)


def vote_counts(triplets: Sequence[Triplet], perspective: Perspective = "total") -> NDArray[np.int64]:
    """(N, 4) number of votes of each grade."""
    return np.array([triplet.counts(perspective) for triplet in triplets], dtype=np.int64).reshape(-1, len(GRADES))
