"""Confidence intervals of agreements, and a paired test of two models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from soundalike.errors import InputError

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """An interval from low to high, as shares from 0 to 1 unless stated otherwise."""

    low: float
    high: float


def wilson(correct: int, total: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of correct/total (Wilson 1927); assumes independent triplets.

    Raises InputError unless 0 <= correct <= total and total > 0.
    """
    if not 0 <= correct <= total or total == 0:
        raise InputError(
            f"{correct} of {total} is not a share; the total must be 1 or more and at least the correct ones"
        )
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = correct / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half_width = z / (1 + z**2 / total) * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    # The score interval of 0 (of all) starts (ends) exactly there; rounding must not move it.
    return Interval(
        0.0 if correct == 0 else centre - half_width,
        1.0 if correct == total else centre + half_width,
    )


def clustered_bootstrap(
    correct: Bool, tracks: Sequence[frozenset[str]], *, level: float = 0.95, draws: int = 2_000, seed: int = 0
) -> Interval:
    """Percentile interval of the share of `correct` (N,) under resampling of tracks.

    A triplet belongs to up to three tracks, so tracks are drawn with replacement and a triplet is weighted by the product
    of its tracks' multiplicities (the bootstrap of exchangeable arrays: Owen & Eckles 2012; Davezies, D'Haultfoeuille &
    Guyonvarch 2021).
    """
    names = sorted(frozenset().union(*tracks))
    index = {name: position for position, name in enumerate(names)}
    member = np.zeros((len(tracks), len(names)), dtype=bool)
    for row, own in enumerate(tracks):
        member[row, [index[name] for name in own]] = True
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(draws):
        multiplicity = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
        weights = np.where(member, multiplicity, 1).prod(axis=1)
        if weights.sum():
            shares.append(float(weights @ correct) / float(weights.sum()))
    low, high = np.quantile(shares, [0.5 - level / 2, 0.5 + level / 2]) if shares else (math.nan, math.nan)
    return Interval(float(low), float(high))


def nadeau_bengio(agreements: Float64, test_share: float, level: float = 0.95) -> Interval:
    """Interval of the mean agreement over random splits: Student's t with the variance corrected for overlapping splits,
    (1/S + test/training) s^2 (Nadeau & Bengio 2003).

    agreements: (S,), one for each split; test_share: share of the data that each split tests on. Raises InputError for
    fewer than two splits, or a share outside 0 to 1.
    """
    if len(agreements) < 2 or not 0 < test_share < 1:
        raise InputError(
            f"{len(agreements)} splits with a test share of {test_share:g} give no interval; use two splits or more"
        )
    variance = float(np.var(agreements, ddof=1)) * (1 / len(agreements) + test_share / (1 - test_share))
    half_width = float(stats.t.ppf(0.5 + level / 2, len(agreements) - 1)) * math.sqrt(variance)
    centre = float(np.mean(agreements))
    return Interval(max(0.0, centre - half_width), min(1.0, centre + half_width))


@dataclass(frozen=True)
class PairedTest:
    """Two models compared on the same triplets.

    only_first, only_second: triplets that only one model gets right; p: exact two-sided p-value (McNemar 1947, as a
    binomial test).
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Bool, second: Bool) -> PairedTest:
    """Test whether two models differ, given which triplets (N,) each gets right."""
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    differing = only_first + only_second
    p = float(stats.binomtest(only_first, differing).pvalue) if differing else 1.0
    return PairedTest(only_first, only_second, p)
