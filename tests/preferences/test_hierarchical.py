"""The hierarchical model: against slow computations, and on listeners with planted weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from soundalike.preferences.hierarchical import (
    TASTES,
    TRIPLET_EFFECTS,
    WEIGHT_DEVIATION,
    fit_hierarchical,
    grade_probabilities,
)
from soundalike.preferences.ordinal_observations import Observations
from soundalike.preferences.triplet_data import Float64


def simulate(
    listeners: int,
    triplets: int,
    each: int,
    *,
    weights: tuple[float, ...] = (3.0, 10.0),
    taste: float = 0.0,
    effect: float = 0.0,
    seed: int = 0,
) -> tuple[Observations, Float64]:
    """Answers and the planted weights (L, K); taste, effect: in log-odds for a typical triplet."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 0.12, (triplets, len(weights)))
    own = np.array(weights) + taste / 0.12 * rng.standard_normal((listeners, len(weights)))
    triplet = np.concatenate([rng.permutation(triplets)[:each] for _ in range(listeners)])
    listener = np.repeat(np.arange(listeners), each)
    side = rng.choice([-1.0, 1.0], len(triplet))
    z = np.einsum("vk,vk->v", features[triplet], own[listener]) + 0.3 * side
    z += effect * rng.standard_normal(triplets)[triplet]
    grade = (rng.random(len(z))[:, np.newaxis] > grade_probabilities(z, 1.0).cumsum(axis=1)).sum(axis=1)
    return Observations(features, triplet, listener, np.minimum(grade, 3), side, listeners), own


def slow_negative_log_posterior(theta: Float64, rows: Observations, tau: float, sigma: float) -> float:
    """With all effects written out: weights, b, log s, deviations, effects of triplets."""
    parts, listeners, triplets = rows.features.shape[1], rows.listeners, len(rows.features)
    scaled = rows.features / rows.scale
    w, b, log_s = theta[:parts], theta[parts], theta[parts + 1]
    own = theta[parts + 2 : parts + 2 + listeners * parts].reshape(listeners, parts)
    effects = theta[parts + 2 + listeners * parts :]
    assert len(effects) == triplets
    value = 0.0
    for triplet, listener, grade, side in zip(rows.triplet, rows.listener, rows.grade, rows.side, strict=True):
        z = float(scaled[triplet] @ (w + own[listener]) + effects[triplet] + b * side)
        value -= np.log(grade_probabilities(np.array(z), float(np.exp(log_s)))[grade])
    value += 0.5 * float(w @ w) / WEIGHT_DEVIATION**2 + 0.5 * b**2 + 0.5 * log_s**2
    return value + 0.5 * float(np.sum(own**2)) / tau**2 + 0.5 * float(effects @ effects) / sigma**2


def numeric_hessian(theta: Float64, *arguments: object, step: float = 1e-3) -> Float64:
    steps = step * np.eye(len(theta))

    def gradient(at: Float64) -> Float64:
        return np.array(
            [
                slow_negative_log_posterior(at + one, *arguments) - slow_negative_log_posterior(at - one, *arguments)  # type: ignore[arg-type]
                for one in steps
            ]
        ) / (2 * step)

    return np.array([(gradient(theta + one) - gradient(theta - one)) / (2 * step) for one in steps])


def test_mode_and_covariance_are_those_of_the_posterior_with_all_effects_written_out() -> None:
    rows, _ = simulate(2, 5, 4, seed=3)
    tau, sigma = 0.6, 0.7
    fit = fit_hierarchical(rows, (tau,), (sigma,))
    size = 2 + 2 + 4 + 5
    slow = optimize.minimize(
        slow_negative_log_posterior, np.zeros(size), (rows, tau, sigma), method="BFGS", options={"gtol": 1e-7}
    ).x
    covariance = np.linalg.inv(numeric_hessian(slow, rows, tau, sigma))
    assert fit.weights * rows.scale == pytest.approx(slow[:2], abs=1e-4)
    assert fit.covariance * np.outer(rows.scale, rows.scale) == pytest.approx(covariance[:2, :2], abs=1e-4)
    for listener in range(2):
        to_own = np.zeros((2, size))
        to_own[:, :2] = np.eye(2)
        to_own[:, 4 + 2 * listener : 6 + 2 * listener] = np.eye(2)
        assert fit.own[listener] * rows.scale == pytest.approx(to_own @ slow, abs=1e-4)
        expected = to_own @ covariance @ to_own.T
        assert fit.own_covariance[listener] * np.outer(rows.scale, rows.scale) == pytest.approx(expected, abs=1e-4)


