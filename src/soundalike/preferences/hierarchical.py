"""Weights of a group and of each of its listeners: an ordinal model with effects of listeners and of triplets.

    z = (w + u_l) . f + e_t + b side,    P(A+) = sigmoid(z - s), P(A) = sigmoid(z), P(B+) = sigmoid(-z - s)

w: weights of the group; u_l: deviation of listener l; e_t: what makes triplet t clearer or less clear than its features say;
b: preference for the side shown first; s: where `clearly` begins. Priors are normal, in units of log-odds for a typical triplet
(one whose features are their root mean square): w_k ~ N(0, 2.5^2), u_lk ~ N(0, tau^2), e_t ~ N(0, sigma^2), and b and log s
~ N(0, 1).

The posterior is normal at its mode for each (tau, sigma) of a grid (Laplace), and these are averaged by their marginal
likelihoods (Rue, Martino & Chopin 2009). tau = 0 is one taste for all; tau without bound is a model for each listener.
Triplet effects are eliminated first, so that the cost grows with the number of triplets only linearly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats
from scipy.special import expit

from soundalike.preferences.likelihoods import Ordinal
from soundalike.preferences.ordinal_observations import Observations
from soundalike.preferences.triplet_data import Float64, Int64

WEIGHT_DEVIATION = 2.5
TASTES = (0.0, 0.15, 0.3, 0.6, 1.0, 1.6)
"""Grid of tau, in log-odds for a typical triplet."""
TRIPLET_EFFECTS = (0.0, 0.3, 0.7, 1.2, 2.0)
"""Grid of sigma, in log-odds."""
TASTE_PRIOR, TRIPLET_PRIOR = 0.7, 1.0
"""Scales of the half-normal priors of tau and sigma."""

MAX_STEPS = 60
MIN_STEP_SCALE = 1e-6
CONVERGED = 1e-9
"""Relative gain of a step below which the mode is found."""
MAX_LOG_STRENGTH = 50.0
MIN_PROBABILITY = 1e-300
NEGLIGIBLE = 1e-4
"""Combinations of tau and sigma whose posterior probability is this much lower than the largest are left out."""


@dataclass(frozen=True)
class HierarchicalFit:
    """The posterior, as means and covariances.

    weights: (K,) of the group; covariance: (K, K); own: (L, K) of each listener; own_covariance: (L, K, K).
    taste, triplet_effect: posterior means of tau and sigma; taste_deviation: (K,) tau in the units of each weight.
    side_bias: b; strength: s. answers: number of answers fitted to.
    """

    weights: Float64
    covariance: Float64
    own: Float64
    own_covariance: Float64
    taste: float
    triplet_effect: float
    taste_deviation: Float64
    side_bias: float
    strength: float
    answers: int

    @property
    def taste_covariance(self) -> Float64:
        """(K, K) what is left of the group's covariance after any number of answers: that the listeners are a sample."""
        return np.diag(self.taste_deviation**2) / len(self.own)

    def intervals(self, level: float = 0.95) -> Float64:
        """(K, 2) credible intervals of the group's weights."""
        return normal_intervals(self.weights, self.covariance, level)

    def own_intervals(self, listener: int, level: float = 0.95) -> Float64:
        """(K, 2) credible intervals of a listener's weights."""
        return normal_intervals(self.own[listener], self.own_covariance[listener], level)


def normal_intervals(mean: Float64, covariance: Float64, level: float = 0.95) -> Float64:
    """(K, 2) intervals of normal marginals."""
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(np.diag(covariance))
    return np.stack([mean - half, mean + half], axis=1)


def fit_hierarchical(
    observations: Observations,
    tastes: Sequence[float] = TASTES,
    triplet_effects: Sequence[float] = TRIPLET_EFFECTS,
) -> HierarchicalFit:
    """The posterior given `observations`. Parts that are absent everywhere get weight 0.

    tastes, triplet_effects: ascending values of tau and sigma to average over; (0,) leaves the effect out. With one listener,
    or without several answers to any triplet, the answers cannot tell the effects apart: then a listener has no deviation.
    """
    if observations.listeners == 1:
        tastes = (0.0,)
    model = _Model(observations)
    points, start = [], None
    for sigma in triplet_effects:
        for tau in tastes:
            point = model.laplace(tau, sigma, start)
            start = point.latent
            points.append(point)
    log_posterior = np.array(
        [
            point.log_marginal
            + math.log(tau_width * sigma_width)
            - 0.5 * (point.tau / TASTE_PRIOR) ** 2
            - 0.5 * (point.sigma / TRIPLET_PRIOR) ** 2
            for point, (sigma_width, tau_width) in zip(
                points,
                [(s, t) for s in _widths(triplet_effects) for t in _widths(tastes)],
                strict=True,
            )
        ]
    )
    return _averaged(model, points, log_posterior)


