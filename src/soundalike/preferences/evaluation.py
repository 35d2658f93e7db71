"""Evaluation of preference models: agreement with held-out majorities, by the paper's splits and without shared tracks.

Models are tested on kept triplets only. A prediction of 0 (w.f = 0) never counts as agreement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from soundalike.config import require_extra
from soundalike.errors import InputError
from soundalike.preferences.estimators import Fit, Method
from soundalike.preferences.triplet_data import Bool, Float64, TripletData

SPLITS = 100
TEST_SHARE = 0.3
"""The paper's protocol: 100 shuffled splits, 70 % training, 30 % test, stratified by label."""

MIN_TEST = 10
"""A learning curve stops where fewer triplets than this are left to test on."""

Split = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Indices of training and test triplets."""


def predict(features: Float64, weights: Float64) -> NDArray[np.int64]:
    """(N,) +1 (A) where w.f > 0, -1 (B) where w.f < 0, else 0. Eq. 3; with one weight Eq. 1."""
    return np.sign(features @ weights).astype(np.int64)


def is_correct(data: TripletData, predictions: NDArray[np.int64]) -> Bool:
    """(N,) whether predictions (N,) agree with the majority."""
    correct: Bool = (predictions == data.labels) & (predictions != 0)
    return correct


def shuffle_splits(data: TripletData, count: int = SPLITS, test: float = TEST_SHARE, seed: int = 0) -> list[Split]:
    """The paper's shuffled splits of the kept triplets, stratified by label.

    Triplets below the cut-off are in every training part: models of labels ignore them, models of votes learn from them.
    If nearly all labels are the same, because the preferred candidate always comes first in the table, triplets are first
    oriented at random: a model without an intercept does not depend on which candidate is called A. Raises InputError if
    there are too few triplets to split, or without the extra `report` (scikit-learn).
    """
    require_extra("report", "an evaluation over shuffled splits")
    from sklearn.model_selection import StratifiedShuffleSplit

    kept, rest = np.flatnonzero(data.kept), np.flatnonzero(~data.kept)
    labels = data.labels[kept]
    if len(kept) < 4 or test * len(kept) < 2:
        raise InputError(f"{len(kept)} triplets reach the cut-off: too few to split into training and test")
    if min(np.sum(labels == 1), np.sum(labels == -1)) < 2:
        labels = np.random.default_rng(seed).permutation(np.resize([1, -1], len(kept)))
    splitter = StratifiedShuffleSplit(n_splits=count, test_size=test, random_state=seed)
    return [(np.r_[kept[training], rest], kept[tested]) for training, tested in splitter.split(kept, labels)]


@dataclass(frozen=True)
class CrossValidation:
    """Results of a method over S splits.

    agreements: (S,); weights: (S, K).
    tested, correct: (N,), in how many test parts a triplet occurs, and in how many of those it is predicted correctly.
    """

    agreements: Float64
    weights: Float64
    tested: NDArray[np.int64]
    correct: NDArray[np.int64]

    def agreement_of(self, selection: Bool) -> float:
        """Agreement on the selected triplets (N,), pooled over the splits; NaN if none of them was tested."""
        tested = int(self.tested[selection].sum())
        return int(self.correct[selection].sum()) / tested if tested else math.nan


def cross_validate(data: TripletData, method: Method, splits: Sequence[Split]) -> CrossValidation:
    """Fit on each training part and test on the matching test part. Raises the errors of the method."""
    times_tested, times_correct = np.zeros(len(data), dtype=np.int64), np.zeros(len(data), dtype=np.int64)
    agreements, weights = [], []
    for training, tested in splits:
        fit = method.fit(data.take(training))
        correct = is_correct(data, predict(data.features, fit.weights))[tested]
        agreements.append(float(correct.mean()))
        weights.append(fit.weights)
        times_tested[tested] += 1
        times_correct[tested] += correct
    return CrossValidation(np.array(agreements), np.array(weights), times_tested, times_correct)


@dataclass(frozen=True)
class LeaveTracksOut:
    """Each kept triplet predicted by a model that was fitted without any of its tracks.

    predictions: (N,) +1, -1 or 0; 0 where not tested. scores: (N,), w.f.
    tested: (N,), the kept triplets for which a model could be fitted; failed: the number of kept triplets for which too
    little data was left. Agreement on the tested triplets must be shown together with the number of failed ones.
    training: (N,), number of kept triplets in each training set.
    """

    predictions: NDArray[np.int64]
    scores: Float64
    tested: Bool
    training: NDArray[np.int64]
    failed: int


def leave_tracks_out(data: TripletData, method: Method) -> LeaveTracksOut:
    """Leave out one triplet, and with it every training triplet that shares a track with it."""
    predictions, training = np.zeros(len(data), dtype=np.int64), np.zeros(len(data), dtype=np.int64)
    scores, tested, failed = np.zeros(len(data)), np.zeros(len(data), dtype=bool), 0
    for index in np.flatnonzero(data.kept):
        others = data.take(~data.shares_track([index]))
        training[index] = int(others.kept.sum())
        try:
            weights = method.fit(others).weights
        except InputError:
            failed += 1
            continue
        tested[index] = True
        scores[index] = float(data.features[index] @ weights)
        predictions[index] = predict(data.features[index], weights)
    return LeaveTracksOut(predictions, scores, tested, training, failed)


@dataclass(frozen=True)
class CurvePoint:
    """Agreement on held-out triplets after training on `triplets`: mean and standard deviation over repeated draws."""

    triplets: int
    agreement: float
    deviation: float


def learning_curve(
    data: TripletData, method: Method, sizes: Sequence[int], *, repeats: int = 50, seed: int = 0
) -> list[CurvePoint]:
    """Agreement by number of training triplets (kept ones, drawn at random), tested on the remaining kept ones.

    Models of votes learn from the drawn triplets only, so that sizes are comparable. Sizes that leave fewer than
    `MIN_TEST` triplets to test on are skipped. Draws that cannot be fitted are repeated, up to ten times as often.
    """
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(data.kept)
    points = []
    for size in sizes:
        if len(kept) - size < MIN_TEST:
            continue
        agreements: list[float] = []
        for _ in range(10 * repeats):
            if len(agreements) == repeats:
                break
            drawn = rng.permutation(kept)
            try:
                weights = method.fit(data.take(drawn[:size])).weights
            except InputError:
                continue
            correct = is_correct(data, predict(data.features, weights))[drawn[size:]]
            agreements.append(float(correct.mean()))
        if len(agreements) > 1:
            points.append(CurvePoint(size, float(np.mean(agreements)), float(np.std(agreements, ddof=1))))
    return points


def triplets_needed(fit: Fit, first: int, second: int, *, level: float = 0.95, power: float = 0.8) -> float:
    """How many more triplets are needed to tell the weights of parts `first` and `second` (indices) apart.

    That is, for a two-sided test of this level to detect their present difference with this power. 0 if the data suffice,
    infinity if the weights are equal. Normal approximation; the variance of a difference falls as 1/N. Raises InputError
    for a fit without a covariance.
    """
    if fit.covariance is None:
        raise InputError(f"the method {fit.method} gives no covariance, so the number of triplets needed is unknown")
    c = fit.covariance
    variance = float(c[first, first] + c[second, second] - 2 * c[first, second])
    difference = float(fit.weights[first] - fit.weights[second])
    if difference == 0:
        return math.inf
    quantiles = float(stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(power))
    return max(0.0, fit.triplets * (quantiles**2 * variance / difference**2 - 1))
