"""Judging a model of preference: agreement with held-out majorities, by the paper's splits and without shared tracks.

Only kept triplets are tested on. A prediction of 0 (w.f = 0: nothing to tell the candidates apart by) agrees with nobody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.model_selection import StratifiedShuffleSplit

from soundalike.errors import InputError
from soundalike.preferences.estimators import Fit, Method
from soundalike.preferences.triplet_data import Bool, Float64, Judged

SPLITS = 100
TEST_SHARE = 0.3
"""The paper's protocol: 100 shuffled splits, 70 % training, 30 % test, labels in proportion."""

Split = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Indices of training and test triplets."""


def predict(features: Float64, weights: Float64) -> NDArray[np.int64]:
    """(N,) +1 where w.f > 0 (A), -1 where below (B), 0 where neither. Eq. 3; with one weight Eq. 1."""
    return np.sign(features @ weights).astype(np.int64)


def right(judged: Judged, predictions: NDArray[np.int64]) -> Bool:
    """(N,) where predictions (N,) are the majority's."""
    found: Bool = (predictions == judged.labels) & (predictions != 0)
    return found


def shuffle_splits(judged: Judged, count: int = SPLITS, test: float = TEST_SHARE, seed: int = 0) -> list[Split]:
    """The paper's splits of the kept triplets, stratified by label. Triplets below the cut-off are in every training part:
    models of labels do not see them, models of votes learn from them.

    Raises InputError where there are too few of a label.
    """
    kept, rest = np.flatnonzero(judged.kept), np.flatnonzero(~judged.kept)
    labels = judged.labels[kept]
    fewest = min(int(np.sum(labels == 1)), int(np.sum(labels == -1)))
    if fewest < 2 or test * len(kept) < 2:
        raise InputError(
            f"{len(kept)} triplets reach the cut-off, {fewest} of the rarer answer: too few to split into training and test"
        )
    splitter = StratifiedShuffleSplit(n_splits=count, test_size=test, random_state=seed)
    return [(np.r_[kept[training], rest], kept[tested]) for training, tested in splitter.split(kept, labels)]


@dataclass(frozen=True)
class OverSplits:
    """A method over S splits: agreements (S,), weights (S, K); and `counted`, `correct` (N,): in how many test parts a
    triplet stood and in how many of them it was predicted right."""

    agreements: Float64
    weights: Float64
    counted: NDArray[np.int64]
    correct: NDArray[np.int64]

    def agreement_of(self, chosen: Bool) -> float:
        """Agreement on the tested triplets among `chosen` (N,), pooled over the splits; NaN where none was tested."""
        tested = int(self.counted[chosen].sum())
        return int(self.correct[chosen].sum()) / tested if tested else math.nan


def over_splits(judged: Judged, method: Method, splits: Sequence[Split]) -> OverSplits:
    """Fit on each training part, test on its test part. Raises as the method does."""
    counted, correct = np.zeros(len(judged), dtype=np.int64), np.zeros(len(judged), dtype=np.int64)
    agreements, weights = [], []
    for training, tested in splits:
        fit = method.fit(judged.take(training))
        hits = right(judged, predict(judged.features, fit.weights))[tested]
        agreements.append(float(hits.mean()))
        weights.append(fit.weights)
        counted[tested] += 1
        correct[tested] += hits
    return OverSplits(np.array(agreements), np.array(weights), counted, correct)


@dataclass(frozen=True)
class LeftOut:
    """Each kept triplet predicted by a model that saw none of its tracks.

    predictions (N,): +1, -1, 0, and 0 where not tested; scores (N,): w.f; tested (N,): the kept triplets for which a model
    could be fitted; training (N,): kept triplets that were left to learn from; failed: kept triplets for which too little was
    left to fit a model to. Whoever shows an agreement of those tested says how many failed.
    """

    predictions: NDArray[np.int64]
    scores: Float64
    tested: Bool
    training: NDArray[np.int64]
    failed: int


def leave_one_out(judged: Judged, method: Method) -> LeftOut:
    """Leave one triplet out, and with it every training triplet that shares a track with it."""
    predictions, training = np.zeros(len(judged), dtype=np.int64), np.zeros(len(judged), dtype=np.int64)
    scores, tested, failed = np.zeros(len(judged)), np.zeros(len(judged), dtype=bool), 0
    for index in np.flatnonzero(judged.kept):
        apart = judged.take(~judged.sharing([index]))
        training[index] = int(apart.kept.sum())
        try:
            weights = method.fit(apart).weights
        except InputError:
            failed += 1
            continue
        tested[index] = True
        scores[index] = float(judged.features[index] @ weights)
        predictions[index] = predict(judged.features[index], weights)
    return LeftOut(predictions, scores, tested, training, failed)


@dataclass(frozen=True)
class CurvePoint:
    """Agreement on held-out triplets after training on `triplets`: mean and deviation over repeated draws."""

    triplets: int
    agreement: float
    deviation: float


def learning_curve(
    judged: Judged, method: Method, sizes: Sequence[int], *, repeats: int = 50, seed: int = 0
) -> list[CurvePoint]:
    """Agreement by number of training triplets (kept ones, drawn at random), tested on the kept ones not drawn.

    Models of votes learn from those alone too, so that sizes compare. Sizes that leave fewer than 10 to test on are left
    out, and draws that no model can be fitted to (too few triplets) are drawn again, up to ten times as often.
    """
    rng = np.random.default_rng(seed)
    kept = np.flatnonzero(judged.kept)
    points = []
    for size in sizes:
        if len(kept) - size < 10:
            continue
        agreements: list[float] = []
        for _ in range(10 * repeats):
            if len(agreements) == repeats:
                break
            drawn = rng.permutation(kept)
            try:
                weights = method.fit(judged.take(drawn[:size])).weights
            except InputError:
                continue
            hits = right(judged, predict(judged.features, weights))[drawn[size:]]
            agreements.append(float(hits.mean()))
        if len(agreements) > 1:
            points.append(CurvePoint(size, float(np.mean(agreements)), float(np.std(agreements, ddof=1))))
    return points


def triplets_until_apart(fit: Fit, first: int, second: int, *, level: float = 0.95, power: float = 0.8) -> float:
    """How many more triplets like those fitted to until the weights of parts `first` and `second` (indices) can be told
    apart: so that a test of this level finds their present difference with this power. 0 where enough are there, infinity
    where the weights are equal.

    The variance of a difference falls as 1/N; normal approximation. Raises InputError for a fit without a covariance.
    """
    if fit.covariance is None:
        raise InputError(f"the method {fit.method} gives no covariance, so nothing says when weights can be told apart")
    c = fit.covariance
    variance = float(c[first, first] + c[second, second] - 2 * c[first, second])
    difference = float(fit.weights[first] - fit.weights[second])
    if difference == 0:
        return math.inf
    reach = float(stats.norm.ppf(0.5 + level / 2) + stats.norm.ppf(power))
    return max(0.0, fit.triplets * (reach**2 * variance / difference**2 - 1))
