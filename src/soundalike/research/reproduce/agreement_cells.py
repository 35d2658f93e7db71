"""Cells of tables: agreement of predictions with majorities, and noise ceilings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from soundalike.preferences.intervals import clustered_bootstrap, wilson
from soundalike.preferences.noise_ceiling import noise_ceiling
from soundalike.preferences.triplet_data import Bool
from soundalike.preferences.triplets import Triplet, labels
from soundalike.research.reproduce.tables import Cell, Row, percent, row

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
    """Agreement of the triplets that have a prediction, with Wilson's interval; None if there are none."""
    usable = predicted(triplets, predictions)
    return correct_cell(_correct(usable, predictions))


def clustered_agreement_cell(triplets: Sequence[Triplet], predictions: Predictions) -> Cell | None:
    """The same with the interval of a bootstrap over tracks."""
    usable = predicted(triplets, predictions)
    if not usable:
        return None
    correct = _correct(usable, predictions)
    interval = clustered_bootstrap(correct, [frozenset(triplet.tracks) for triplet in usable])
    return Cell(percent(float(correct.mean())), low=percent(interval.low), high=percent(interval.high))


def correct_cell(correct: Bool) -> Cell | None:
    """Agreement in percent from a mask of correct predictions (N,), with Wilson's interval; None for N = 0."""
    if not len(correct):
        return None
    interval = wilson(int(correct.sum()), len(correct))
    return Cell(
        percent(float(correct.mean())),
        low=percent(interval.low),
        high=percent(interval.high),
        right=int(correct.sum()),
        total=len(correct),
    )


def ceiling_row(
    columns: Mapping[str, Sequence[Triplet]], cut_off: float, include: Callable[[Triplet], bool] = lambda _: True
) -> Row:
    """The noise ceiling of each column's triplets."""
    values = [noise_ceiling(triplets, cut_off, include=include) for triplets in columns.values()]
    return row("noise ceiling", [Cell(percent(value)) for value in values])


def _correct(triplets: Sequence[Triplet], predictions: Predictions) -> Bool:
    predicted_labels = np.array([predictions[triplet_key(triplet)] for triplet in triplets], dtype=np.int64)
    correct: Bool = predicted_labels == labels(triplets)
    return correct
