"""Likelihoods of votes given w.f, with first and second derivatives.

Parameters theta: the K weights, then the model's extra parameters. Losses are negative log-likelihoods without constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit

from soundalike.preferences.triplet_data import Float64

MIN_PROBABILITY = 1e-150
"""Probabilities are clipped from below, so that logarithms and squares stay finite."""


class Model(Protocol):
    """A likelihood of votes. extras: number of parameters after the weights; lapse: share of random answers."""

    @property
    def extras(self) -> int: ...

    @property
    def lapse(self) -> float: ...

    def loss(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> float:
        """Negative log-likelihood of votes (N, 4) given features (N, K)."""
        ...

    def derivatives(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> tuple[Float64, Float64]:
        """Gradient of the loss by triplet (N, K + extras), and its Hessian (K + extras, K + extras)."""
        ...

    def curvature(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> Float64:
        """(N,) second derivative of the loss with respect to w.f."""
        ...

    def recession_rows(self, features: Float64, votes: NDArray[np.int64]) -> Float64:
        """Rows r (M, K + extras) that characterise directions of recession d of theta (with s, not log s, as last entry).

        No vote becomes less likely along d if r.d >= 0 for all rows; some vote keeps becoming more likely if any r.d > 0.
        """
        ...


def has_no_maximum(rows: Float64) -> bool:
    """Whether the likelihood has a direction of recession (`Model.recession_rows`), and hence no maximum.

    This is separability in logistic regression (Albert & Anderson 1984), decided by a linear programme.
    """
    if not len(rows):
        return False
    rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), MIN_PROBABILITY)
    solution = optimize.linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1))
    return bool(rows.sum(axis=0) @ solution.x > 1e-6)


@dataclass(frozen=True)
class Binary:
    """A against B: P(A) = lapse / 2 + (1 - lapse) sigmoid(w.f)."""

    lapse: float = 0.0
    extras: int = 0

    def loss(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> float:
        p = self._probability(features @ theta)
        q = self._probability(-(features @ theta))
        a, b = votes[:, :2].sum(axis=1), votes[:, 2:].sum(axis=1)
        return -float(a @ np.log(np.maximum(p, MIN_PROBABILITY)) + b @ np.log(np.maximum(q, MIN_PROBABILITY)))

    def derivatives(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> tuple[Float64, Float64]:
        first, second = self._derivatives_by_z(features @ theta, votes)
        return features * first[:, np.newaxis], (features * second[:, np.newaxis]).T @ features

    def curvature(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> Float64:
        return self._derivatives_by_z(features @ theta, votes)[1]

    def _derivatives_by_z(self, z: Float64, votes: NDArray[np.int64]) -> tuple[Float64, Float64]:
        """First and second derivative of each triplet's loss by z = w.f."""
        a, b = votes[:, :2].sum(axis=1), votes[:, 2:].sum(axis=1)
        p, q = np.maximum(self._probability(z), MIN_PROBABILITY), np.maximum(self._probability(-z), MIN_PROBABILITY)
        slope = (1 - self.lapse) * expit(z) * expit(-z)  # dp/dz = -dq/dz
        curvature = slope * (expit(-z) - expit(z))
        first = -(a / p - b / q) * slope
        return first, (a / p**2 + b / q**2) * slope**2 - (a / p - b / q) * curvature

    def recession_rows(self, features: Float64, votes: NDArray[np.int64]) -> Float64:
        return np.concatenate([features[votes[:, :2].any(axis=1)], -features[votes[:, 2:].any(axis=1)]])

    def _probability(self, z: Float64) -> Float64:
        return np.asarray(self.lapse / 2 + (1 - self.lapse) * expit(z))