def _widths(grid: Sequence[float]) -> list[float]:
    """The share of each point of a grid in the trapezoid rule."""
    if len(grid) == 1:
        return [1.0]
    gaps = np.diff(grid)
    return list((np.r_[gaps[0], gaps] + np.r_[gaps, gaps[-1]]) / 2 * np.r_[0.5, np.ones(len(grid) - 2), 0.5])


@dataclass(frozen=True)
class _Latent:
    """Values of the fixed parameters and listeners' deviations (P,) and of the effects of triplets (N,)."""

    main: Float64
    triplets: Float64


@dataclass(frozen=True)
class _Point:
    """The Laplace approximation at one (tau, sigma). inverse: (P, P) covariance of `latent.main`."""

    tau: float
    sigma: float
    latent: _Latent
    inverse: Float64
    log_marginal: float


class _Rows:
    """The derivatives of z by the main parameters, without the zeros.

    Row i has the values `values[i]` (Q,) in the columns `columns[i]`: the weights, b, log s (0, as z does not depend on it) and
    the deviations of the listener.
    """

    def __init__(self, observations: Observations, features: Float64, with_own: bool) -> None:
        count, parts = features.shape
        self.size = parts + 2 + (observations.listeners * parts if with_own else 0)
        values = [features, observations.side[:, np.newaxis], np.zeros((count, 1))]
        columns = [np.broadcast_to(np.arange(parts + 2), (count, parts + 2))]
        if with_own:
            values.append(features)
            columns.append(parts + 2 + observations.listener[:, np.newaxis] * parts + np.arange(parts))
        self.values, self.columns = np.hstack(values), np.hstack(columns)
        self.triplet, self.triplets = observations.triplet, len(observations.features)
        self._products = (self.values[:, :, np.newaxis] * self.values[:, np.newaxis]).reshape(count, -1)
        places = self.columns[:, :, np.newaxis] * self.size + self.columns[:, np.newaxis]
        self._places = places.reshape(count, -1)

    def dot(self, main: Float64) -> Float64:
        """(V,) z without the effects of triplets."""
        return np.asarray(np.einsum("vq,vq->v", self.values, main[self.columns]))

    def sums(self, by_z: Float64) -> Float64:
        """(P,) sums of the rows, weighted by (V,)."""
        return _sums(self.columns, self.values * by_z[:, np.newaxis], self.size)

    def hessian(self, by_zz: Float64) -> Float64:
        """(P, P) sums of the rows' outer products, weighted by (V,)."""
        sums = _sums(self._places, self._products * by_zz[:, np.newaxis], self.size**2)
        return sums.reshape(self.size, self.size)

    def by_triplet(self, by_zz: Float64) -> Float64:
        """(P, N) sums of the rows of each triplet, weighted by (V,)."""
        places = self.columns * self.triplets + self.triplet[:, np.newaxis]
        sums = _sums(places, self.values * by_zz[:, np.newaxis], self.size * self.triplets)
        return sums.reshape(self.size, self.triplets)


