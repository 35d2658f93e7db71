"""Listeners: how well they agree with each other, which side they prefer, who is screened out."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.preferences.cluster_robust import Links, mean_variance, share_interval
from soundalike.preferences.intervals import Interval
from soundalike.preferences.triplets import Ballot, Perspective, Triplet

Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Share:
    """A share of answers: how many, of how many, and its interval (robust to shared tracks and listeners)."""

    count: int
    total: int
    interval: Interval

    @property
    def value(self) -> float:
        """The share, NaN of none."""
        return self.count / self.total if self.total else math.nan


def human_agreement(triplets: Sequence[Triplet], cut_off: float, perspective: Perspective = "total") -> Share:
    """How often one listener agrees with the majority of the others, where those agree to at least `cut_off`.

    The figure of a model that is as good as a single listener, on the same kind of triplets as a model is tested on.
    """
    rows: list[tuple[int, str, bool]] = []
    for index, triplet in enumerate(triplets):
        for ballot in _ballots(triplet, perspective):
            mine = ballot.grades[perspective].startswith("A")
            same = (triplet.for_a(perspective) if mine else triplet.for_b(perspective)) - 1
            other = triplet.for_b(perspective) if mine else triplet.for_a(perspective)
            if same != other and max(same, other) >= cut_off * (same + other) - 1e-9:
                rows.append((index, ballot.listener, same > other))
    return _share(triplets, rows)


@dataclass(frozen=True)
class SideBias:
    """Preference for the side shown first. z: of the difference from one half, robust to shared tracks and listeners."""

    first: Share
    z: float


def side_bias(triplets: Sequence[Triplet], perspective: Perspective = "total") -> SideBias:
    """How often the candidate shown first was chosen."""
    rows = [
        (index, ballot.listener, _chose_first(ballot, perspective))
        for index, triplet in enumerate(triplets)
        for ballot in _ballots(triplet, perspective)
    ]
    first = _share(triplets, rows)
    if not first.total:
        return SideBias(first, math.nan)
    links = _links(triplets, rows)
    variance = mean_variance(np.array([row[2] for row in rows], dtype=np.float64), links).covariance[0, 0]
    return SideBias(first, (first.value - 0.5) / math.sqrt(variance) if variance > 0 else math.nan)


def same_track_chosen(triplets: Sequence[Triplet], *, shown_first: bool, perspective: Perspective = "total") -> Share:
    """How often the candidate from the reference's own track was chosen in XYC triplets, when it was shown first or not."""
    rows: list[tuple[int, str, bool]] = []
    for index, triplet in enumerate(triplets):
        if triplet.kind != "XYC":
            continue
        own_is_a = triplet.tracks[0] == triplet.tracks[1]
        for ballot in _ballots(triplet, perspective):
            if (own_is_a != ballot.swapped) == shown_first:
                rows.append((index, ballot.listener, ballot.grades[perspective].startswith("A") == own_is_a))
    return _share(triplets, rows)


def _chose_first(ballot: Ballot, perspective: Perspective) -> bool:
    return ballot.grades[perspective].startswith("A") != ballot.swapped


def _ballots(triplet: Triplet, perspective: Perspective) -> list[Ballot]:
    return [ballot for ballot in triplet.ballots if perspective in ballot.grades]


def _links(triplets: Sequence[Triplet], rows: Sequence[tuple[int, str, bool]]) -> Links:
    names = {name: index for index, name in enumerate(dict.fromkeys(row[1] for row in rows if row[1]))}
    return Links(
        [frozenset(triplet.tracks) for triplet in triplets],
        np.array([row[0] for row in rows], dtype=np.intp),
        np.array([names.get(row[1], -1) for row in rows], dtype=np.intp),
    )


def _share(triplets: Sequence[Triplet], rows: Sequence[tuple[int, str, bool]]) -> Share:
    """The share of true rows; each row is a triplet's index, a listener and whether the answer counts."""
    values = np.array([row[2] for row in rows], dtype=bool)
    interval = share_interval(values, _links(triplets, rows)) if len(values) else Interval(math.nan, math.nan)
    return Share(int(values.sum()), len(values), interval)


def drop_repeated(triplets: Iterable[Triplet]) -> list[Triplet]:
    """The triplets with the first answer of each listener only; answers of unknown listeners all count."""
    return [_without_repeats(triplet) for triplet in triplets]


def _without_repeats(triplet: Triplet) -> Triplet:
    seen: set[str] = set()
    ballots = []
    for ballot in triplet.ballots:
        if not ballot.listener or ballot.listener not in seen:
            ballots.append(ballot)
            seen.add(ballot.listener)
    return triplet if len(ballots) == len(triplet.ballots) else triplet.with_ballots(ballots)


