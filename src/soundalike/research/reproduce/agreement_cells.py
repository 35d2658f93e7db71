"""Cells of tables: agreement of predictions with majorities, and noise ceilings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from soundalike.preferences.cluster_robust import Links, share_interval
from soundalike.preferences.listeners import Share, human_agreement
from soundalike.preferences.noise_ceiling import noise_ceiling, noise_ceiling_interval
from soundalike.preferences.triplet_data import Bool
from soundalike.preferences.triplets import Perspective, Triplet, labels
from soundalike.research.reproduce.tables import Cell, Row, percent, row

HUMAN = "a single listener"
"""Label of the share of answers that agree with the majority of the other listeners."""
CEILING = "noise ceiling"

TripletKey = tuple[str, str, str]
"""A triplet's clips: reference, A, B."""

Predictions = Mapping[TripletKey, int]
"""+1 for A, -1 for B, 0 for neither; triplets that could not be used are missing."""


def triplet_key(triplet: Triplet) -> TripletKey:
    """The triplet's key in `Predictions`."""
    return triplet.reference, triplet.a, triplet.b


def same_track_predictions(triplets: Sequence[Triplet]) -> dict[TripletKey, int]:
    """Predictions for XYC triplets that always choose the candidate from the reference's own track."""
    return {triplet_key(t): 1 if t.tracks[0] == t.tracks[1] else -1 for t in triplets if t.kind == "XYC"}


def predicted(triplets: Sequence[Triplet], predictions: Predictions) -> list[Triplet]:
    """The triplets that have a prediction."""
    return [triplet for triplet in triplets if triplet_key(triplet) in predictions]


def agreement_cell(triplets: Sequence[Triplet], predictions: Predictions) -> Cell | None:
    """Agreement of the triplets that have a prediction; None if there are none."""
    usable = predicted(triplets, predictions)
    predicted_labels = np.array([predictions[triplet_key(triplet)] for triplet in usable], dtype=np.int64)
    return correct_cell(predicted_labels == labels(usable), Links([frozenset(triplet.tracks) for triplet in usable]))


def correct_cell(correct: Bool, links: Links) -> Cell | None:
    """Agreement in percent from a mask of correct predictions (N,), with an interval robust to links; None for N = 0."""
    if not len(correct):
        return None
    interval = share_interval(correct, links)
    return Cell(
        percent(float(correct.mean())),
        low=percent(interval.low),
        high=percent(interval.high),
        right=int(correct.sum()),
        total=len(correct),
    )


def share_cell(share: Share) -> Cell | None:
    """A share of answers in percent; None of none."""
    if not share.total:
        return None
    low, high = percent(share.interval.low), percent(share.interval.high)
    return Cell(percent(share.value), low=low, high=high, right=share.count, total=share.total)


def human_row(columns: Mapping[str, Sequence[Triplet]], cut_off: float, perspective: Perspective = "total") -> Row:
    """How often a single listener agrees with the others' majority, of each column's triplets."""
    shares = [human_agreement(triplets, cut_off, perspective) for triplets in columns.values()]
    return row(HUMAN, [share_cell(share) for share in shares])


def ceiling_row(
    columns: Mapping[str, Sequence[Triplet]],
    cut_off: float,
    include: Callable[[Triplet], bool] = lambda _: True,
    perspective: Perspective = "total",
) -> Row:
    """The noise ceiling of each column's triplets."""
    return row(CEILING, [ceiling_cell(triplets, cut_off, include, perspective) for triplets in columns.values()])


def ceiling_cell(
    triplets: Sequence[Triplet],
    cut_off: float,
    include: Callable[[Triplet], bool] = lambda _: True,
    perspective: Perspective = "total",
) -> Cell:
    """The noise ceiling with its interval."""
    value = percent(noise_ceiling(triplets, cut_off, perspective, include=include))
    interval = noise_ceiling_interval(triplets, cut_off, perspective, include=include)
    if math.isnan(interval.low):
        return Cell(value)
    return Cell(value, low=percent(interval.low), high=percent(interval.high))
