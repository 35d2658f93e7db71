"""Variances robust to shared tracks and listeners, against dense sums, statsmodels 0.15.0 and simulations.

The short form of `benchmarks/coverage.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from soundalike.parts import MIX
from soundalike.preferences.cluster_robust import (
    Links,
    holm,
    mean_variance,
    paired_test,
    robust_variance,
    share_interval,
)
from soundalike.preferences.estimators import Fit, fit_logistic, fit_ols, fit_ordinal
from soundalike.preferences.intervals import wilson
from soundalike.preferences.robust_weights import with_robust_covariance
from soundalike.preferences.triplet_data import TripletData
from soundalike.preferences.triplets import above_cut_off
from soundalike.research.datasets.inst_sim_abx import read_answers
from tests.preferences.designs import Design, design_of, random_design
from tests.preferences.planted import WEIGHTS, draw_tracks

SIMULATIONS = 300


@pytest.fixture(params=["released XAB", "released", "random"], scope="module")
def design(request: pytest.FixtureRequest) -> Design:
    """The kept mix triplets of the released answers, or a design like it where they are missing."""
    if request.param == "random":
        return random_design(np.random.default_rng(5), 331)
    folder: Path = request.getfixturevalue("test_data") / "inst_sim_abx"
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}")
    kept = above_cut_off([t for t in read_answers(folder).triplets if t.part == MIX], 0.8)
    return design_of([t for t in kept if t.kind == "XAB"] if request.param == "released XAB" else kept)


def dense_links(tracks: list[frozenset[str]], triplets: np.ndarray, listeners: np.ndarray) -> np.ndarray:
    shared = np.array([[i == j or bool(a & b) for j, b in enumerate(tracks)] for i, a in enumerate(tracks)])
    same = (listeners[:, None] == listeners) & (listeners >= 0)
    return (shared[triplets][:, triplets] | same).astype(float)


def test_links_are_those_of_shared_tracks_and_listeners() -> None:
    rng = np.random.default_rng(0)
    tracks = [frozenset(map(str, row)) for row in draw_tracks(rng, 40, 25).tolist()]
    triplets, listeners = rng.integers(40, size=200), rng.integers(-1, 12, size=200)
    values = rng.normal(size=(200, 3))
    expected = dense_links(tracks, triplets, listeners) @ values
    assert np.allclose(Links(tracks, triplets, listeners).dot(values), expected)
    alone = dense_links(tracks, np.arange(40), np.full(40, -1)) @ values[:40]
    assert np.allclose(Links(tracks).dot(values[:40]), alone)


def test_independent_observations_have_the_usual_variance_and_freedom() -> None:
    values = np.random.default_rng(1).normal(size=30)
    variance = mean_variance(values, Links([frozenset({str(i)}) for i in range(30)]))
    assert variance.covariance[0, 0] == pytest.approx(values.var(ddof=1) / 30)
    assert variance.degrees_of_freedom[0] == pytest.approx(29)
    low, high = stats.t.interval(0.95, 29, values.mean(), math.sqrt(values.var(ddof=1) / 30))
    assert variance.quantiles()[0] * math.sqrt(variance.covariance[0, 0]) == pytest.approx((high - low) / 2)


def test_the_sums_are_those_of_statsmodels() -> None:
    """`OLS(values, ones).fit(cov_type="cluster", cov_kwds={"groups": g, "use_correction": False})`, one way and two ways."""
    groups, listeners = np.arange(60) // 5, np.arange(60) % 7
    values = np.sin(1.7 * np.arange(60)) + 0.5 * np.cos(groups)
    tracks = [frozenset({str(group)}) for group in groups]
    errors = (values - values.mean()) / 60
    assert errors @ Links(tracks).dot(errors) == pytest.approx(0.012990634930190382)
    assert errors @ Links(tracks, np.arange(60), listeners).dot(errors) == pytest.approx(0.003970222149431773)
    variance = mean_variance(values, Links(tracks))
    assert variance.covariance[0, 0] == pytest.approx(0.012990634930190382 * 12 / 11)  # 12 groups of equal size
    assert variance.degrees_of_freedom[0] == pytest.approx(11)


def test_moments_under_independence_are_those_of_dense_matrices() -> None:
    rng = np.random.default_rng(2)
    tracks = [frozenset(map(str, row)) for row in draw_tracks(rng, 50, 30).tolist()]
    features = rng.normal(size=(50, 3))
    inverse = np.linalg.inv(features.T @ features)
    residuals = rng.normal(size=50)
    residuals -= features @ inverse @ features.T @ residuals
    coefficients = features @ inverse
    basis = np.linalg.qr(features)[0]
    found = robust_variance(coefficients * residuals[:, None], coefficients, basis, Links(tracks))
    shared = dense_links(tracks, np.arange(50), np.full(50, -1))
    annihilator = np.eye(50) - basis @ basis.T
    for k in range(3):
        c = coefficients[:, k]
        form = annihilator @ (c[:, None] * shared * c) @ annihilator
        raw = (c * residuals) @ shared @ (c * residuals)
        if raw > 0:
            assert found.covariance[k, k] == pytest.approx(raw * (c @ c) / np.trace(form))
        else:  # not a variance: that of independent observations instead
            assert found.covariance[k, k] == pytest.approx(np.sum((c * residuals) ** 2))
        assert found.degrees_of_freedom[k] == pytest.approx(np.trace(form) ** 2 / np.sum(form * form))


def test_copies_of_a_triplet_add_no_certainty() -> None:
    """Ten triplets on each of 40 tracks, all alike: as sure as 40 triplets, not 400."""
    once = np.arange(40) < 30
    copies = share_interval(np.repeat(once, 10), Links([frozenset({str(i // 10)}) for i in range(400)]))
    alone = share_interval(once, Links([frozenset({str(i)}) for i in range(40)]))
    assert (copies.low, copies.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    plain = wilson(30, 40)
    assert (alone.low, alone.high) == pytest.approx((plain.low, plain.high), abs=0.01)


def test_triplets_that_all_share_a_track_say_nothing_of_the_variance() -> None:
    links = Links([frozenset({"one", str(i)}) for i in range(30)])
    interval = share_interval(np.arange(30) < 20, links)
    assert (interval.low, interval.high) == (0, 1)
    assert paired_test(np.arange(30) < 20, np.arange(30) < 5, links).p == 1


def test_all_correct_is_wilsons_interval() -> None:
    interval = share_interval(np.ones(20, dtype=bool), Links([frozenset({str(i // 2)}) for i in range(20)]))
    assert (interval.low, interval.high) == pytest.approx((wilson(20, 20).low, 1.0))


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [  # statsmodels.stats.contingency_tables.mcnemar(table, exact=True).pvalue
        (12, 3, 0.03515625),
        (9, 9, 1.0),
        (0, 0, 1.0),
        (5, 0, 2 / 32),
    ],
)
def test_the_exact_p_is_mcnemars(first: int, second: int, p: float) -> None:
    one = np.array([True] * first + [False] * second + [True] * 50 + [False] * 30)
    other = np.array([False] * first + [True] * second + [True] * 50 + [False] * 30)
    test = paired_test(one, other, Links([frozenset({str(i)}) for i in range(len(one))]))
    assert (test.only_first, test.only_second) == (first, second)
    assert test.exact_p == pytest.approx(p)
    assert test.difference == pytest.approx((first - second) / len(one))
    if first + second < 10:
        assert test.p >= test.exact_p


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.long
@pytest.mark.parametrize(("deviation", "level"), [(0.0, 1.0), (1.0, 1.3)])
def test_intervals_of_agreement_cover_with_and_without_track_effects(
    design: Design, deviation: float, level: float
) -> None:
    """93 to 97 % of 1,000 simulations (`benchmarks/coverage.py`); the bounds here allow for 300."""
    rng, links = np.random.default_rng(0), Links(design.track_sets)
    truth = design.expected_correct(level, deviation)
    robust = independent = 0
    for _ in range(SIMULATIONS):
        correct = design.draw_correct(rng, level, deviation)
        interval, plain = share_interval(correct, links), wilson(int(correct.sum()), len(correct))
        robust += interval.low <= truth <= interval.high
        independent += plain.low <= truth <= plain.high
    assert 0.915 <= robust / SIMULATIONS <= 0.985
    if deviation:
        assert independent / SIMULATIONS < 0.89


@pytest.mark.long
@pytest.mark.parametrize(("deviation", "shared"), [(0.0, 1.0), (1.0, 0.5)])
def test_equal_models_are_seldom_said_to_differ(design: Design, deviation: float, shared: float) -> None:
    rng, links = np.random.default_rng(1), Links(design.track_sets)
    tests = [paired_test(*design.draw_pair(rng, 1.5, deviation, shared), links) for _ in range(SIMULATIONS)]
    assert np.mean([test.p < 0.05 for test in tests]) <= 0.075
    if deviation:
        assert np.mean([test.exact_p < 0.05 for test in tests]) > 0.05


@pytest.mark.long
def test_a_better_model_is_found(design: Design) -> None:
    rng, links = np.random.default_rng(2), Links(design.track_sets)
    found = 0
    for _ in range(60):
        first, second = design.draw_correct(rng, 2.5, 0.5), design.draw_correct(rng, 0.8, 0.5)
        test = paired_test(first, second, links)
        found += test.p < 0.05 and test.interval.low > 0
    assert found > 45


@pytest.mark.long
@pytest.mark.parametrize("fit", [fit_ols, fit_logistic, fit_ordinal])
def test_intervals_of_weights_cover_with_effects_of_tracks_and_listeners(fit: Callable[[TripletData], Fit]) -> None:
    """Covariances clustered by triplet alone cover 83 to 90 %."""
    parts, effects = WEIGHTS[[1, 5, 6]], (0.7, 0.7)
    rng = np.random.default_rng(3)
    large = random_design(rng, 20_000, 20_000, 20_000).draw_votes(rng, parts, *effects)
    truth = fit(TripletData(large.features, large.votes, large.tracks, large.kept)).weights
    design = random_design(rng)
    own, robust = [], []
    for _ in range(80):
        data = design.draw_votes(rng, parts, *effects)
        fitted = fit(data)
        for covered, one in ((own, fitted), (robust, with_robust_covariance(data, fitted))):
            bounds = one.intervals()
            assert bounds is not None
            covered.append((bounds[:, 0] <= truth) & (truth <= bounds[:, 1]))
    assert 0.91 <= np.mean(robust) <= 0.985
    assert np.mean(own) < np.mean(robust) - 0.02


def test_without_a_covariance_a_fit_stays_as_it_is() -> None:
    rng = np.random.default_rng(4)
    data = random_design(rng, 60).draw_votes(rng, WEIGHTS, 0.0, 0.0)
    fit = Fit("nonnegative", np.zeros(7), None, 60)
    assert with_robust_covariance(data, fit) is fit


def test_the_side_that_is_shown_first_is_estimated_and_kept_out_of_the_weights() -> None:
    rng = np.random.default_rng(6)
    data = random_design(rng, 3_000, 2_000, 500).draw_votes(rng, WEIGHTS, 0.0, 0.0, side=0.4)
    for fit in (fit_logistic(data), fit_ordinal(data)):
        assert fit.side_bias == pytest.approx(0.4, abs=0.05)
        assert len(fit.weights) == len(WEIGHTS)
        assert fit.weights == pytest.approx(WEIGHTS, abs=0.8)
    alone = TripletData(data.features, data.votes, data.tracks, data.kept)
    assert fit_logistic(alone).side_bias is None


def test_a_table_with_the_winner_first_has_no_side_bias() -> None:
    rng = np.random.default_rng(7)
    data = random_design(rng, 400).draw_votes(rng, WEIGHTS, 0.0, 0.0)
    assert data.ballots is not None
    shown_first = np.where(data.ballots.grade < 2, False, True)
    ballots = type(data.ballots)(data.ballots.triplet, data.ballots.listener, data.ballots.grade, shown_first)
    always_first = TripletData(data.features, data.votes, data.tracks, data.kept, ballots)
    assert fit_logistic(always_first).side_bias is None