class _Model:
    """The posterior's derivatives. Main parameters: K weights, b, log s, then K deviations of each listener."""

    def __init__(self, observations: Observations) -> None:
        self.observations = observations
        self.present = observations.scale > 0
        self.scale = observations.scale[self.present]
        self._features = observations.features[observations.triplet][:, self.present] / self.scale
        self.parts, self.listeners = len(self.scale), observations.listeners
        self.triplets = len(observations.features)
        self._rows: dict[bool, _Rows] = {}

    @property
    def log_s(self) -> int:
        """Position of log s."""
        return self.parts + 1

    def laplace(self, tau: float, sigma: float, start: _Latent | None) -> _Point:
        """The mode and the curvature there, by damped Newton steps."""
        posterior = _Posterior(self, self.rows(tau > 0), tau, sigma)
        latent = posterior.started(start)
        loss = posterior.loss(latent)
        for _ in range(MAX_STEPS):
            step = _Step(posterior, latent)
            scale = 1.0
            while True:
                moved = _Latent(latent.main - scale * step.main, latent.triplets - scale * step.effects)
                new_loss = posterior.loss(moved)
                if new_loss <= loss or scale < MIN_STEP_SCALE:
                    break
                scale /= 2
            gain, latent, loss = loss - new_loss, moved, min(loss, new_loss)
            if gain < CONVERGED * (1 + abs(loss)):
                break
        step = _Step(posterior, latent)
        log_marginal = posterior.log_prior - loss - 0.5 * step.log_determinant
        return _Point(tau, sigma, latent, step.inverse(), log_marginal)

    def rows(self, with_own: bool) -> _Rows:
        """The rows with or without the listeners' deviations."""
        if with_own not in self._rows:
            self._rows[with_own] = _Rows(self.observations, self._features, with_own)
        return self._rows[with_own]


class _Posterior:
    """The posterior at one (tau, sigma), up to a constant."""

    def __init__(self, model: _Model, rows: _Rows, tau: float, sigma: float) -> None:
        self.model, self.rows, self.sigma = model, rows, sigma
        own = rows.size - model.parts - 2
        self.precision = np.r_[
            np.full(model.parts, WEIGHT_DEVIATION**-2), 1.0, 1.0, np.full(own, tau**-2 if tau else 0)
        ]
        self.log_prior = 0.5 * float(np.log(self.precision).sum())
        if sigma:
            self.log_prior -= model.triplets * math.log(sigma)

    def started(self, start: _Latent | None) -> _Latent:
        """A starting point of the right size, from the mode of another (tau, sigma)."""
        main, effects = np.zeros(self.rows.size), np.zeros(self.model.triplets)
        if start is not None:
            shared = min(len(main), len(start.main))
            main[:shared] = start.main[:shared]
            effects = start.triplets if self.sigma else effects
        return _Latent(main, effects)

    def z(self, latent: _Latent) -> Float64:
        """(V,) z of each answer."""
        z = self.rows.dot(latent.main)
        return z + latent.triplets[self.rows.triplet] if self.sigma else z

    def loss(self, latent: _Latent) -> float:
        """The negative logarithm without the normalisation of the priors."""
        z, main, effects = self.z(latent), latent.main, latent.triplets
        strength = math.exp(min(MAX_LOG_STRENGTH, main[self.model.log_s]))
        p = grade_probabilities(z, strength)[np.arange(len(z)), self.model.observations.grade]
        prior = 0.5 * float(self.precision @ main**2)
        if self.sigma:
            prior += 0.5 * float(effects @ effects) / self.sigma**2
        return prior - float(np.log(np.maximum(p, MIN_PROBABILITY)).sum())


class _Step:
    """A Newton step: the Hessian with the effects of triplets eliminated, and its solution for the gradient."""

    def __init__(self, posterior: _Posterior, latent: _Latent) -> None:
        rows, log_s, sigma = posterior.rows, posterior.model.log_s, posterior.sigma
        first, second = Ordinal().derivatives_by_z_and_t(
            posterior.z(latent), latent.main[log_s], posterior.model.observations.votes
        )
        # Curvatures that are not positive (far from the mode) are raised, so that every step descends.
        by_zz, by_tt = np.maximum(second[0], 1e-8), max(float(second[2].sum()), 1e-3)
        gradient = rows.sums(first[0]) + posterior.precision * latent.main
        gradient[log_s] += first[1].sum()
        hessian, cross = rows.hessian(by_zz), rows.sums(second[1])
        hessian[log_s] += cross
        hessian[:, log_s] += cross
        hessian[log_s, log_s] += by_tt
        hessian[np.diag_indices_from(hessian)] += posterior.precision
        self.log_determinant = 0.0
        if sigma:
            diagonal = self._by_triplet(rows, by_zz) + sigma**-2
            mixed = rows.by_triplet(by_zz)
            mixed[log_s] += self._by_triplet(rows, second[1])
            of_effects = self._by_triplet(rows, first[0]) + latent.triplets / sigma**2
            hessian = hessian - (mixed / diagonal) @ mixed.T
            gradient = gradient - mixed @ (of_effects / diagonal)
            self.log_determinant += float(np.log(diagonal).sum())
        self._factor = _factorised(hessian)
        self.log_determinant += 2 * float(np.log(np.diag(self._factor[0])).sum())
        self.main: Float64 = linalg.cho_solve(self._factor, gradient)
        self.effects: Float64 = np.zeros(rows.triplets)
        if sigma:
            self.effects = (of_effects - mixed.T @ self.main) / diagonal

    def inverse(self) -> Float64:
        """(P, P) the inverse of the Hessian's part for the main parameters."""
        return np.asarray(linalg.cho_solve(self._factor, np.eye(len(self._factor[0]))))

    @staticmethod
    def _by_triplet(rows: _Rows, values: Float64) -> Float64:
        return _sums(rows.triplet, values, rows.triplets)


