"""Planted weights found again, and intervals that hold them: the short form of `benchmarks/planted_truth.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from soundalike.preferences.estimators import Fit, fit_logistic, fit_nonnegative, fit_ols, fit_ordinal, fit_ridge
from soundalike.preferences.evaluation import is_correct, predict
from soundalike.preferences.triplet_data import Float64, TripletData
from tests.preferences.planted import WEIGHTS, World, best_linear

SIMULATIONS = 80
WORLD = World(WEIGHTS)


@pytest.fixture(scope="module")
def linear() -> Float64:
    return best_linear(WORLD, np.random.default_rng(9), 300_000)


def coverage(fit: Callable[[TripletData], Fit], truth: Float64, triplets: int) -> Float64:
    """(K,) the share of 95 % intervals that hold the truth."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(SIMULATIONS):
        bounds = fit(WORLD.draw(rng, triplets)).intervals()
        assert bounds is not None
        held.append((bounds[:, 0] <= truth) & (truth <= bounds[:, 1]))
    return np.asarray(np.mean(held, axis=0))


@pytest.mark.long
@pytest.mark.parametrize("fit", [fit_logistic, fit_ordinal])
def test_intervals_of_vote_models_hold_the_planted_weights(fit: Callable[..., Fit]) -> None:
    """Of 7 x 80 intervals 95 % hold; bounds are those of the binomial, wide (intervals of one fit go together)."""
    shares = coverage(lambda data: fit(data, lapse=WORLD.lapse), WEIGHTS, 331)
    assert 0.92 <= shares.mean() <= 0.98
    assert shares.min() >= 0.85


@pytest.mark.long
def test_intervals_of_least_squares_hold_the_best_linear_predictor(linear: Float64) -> None:
    shares = coverage(fit_ols, linear, 541)
    assert 0.92 <= shares.mean() <= 0.98
    assert shares.min() >= 0.85
    assert linear @ WEIGHTS > 0.99 * np.linalg.norm(linear) * np.linalg.norm(WEIGHTS)  # and that has their direction


@pytest.mark.long
def test_lapses_that_the_fit_does_not_know_of_shrink_the_weights() -> None:
    data = World(WEIGHTS, lapse=0.2).draw(np.random.default_rng(1), 10_000)
    for fit in (fit_logistic, fit_ordinal):
        known, unknown = fit(data, lapse=0.2), fit(data)
        assert known.weights == pytest.approx(WEIGHTS, abs=0.6)
        assert np.linalg.norm(unknown.weights) < 0.8 * np.linalg.norm(WEIGHTS)


def test_the_threshold_between_rather_and_clearly_is_found() -> None:
    data = WORLD.draw(np.random.default_rng(2), 5_000)
    assert fit_ordinal(data, lapse=WORLD.lapse).strength == pytest.approx(WORLD.strength, abs=0.05)


@pytest.mark.long
def test_votes_teach_more_than_labels_and_constraints_help() -> None:
    """Over simulations: the angle to the planted weights is smallest with grades, then votes, then labels."""
    rng = np.random.default_rng(3)
    test = WORLD.draw(rng, 5_000)
    cosines, agreements = [], []
    for _ in range(30):
        data = WORLD.draw(rng, 541)
        fits = [
            fit_ols(data),
            fit_ridge(data),
            fit_nonnegative(data),
            fit_logistic(data, lapse=WORLD.lapse),
            fit_ordinal(data, lapse=WORLD.lapse),
        ]
        cosines.append([fit.weights @ WEIGHTS / np.linalg.norm(fit.weights) / np.linalg.norm(WEIGHTS) for fit in fits])
        agreements.append([is_correct(test, predict(test.features, fit.weights))[test.kept].mean() for fit in fits])
        assert (fits[2].weights >= 0).all()
    ols, ridge, nonnegative, logistic, ordinal = np.mean(cosines, axis=0)
    assert 0.93 < ols < min(ridge, nonnegative)
    assert ols < logistic < ordinal
    known = is_correct(test, predict(test.features, WEIGHTS))[test.kept].mean()
    assert (np.mean(agreements, axis=0) > known - 0.01).all()
