"""Intervals and the paired test, against statsmodels 0.15.0 and hand-worked experiments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from soundalike.errors import InputError
from soundalike.preferences.intervals import clustered_bootstrap, mcnemar, nadeau_bengio, wilson


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


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [  # statsmodels.stats.contingency_tables.mcnemar(table, exact=True).pvalue
        (12, 3, 0.03515625),
        (9, 9, 1.0),
        (0, 0, 1.0),
        (5, 0, 2 / 32),
    ],
)
def test_mcnemar_is_statsmodels(first: int, second: int, p: float) -> None:
    one = np.array([True] * first + [False] * second + [True] * 50 + [False] * 30)
    other = np.array([False] * first + [True] * second + [True] * 50 + [False] * 30)
    found = mcnemar(one, other)
    assert (found.only_first, found.only_second) == (first, second)
    assert found.p == pytest.approx(p)


def test_a_track_a_triplet_is_the_plain_bootstrap() -> None:
    """Every triplet with a track of its own: the deviation is that of independent draws."""
    right = np.arange(200) < 150
    found = clustered_bootstrap(right, [frozenset({str(i)}) for i in range(200)])
    reach = stats.norm.ppf(0.975) * math.sqrt(0.75 * 0.25 / 200)
    assert (found.low, found.high) == pytest.approx((0.75 - reach, 0.75 + reach), abs=0.01)


def test_copies_of_a_triplet_add_no_certainty() -> None:
    """Ten triplets on each of 40 tracks, all alike: as sure as 40 triplets, not 400."""
    right = np.repeat(np.arange(40) < 30, 10)
    found = clustered_bootstrap(right, [frozenset({str(i // 10)}) for i in range(400)])
    reach = stats.norm.ppf(0.975) * math.sqrt(0.75 * 0.25 / 40)
    assert (found.low, found.high) == pytest.approx((0.75 - reach, 0.75 + reach), abs=0.03)


def test_the_interval_holds_the_truth_where_tracks_matter() -> None:
    """Triplets of three out of 60 tracks, each track hard or easy: the clustered interval holds the population's share
    where one that takes triplets for independent fails."""
    rng = np.random.default_rng(3)
    clustered, independent = 0, 0
    for _ in range(100):
        touched = np.argsort(rng.random((200, 60)), axis=1)[:, :3]
        ease = rng.normal(size=60)
        right = ease[touched].sum(axis=1) + rng.normal(size=200) > 0  # half of the population
        found = clustered_bootstrap(right, [frozenset(map(str, row)) for row in touched.tolist()], draws=200)
        clustered += found.low <= 0.5 <= found.high
        plain = wilson(int(right.sum()), len(right))
        independent += plain.low <= 0.5 <= plain.high
    assert clustered >= 88
    assert independent <= 80


def test_the_same_seed_gives_the_same_interval() -> None:
    tracks = [frozenset({str(i % 7), str(i % 5)}) for i in range(30)]
    right = np.arange(30) % 3 > 0
    assert clustered_bootstrap(right, tracks, draws=50) == clustered_bootstrap(right, tracks, draws=50)
    assert clustered_bootstrap(right, tracks, draws=50) != clustered_bootstrap(right, tracks, draws=50, seed=1)
