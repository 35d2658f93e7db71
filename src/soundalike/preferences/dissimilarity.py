"""Timbre check: does an encoder order sounds as people do, given human dissimilarities of pairs?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from soundalike.errors import InputError
from soundalike.preferences.intervals import Interval

Float64 = NDArray[np.float64]

MIN_PAIRS = 3


@dataclass(frozen=True)
class TimbreCheck:
    """An encoder compared with human dissimilarities of N sounds.

    triplet_agreement: share of the triplets (i; j, k) with a human order that the cosine orders alike; ties of the cosine
    count half. triplets: number of triplets with a human order.
    spearman, kendall: rank correlation of dissimilarity and 1 - cosine over pairs; NaN if all cosines are equal.
    interval: 95 % interval of spearman, bootstrapped over sounds. pairs: number of judged pairs.
    """

    triplet_agreement: float
    triplets: int
    spearman: float
    interval: Interval
    kendall: float
    pairs: int


def check_timbre(similarities: Float64, dissimilarities: Float64, *, draws: int = 500, seed: int = 0) -> TimbreCheck:
    """Compare similarities (N, N), such as cosines, with human dissimilarities (N, N) of the same sounds.

    The human matrix is averaged over both directions; NaN marks pairs without a judgement. Raises InputError for matrices
    of different shapes, fewer than three judged pairs, or judgements that are all equal.
    """
    human = _symmetric(similarities, dissimilarities)
    distances = -np.asarray(similarities, dtype=np.float64)
    i, j = np.triu_indices(len(human), 1)
    judged = np.isfinite(human[i, j])
    i, j = i[judged], j[judged]
    if len(i) < MIN_PAIRS:
        raise InputError(
            f"only {len(i)} pairs of sounds have a judgement; at least {MIN_PAIRS} are needed for an order"
        )
    if np.ptp(human[i, j]) == 0:
        raise InputError(f"all {len(i)} judged pairs have the same dissimilarity, so there is no order to compare with")
    agreeing, total = _ordered_triplets(distances, human)
    return TimbreCheck(
        agreeing / total if total else float("nan"),
        total,
        _spearman(human[i, j], distances[i, j]),
        _bootstrap_spearman(human, distances, draws, seed),
        float(stats.kendalltau(human[i, j], distances[i, j]).statistic),
        len(i),
    )


def _symmetric(similarities: Float64, dissimilarities: Float64) -> Float64:
    """The human matrix, checked and averaged over both directions."""
    human = np.asarray(dissimilarities, dtype=np.float64)
    if human.ndim != 2 or human.shape[0] != human.shape[1]:
        raise InputError(
            f"the dissimilarities have shape {human.shape}; a square matrix with one row per sound is needed"
        )
    if np.shape(similarities) != human.shape:
        raise InputError(
            f"{len(similarities)} sounds, but dissimilarities of {len(human)}; both must describe the same sounds"
        )
    if np.isinf(human).any():
        raise InputError("the dissimilarities contain infinite values; leave pairs without a judgement empty (NaN)")
    # A pair judged in one direction only (an upper triangle, for example) keeps that judgement.
    forward, backward = np.where(np.isnan(human), human.T, human), np.where(np.isnan(human.T), human, human.T)
    return (forward + backward) / 2


def _spearman(first: Float64, second: Float64) -> float:
    """Spearman's correlation; NaN where either is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(stats.spearmanr(first, second).statistic)


def _ordered_triplets(distances: Float64, human: Float64) -> tuple[float, int]:
    """Number of triplets (i; j, k), j < k, that both order alike, and number of triplets with a human order."""
    agreeing, total = 0.0, 0
    for i in range(len(human)):
        others = np.flatnonzero(np.isfinite(human[i]) & (np.arange(len(human)) != i))
        j, k = np.triu_indices(len(others), 1)
        expected = np.sign(human[i, others[j]] - human[i, others[k]])
        actual = np.sign(distances[i, others[j]] - distances[i, others[k]])
        ordered = expected != 0
        total += int(ordered.sum())
        agreeing += float(np.sum((1 + expected[ordered] * actual[ordered]) / 2))
    return agreeing, total


def _bootstrap_spearman(human: Float64, distances: Float64, draws: int, seed: int) -> Interval:
    """Interval of Spearman's correlation under resampling of sounds; pairs of a sound with its own copy are dropped."""
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        drawn = rng.integers(len(human), size=len(human))
        i, j = np.triu_indices(len(drawn), 1)
        i, j = drawn[i], drawn[j]
        usable = (i != j) & np.isfinite(human[i, j])
        if usable.sum() >= MIN_PAIRS:
            values.append(_spearman(human[i, j][usable], distances[i, j][usable]))
    values = [value for value in values if np.isfinite(value)]
    low, high = np.quantile(values, [0.025, 0.975]) if values else (float("nan"), float("nan"))
    return Interval(float(low), float(high))