def _sums(places: Int64, values: Float64, size: int) -> Float64:
    """(size,) sums of `values` by their `places`."""
    return np.asarray(np.bincount(places.ravel(), values.ravel(), size), dtype=np.float64)


def _factorised(hessian: Float64) -> tuple[Float64, bool]:
    """Cholesky factor; where the Hessian is not positive, of one with a larger diagonal."""
    damping = 0.0
    while True:
        try:
            factor: tuple[Float64, bool] = linalg.cho_factor(hessian + damping * np.eye(len(hessian)), lower=True)
        except linalg.LinAlgError:
            damping = max(1e-3, 4 * damping)
        else:
            return factor


def grade_probabilities(z: Float64, strength: float) -> Float64:
    """(V, 4) probability of each of `GRADES`, for z (V,)."""
    strong_a, strong_b = expit(z - strength), expit(-z - strength)
    return np.stack([strong_a, expit(z) - strong_a, expit(-z) - strong_b, strong_b], axis=-1)


def _averaged(model: _Model, points: Sequence[_Point], log_posterior: Float64) -> HierarchicalFit:
    """The mixture of the points by their posterior probabilities, as means and covariances in units of the weights."""
    shares = np.exp(log_posterior - log_posterior.max())
    shares[shares < NEGLIGIBLE] = 0
    shares /= shares.sum()
    parts, listeners = model.parts, model.listeners
    means = np.stack([_group_and_own(point.latent.main, parts, listeners) for point in points])
    mean = np.einsum("g,glk->lk", shares, means)
    covariance = np.zeros((listeners + 1, parts, parts))
    for share, point, one in zip(shares, points, means, strict=True):
        if share:
            spread = one - mean
            covariance += share * (
                _covariances(point.inverse, parts, listeners) + spread[:, :, np.newaxis] * spread[:, np.newaxis]
            )
    size = len(model.present)
    weights, covariances = np.zeros((listeners + 1, size)), np.zeros((listeners + 1, size, size))
    weights[:, model.present] = mean / model.scale
    here = np.flatnonzero(model.present)
    covariances[:, here[:, np.newaxis], here] = covariance / np.outer(model.scale, model.scale)

    def expected(values: Sequence[float]) -> float:
        return float(shares @ np.array(values))

    taste = expected([point.tau for point in points])
    deviation = np.zeros(size)
    deviation[here] = taste / model.scale
    return HierarchicalFit(
        weights[0],
        covariances[0],
        weights[1:],
        covariances[1:],
        taste,
        expected([point.sigma for point in points]),
        deviation,
        expected([float(point.latent.main[parts]) for point in points]),
        expected([math.exp(point.latent.main[parts + 1]) for point in points]),
        len(model.observations),
    )


def _group_and_own(main: Float64, parts: int, listeners: int) -> Float64:
    """(L + 1, K) weights of the group, then of each listener."""
    own = main[parts + 2 :].reshape(-1, parts) if len(main) > parts + 2 else np.zeros((listeners, parts))
    return np.concatenate([main[np.newaxis, :parts], main[:parts] + own])


def _covariances(inverse: Float64, parts: int, listeners: int) -> Float64:
    """(L + 1, K, K) covariances of the weights of the group, then of each listener."""
    group = inverse[:parts, :parts]
    covariances = np.repeat(group[np.newaxis], listeners + 1, axis=0)
    if len(inverse) > parts + 2:
        for listener in range(listeners):
            own = slice(parts + 2 + listener * parts, parts + 2 + (listener + 1) * parts)
            cross = inverse[:parts, own]
            covariances[listener + 1] += inverse[own, own] + cross + cross.T
    return covariances
