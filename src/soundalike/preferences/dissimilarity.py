"""A timbre check: does an encoder order sounds as people do, who judged how unlike each pair is?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from soundalike.errors import InputError
from soundalike.preferences.intervals import Interval

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class TimbreCheck:
    """An encoder beside people's dissimilarities of N sounds.

    triplet_agreement: among triplets (i; j, k) that people order, the share that the cosine orders alike (a tie of the
    cosine counts half); triplets: how many people order; spearman, kendall: rank correlation of dissimilarity and
    1 - cosine over pairs, NaN where all cosines are equal; interval: spearman's, 95 %, bootstrapped over sounds; pairs:
    how many.
    """

    triplet_agreement: float
    triplets: int
    spearman: float
    interval: Interval
    kendall: float
    pairs: int


def check_timbre(similarities: Float64, dissimilarities: Float64, *, draws: int = 500, seed: int = 0) -> TimbreCheck:
    """Similarities (N, N), cosines say, beside human dissimilarities (N, N) of the same sounds.

    Where people's matrix is not symmetric the mean of both directions counts; NaN marks pairs that nobody judged.
    Raises InputError for matrices that do not fit, judge fewer than three pairs, or judge all alike.
    """
    human = _checked(similarities, dissimilarities)
    unlike = -np.asarray(similarities, dtype=np.float64)
    i, j = np.triu_indices(len(human), 1)
    there = np.isfinite(human[i, j])
    i, j = i[there], j[there]
    if len(i) < 3:
        raise InputError(f"{len(i)} judged pairs of sounds say nothing about order; three are the least")
    if np.ptp(human[i, j]) == 0:
        raise InputError(
            f"all {len(i)} judged pairs of sounds are equally unlike, so there is no order to compare with"
        )
    agreeing, total = _triplets(unlike, human)
    return TimbreCheck(
        agreeing / total if total else float("nan"),
        total,
        _spearman(human[i, j], unlike[i, j]),
        _interval(human, unlike, draws, seed),
        float(stats.kendalltau(human[i, j], unlike[i, j]).statistic),
        len(i),
    )


def _checked(similarities: Float64, dissimilarities: Float64) -> Float64:
    human = np.asarray(dissimilarities, dtype=np.float64)
    if human.ndim != 2 or human.shape[0] != human.shape[1]:
        raise InputError(f"dissimilarities of shape {human.shape}; a square matrix is needed, one row a sound")
    if np.shape(similarities) != human.shape:
        raise InputError(
            f"{len(similarities)} sounds, but dissimilarities of {len(human)}; they must be the same sounds"
        )
    if np.isinf(human).any():
        raise InputError("dissimilarities hold infinite values; leave pairs that nobody judged empty (NaN)")
    # A pair judged in one direction only (an upper triangle, say) has that judgement; the other direction says nothing.
    one, other = np.where(np.isnan(human), human.T, human), np.where(np.isnan(human.T), human, human.T)
    return (one + other) / 2


def _spearman(one: Float64, other: Float64) -> float:
    """NaN where either has no order."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other).statistic)


def _triplets(unlike: Float64, human: Float64) -> tuple[float, int]:
    """How many triplets (i; j, k), j < k, people order, and how many of them the other orders alike."""
    agreeing, total = 0.0, 0
    for i in range(len(human)):
        others = np.flatnonzero(np.isfinite(human[i]) & (np.arange(len(human)) != i))
        j, k = np.triu_indices(len(others), 1)
        wanted = np.sign(human[i, others[j]] - human[i, others[k]])
        found = np.sign(unlike[i, others[j]] - unlike[i, others[k]])
        ordered = wanted != 0
        total += int(ordered.sum())
        agreeing += float(np.sum((1 + wanted[ordered] * found[ordered]) / 2))
    return agreeing, total


def _interval(human: Float64, unlike: Float64, draws: int, seed: int) -> Interval:
    """Spearman's correlation under resampling of sounds; a sound's pair with its own copy is left out."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = rng.integers(len(human), size=len(human))
        i, j = np.triu_indices(len(drawn), 1)
        i, j = drawn[i], drawn[j]
        there = (i != j) & np.isfinite(human[i, j])
        if there.sum() > 2:
            found.append(_spearman(human[i, j][there], unlike[i, j][there]))
    found = [one for one in found if np.isfinite(one)]
    low, high = np.quantile(found, [0.025, 0.975]) if found else (float("nan"), float("nan"))
    return Interval(float(low), float(high))