@dataclass(frozen=True)
class Ordinal:
    """Four grades: cumulative logits with thresholds -s, 0, s; the last parameter is log s."""

    lapse: float = 0.0
    extras: int = 1

    def loss(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> float:
        p = self._probability(features @ theta[:-1], float(np.exp(theta[-1])))
        return -float(np.sum(votes * np.log(np.maximum(p, MIN_PROBABILITY))))

    def derivatives(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> tuple[Float64, Float64]:
        first, second = self.derivatives_by_z_and_t(features @ theta[:-1], theta[-1], votes)
        scores = np.column_stack([features * first[0][:, np.newaxis], first[1]])
        cross = features.T @ second[1]
        hessian = np.block(
            [
                [(features * second[0][:, np.newaxis]).T @ features, cross[:, np.newaxis]],
                [cross[np.newaxis], np.array([[second[2].sum()]])],
            ]
        )
        return scores, hessian

    def curvature(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> Float64:
        return np.asarray(self.derivatives_by_z_and_t(features @ theta[:-1], theta[-1], votes)[1][0])

    def derivatives_by_z_and_t(
        self, z: Float64, log_s: float, votes: NDArray[np.int64]
    ) -> tuple[tuple[Float64, Float64], tuple[Float64, Float64, Float64]]:
        """Derivatives of each triplet's loss by z = w.f and t = log s: (z, t) and (zz, zt, tt)."""
        s = float(np.exp(log_s))
        p = np.maximum(self._probability(z, s), MIN_PROBABILITY)
        # The cumulative curves are g(z - s), g(z), g(z + s), g the logistic function; grades are their differences.
        lower, middle, upper = (_logistic_derivatives(z + shift) for shift in (-s, 0.0, s))
        by_z = np.stack([lower[0], middle[0] - lower[0], upper[0] - middle[0], -upper[0]], axis=1)
        by_zz = np.stack([lower[1], middle[1] - lower[1], upper[1] - middle[1], -upper[1]], axis=1)
        by_s = np.stack([-lower[0], lower[0], upper[0], -upper[0]], axis=1)
        by_ss = np.stack([lower[1], -lower[1], upper[1], -upper[1]], axis=1)
        by_zs = np.stack([-lower[1], lower[1], upper[1], -upper[1]], axis=1)
        by_z, by_zz, by_s, by_ss, by_zs = ((1 - self.lapse) * one for one in (by_z, by_zz, by_s, by_ss, by_zs))
        by_t, by_tt, by_zt = s * by_s, s**2 * by_ss + s * by_s, s * by_zs
        ratio, ratio_squared = votes / p, votes / p**2
        first = -(ratio * by_z).sum(axis=1), -(ratio * by_t).sum(axis=1)
        second_z = (ratio_squared * by_z**2 - ratio * by_zz).sum(axis=1)
        second_t = (ratio_squared * by_t**2 - ratio * by_tt).sum(axis=1)
        mixed = (ratio_squared * by_z * by_t - ratio * by_zt).sum(axis=1)
        return first, (second_z, mixed, second_t)

    def recession_rows(self, features: Float64, votes: NDArray[np.int64]) -> Float64:
        zeros = np.zeros((len(features), 1))
        towards_a, towards_b = np.hstack([features, zeros]), np.hstack([-features, zeros])
        widen = np.r_[np.zeros(features.shape[1]), 1.0]  # the thresholds move outwards
        strong_a, weak_a, weak_b, strong_b = (votes > 0).T
        return np.concatenate(
            [
                (towards_a - widen)[strong_a],
                towards_a[weak_a],
                (towards_b + widen)[weak_a],
                towards_b[weak_b],
                (towards_a + widen)[weak_b],
                (towards_b - widen)[strong_b],
            ]
        )

    def _probability(self, z: Float64, s: float) -> Float64:
        """(N, 4) probability of each grade."""
        strong_a, strong_b = expit(z - s), expit(-z - s)
        p = np.stack([strong_a, expit(z) - strong_a, expit(-z) - strong_b, strong_b], axis=1)
        return np.asarray(self.lapse / 4 + (1 - self.lapse) * p)


def _logistic_derivatives(z: Float64) -> tuple[Float64, Float64]:
    """First and second derivative of the logistic function at z."""
    p, q = expit(z), expit(-z)
    slope = p * q
    return np.asarray(slope), np.asarray(slope * (q - p))