def count_repeated(triplets: Iterable[Triplet]) -> int:
    """How many answers `drop_repeated` removes."""
    return sum(len(triplet.ballots) - len(_without_repeats(triplet).ballots) for triplet in triplets)


@dataclass(frozen=True)
class ListenerSummary:
    """One listener.

    answers: to triplets; agreement: share of them that agree with the majority of the other listeners (ties are left out),
    NaN if there is none; checks, checks_right: attention checks; first: share of answers for the side shown first.
    seconds: median time for an answer, NaN if unknown.
    """

    listener: str
    answers: int
    agreement: float
    checks: int
    checks_right: int
    first: float
    seconds: float


def summarise_listeners(
    triplets: Sequence[Triplet],
    checks: Mapping[str, tuple[int, int]] | None = None,
    perspective: Perspective = "total",
) -> list[ListenerSummary]:
    """A summary of each known listener, by name. checks: by listener, attention checks answered and answered correctly."""
    checks = checks or {}
    agreements: dict[str, list[bool]] = defaultdict(list)
    first: dict[str, list[bool]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    for triplet in triplets:
        for ballot in _ballots(triplet, perspective):
            mine = ballot.grades[perspective].startswith("A")
            same = (triplet.for_a(perspective) if mine else triplet.for_b(perspective)) - 1
            other = triplet.for_b(perspective) if mine else triplet.for_a(perspective)
            first[ballot.listener].append(_chose_first(ballot, perspective))
            if same != other:
                agreements[ballot.listener].append(same > other)
            if ballot.seconds is not None:
                seconds[ballot.listener].append(ballot.seconds)
    return [
        ListenerSummary(
            name,
            len(first[name]),
            float(np.mean(agreements[name])) if agreements[name] else math.nan,
            *checks.get(name, (0, 0)),
            float(np.mean(first[name])) if first[name] else math.nan,
            float(np.median(seconds[name])) if seconds[name] else math.nan,
        )
        for name in sorted({*first, *checks} - {""}, key=_natural)
    ]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts subject2 before subject10."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]


MEASURES: Mapping[str, Callable[[ListenerSummary], float]] = {
    "answers": lambda one: one.answers,
    "agreement": lambda one: one.agreement,
    "checks": lambda one: one.checks_right / one.checks if one.checks else math.nan,
    "first": lambda one: one.first,
    "seconds": lambda one: one.seconds,
}
"""What a screening rule can be about: number of answers, agreement with the others, share of attention checks answered
correctly, share of answers for the side shown first, median seconds for an answer."""

_RULE = re.compile(r"\s*([a-z]+)\s*(>=|<=)\s*([0-9.]+)\s*")


@dataclass(frozen=True)
class ScreeningRule:
    """Listeners are kept if a measure reaches (or stays below) a bound. Listeners whose measure is unknown are kept."""

    measure: str
    at_least: bool
    bound: float

    def keeps(self, summary: ListenerSummary) -> bool:
        """Whether the rule keeps a listener."""
        value = MEASURES[self.measure](summary)
        return math.isnan(value) or (value >= self.bound if self.at_least else value <= self.bound)

    def __str__(self) -> str:
        return f"{self.measure} {'>=' if self.at_least else '<='} {self.bound:g}"


def parse_rule(text: str) -> ScreeningRule:
    """A rule such as `checks>=0.9`. Raises InputError."""
    match = _RULE.fullmatch(text)
    try:
        if match is not None and match[1] in MEASURES:
            return ScreeningRule(match[1], match[2] == ">=", float(match[3]))
    except ValueError:
        pass
    raise InputError(
        f"{text!r} is not a screening rule; write a measure ({', '.join(MEASURES)}), >= or <=, and a number, for example "
        "'checks>=0.9'"
    )


def screened_out(summaries: Iterable[ListenerSummary], rules: Sequence[ScreeningRule]) -> dict[str, str]:
    """The listeners that some rule excludes, with the first such rule."""
    excluded = {}
    for summary in summaries:
        rule = next((rule for rule in rules if not rule.keeps(summary)), None)
        if rule is not None:
            excluded[summary.listener] = str(rule)
    return excluded


def without_listeners(triplets: Iterable[Triplet], listeners: Iterable[str]) -> list[Triplet]:
    """The triplets without the answers of these listeners; triplets without any answer left are dropped."""
    excluded = set(listeners)
    remaining = (t.with_ballots(b for b in t.ballots if b.listener not in excluded) for t in triplets)
    return [triplet for triplet in remaining if triplet.ballots]