def test_the_average_over_the_sizes_of_effects_is_close_to_numerical_integration() -> None:
    """One weight, one listener: the posterior of w on a grid, with b and log s integrated too, and sigma averaged."""
    rows, _ = simulate(1, 40, 40, weights=(8.0,), effect=0.7, seed=1)
    fit = fit_hierarchical(rows)
    scaled = rows.features[rows.triplet, 0] / rows.scale[0]
    w, b, log_s = np.meshgrid(
        np.linspace(-1, 6, 36), np.linspace(-1.4, 1.4, 9), np.linspace(-1.4, 1.4, 9), indexing="ij"
    )
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(9)
    posterior = np.zeros(w.shape)
    for sigma in np.linspace(0.05, 2.5, 6):
        log_density = -0.5 * (w**2 / WEIGHT_DEVIATION**2 + b**2 + log_s**2) - 0.5 * sigma**2
        for feature, grade, side in zip(scaled, rows.grade, rows.side, strict=True):
            z = w[..., np.newaxis] * feature + b[..., np.newaxis] * side + sigma * nodes
            p = grade_probabilities(z, np.exp(log_s)[..., np.newaxis])[..., grade] @ (node_weights / node_weights.sum())
            log_density = log_density + np.log(p)
        posterior += np.exp(log_density + 45)
    marginal = posterior.sum(axis=(1, 2))
    grid = w[:, 0, 0]
    mean = float(grid @ marginal / marginal.sum())
    deviation = float(np.sqrt((grid - mean) ** 2 @ marginal / marginal.sum()))
    assert fit.weights[0] * rows.scale[0] == pytest.approx(mean, abs=0.25 * deviation)
    assert np.sqrt(fit.covariance[0, 0]) * rows.scale[0] == pytest.approx(deviation, rel=0.2)


def test_exchanging_a_and_b_changes_nothing() -> None:
    rows, _ = simulate(3, 20, 15, taste=0.5, effect=0.5)
    mirrored = Observations(-rows.features, rows.triplet, rows.listener, 3 - rows.grade, -rows.side, rows.listeners)
    first, second = fit_hierarchical(rows), fit_hierarchical(mirrored)
    assert second.weights == pytest.approx(first.weights, rel=1e-6)
    assert second.own == pytest.approx(first.own, rel=1e-6)
    assert second.side_bias == pytest.approx(first.side_bias, rel=1e-6)


def test_the_scale_of_the_features_only_scales_the_weights() -> None:
    rows, _ = simulate(3, 20, 15, taste=0.5)
    scaled = Observations(10 * rows.features, rows.triplet, rows.listener, rows.grade, rows.side, rows.listeners)
    assert 10 * fit_hierarchical(scaled).weights == pytest.approx(fit_hierarchical(rows).weights, rel=1e-6)


def test_a_part_that_is_absent_everywhere_has_weight_0() -> None:
    rows, _ = simulate(2, 20, 20)
    features = np.column_stack([rows.features[:, 0], np.zeros(20), rows.features[:, 1]])
    wider = Observations(features, rows.triplet, rows.listener, rows.grade, rows.side, rows.listeners)
    fit, narrow = fit_hierarchical(wider), fit_hierarchical(rows)
    assert fit.weights[[0, 2]] == pytest.approx(narrow.weights)
    assert fit.weights[1] == 0
    assert not fit.covariance[1].any()
    assert not fit.own[:, 1].any()


def test_many_answers_give_the_planted_weights_side_bias_and_strength() -> None:
    rows, own = simulate(10, 300, 300, effect=0.5, seed=2)
    fit = fit_hierarchical(rows)
    errors = (fit.weights - own[0]) / np.sqrt(np.diag(fit.covariance))
    assert np.abs(errors).max() < 3
    assert fit.side_bias == pytest.approx(0.3, abs=0.1)
    assert fit.strength == pytest.approx(1.0, abs=0.1)
    assert fit.triplet_effect == pytest.approx(0.5, abs=0.3)
    assert fit.taste < 0.2


def test_own_weights_lie_between_the_listener_alone_and_the_group_and_fit_better_than_either() -> None:
    errors = []
    for seed in range(6):
        rows, own = simulate(8, 60, 40, taste=0.5, seed=seed)
        hierarchical = fit_hierarchical(rows)
        assert hierarchical.taste > 0.15
        alone = []
        for listener in range(8):
            mine = rows.take(rows.listener == listener)
            single = Observations(mine.features, mine.triplet, np.zeros_like(mine.listener), mine.grade, mine.side, 1)
            alone.append(fit_hierarchical(single).weights)
        pooled = fit_hierarchical(rows, (0.0,)).weights
        errors.append([np.mean((one - own) ** 2) for one in (hierarchical.own, np.stack(alone), pooled)])
    shrunk, separate, together = np.mean(errors, axis=0)
    assert shrunk < separate
    assert shrunk < together


def test_one_listener_has_the_weights_of_the_group() -> None:
    fit = fit_hierarchical(simulate(1, 30, 30)[0])
    assert fit.own[0] == pytest.approx(fit.weights)
    assert fit.own_intervals(0) == pytest.approx(fit.intervals())
    assert fit.taste == 0


def test_answers_of_one_strength_and_one_side_are_fitted_too() -> None:
    rows, _ = simulate(2, 10, 10)
    always = Observations(rows.features, rows.triplet, rows.listener, np.zeros_like(rows.grade), rows.side, 2)
    fit = fit_hierarchical(always)
    assert np.isfinite(fit.weights).all()
    assert np.isfinite(fit.covariance).all()


def test_intervals_widen_with_the_level() -> None:
    fit = fit_hierarchical(simulate(2, 20, 20)[0], TASTES[:2], TRIPLET_EFFECTS[:2])
    narrow, wide = fit.intervals(0.5), fit.intervals(0.99)
    assert (wide[:, 0] < narrow[:, 0]).all()
    assert (narrow[:, 1] < wide[:, 1]).all()
    half = stats.norm.ppf(0.975) * np.sqrt(np.diag(fit.covariance))
    assert fit.intervals()[:, 1] - fit.weights == pytest.approx(half)
