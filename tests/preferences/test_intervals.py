"""Intervals and the paired test, against statsmodels 0.15.0 and hand-worked experiments."""

from __future__ import annotations

import math

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.preferences.intervals import nadeau_bengio, wilson


@pytest.mark.parametrize(
    ("right", "total", "level", "low", "high"),
    [  # statsmodels.stats.proportion.proportion_confint(right, total, alpha=1 - level, method="wilson")
        (280, 331, 0.95, 0.8030806179593839, 0.8808251349498706),
        (92, 127, 0.95, 0.640978295990136, 0.7946634380118758),
        (0, 20, 0.95, 0.0, 0.1611251580528194),
        (20, 20, 0.99, 0.7508945989012465, 1.0),
    ],
)
def test_wilson_is_statsmodels(right: int, total: int, level: float, low: float, high: float) -> None:
    found = wilson(right, total, level)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(("right", "total"), [(0, 0), (3, 2), (-1, 2)])
def test_counts_that_are_no_share_are_refused(right: int, total: int) -> None:
    with pytest.raises(InputError, match="share"):
        wilson(right, total)


def test_nadeau_bengio_by_hand() -> None:
    found = nadeau_bengio(np.array([0.8, 0.9, 0.85, 0.85]), 0.25)
    variance = 0.005 / 3  # of the four
    reach = 3.182446305 * math.sqrt(variance * (1 / 4 + 1 / 3))
    assert (found.low, found.high) == pytest.approx((0.85 - reach, 0.85 + reach), abs=1e-8)


def test_more_splits_do_not_make_the_interval_vanish() -> None:
    splits = 0.85 + 0.02 * np.tile([-1.0, 1.0], 50_000)
    assert nadeau_bengio(splits, 0.3).high == pytest.approx(0.85 + 1.96 * 0.02 * math.sqrt(3 / 7), abs=1e-4)


@pytest.mark.parametrize(("agreements", "share"), [([0.8], 0.3), ([0.8, 0.9], 0.0), ([0.8, 0.9], 1.0)])
def test_too_few_splits_are_refused(agreements: list[float], share: float) -> None:
    with pytest.raises(InputError, match="splits"):
        nadeau_bengio(np.array(agreements), share)
