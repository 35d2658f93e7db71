"""Confidence intervals of agreements between independent triplets, and over random splits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from soundalike.errors import InputError

Float64 = NDArray[np.float64]


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
    return score_interval(correct / total, total, float(stats.norm.ppf(0.5 + level / 2)))


def score_interval(share: float, count: float, quantile: float) -> Interval:
    """Wilson's score interval of a share of `count` observations, which may be an effective number."""
    centre = (share + quantile**2 / (2 * count)) / (1 + quantile**2 / count)
    half_width = (
        quantile / (1 + quantile**2 / count) * math.sqrt(share * (1 - share) / count + (quantile / count) ** 2 / 4)
    )
    # The score interval of 0 (of all) starts (ends) exactly there; rounding must not move it.
    return Interval(
        0.0 if share == 0 else max(0.0, centre - half_width),
        1.0 if share == 1 else min(1.0, centre + half_width),
    )


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
