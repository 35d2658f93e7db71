"""Likelihoods of votes given w.f, with their first two derivatives: what `soundalike.preferences.estimators` maximises.

Parameters theta: the K weights, then the model's extras. Losses are negative log-likelihoods without constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit

from soundalike.preferences.triplet_data import Float64

LEAST = 1e-150
"""Probabilities under this count as this: their logarithm and their square stay what they are."""


class Model(Protocol):
    """extras: how many parameters follow the weights."""

    @property
    def extras(self) -> int: ...

    def loss(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> float:
        """Of votes (N, 4) given features (N, K)."""
        ...

    def derivatives(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> tuple[Float64, Float64]:
        """Gradient of the loss by triplet (N, K + extras), and the Hessian of the whole."""
        ...

    def rises(self, features: Float64, votes: NDArray[np.int64]) -> Float64:
        """Rows r (M, K + extras): along a direction d of theta (its last entry one of s, not log s) no vote ever grows
        less likely if r.d >= 0 for all of them, and one grows likelier for ever if r.d > 0 for one."""
        ...


def has_no_maximum(rows: Float64) -> bool:
    """Whether some direction is good for one vote for ever and bad for none (`Model.rises`): then the likelihood has no
    maximum, as with separable data in logistic regression (Albert & Anderson 1984). A linear programme decides."""
    if not len(rows):
        return False
    rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), LEAST)
    found = optimize.linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1))
    return bool(rows.sum(axis=0) @ found.x > 1e-6)


@dataclass(frozen=True)
class Binary:
    """A against B: P(A) = lapse / 2 + (1 - lapse) sigmoid(w.f)."""

    lapse: float = 0.0
    extras: int = 0

    def loss(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> float:
        p = self._likely(features @ theta)
        q = self._likely(-(features @ theta))
        a, b = votes[:, :2].sum(axis=1), votes[:, 2:].sum(axis=1)
        return -float(a @ np.log(np.maximum(p, LEAST)) + b @ np.log(np.maximum(q, LEAST)))

    def derivatives(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> tuple[Float64, Float64]:
        z = features @ theta
        a, b = votes[:, :2].sum(axis=1), votes[:, 2:].sum(axis=1)
        p, q = np.maximum(self._likely(z), LEAST), np.maximum(self._likely(-z), LEAST)
        slope = (1 - self.lapse) * expit(z) * expit(-z)  # dp/dz = -dq/dz
        bend = slope * (expit(-z) - expit(z))
        first = -(a / p - b / q) * slope
        second = (a / p**2 + b / q**2) * slope**2 - (a / p - b / q) * bend
        return features * first[:, np.newaxis], (features * second[:, np.newaxis]).T @ features

    def rises(self, features: Float64, votes: NDArray[np.int64]) -> Float64:
        return np.concatenate([features[votes[:, :2].any(axis=1)], -features[votes[:, 2:].any(axis=1)]])

    def _likely(self, z: Float64) -> Float64:
        return np.asarray(self.lapse / 2 + (1 - self.lapse) * expit(z))


@dataclass(frozen=True)
class Ordinal:
    """Four grades: cumulative logits with thresholds -s, 0, s; the last parameter is log s."""

    lapse: float = 0.0
    extras: int = 1

    def loss(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> float:
        p = self._likely(features @ theta[:-1], float(np.exp(theta[-1])))
        return -float(np.sum(votes * np.log(np.maximum(p, LEAST))))

    def derivatives(self, theta: Float64, features: Float64, votes: NDArray[np.int64]) -> tuple[Float64, Float64]:
        z, s = features @ theta[:-1], float(np.exp(theta[-1]))
        p = np.maximum(self._likely(z, s), LEAST)
        # The cumulative curves are g(z - s), g(z), g(z + s), g the logistic function; grades are their differences.
        below, middle, above = (_slope_and_bend(z + shift) for shift in (-s, 0.0, s))
        by_z = np.stack([below[0], middle[0] - below[0], above[0] - middle[0], -above[0]], axis=1)
        by_zz = np.stack([below[1], middle[1] - below[1], above[1] - middle[1], -above[1]], axis=1)
        by_s = np.stack([-below[0], below[0], above[0], -above[0]], axis=1)
        by_ss = np.stack([below[1], -below[1], above[1], -above[1]], axis=1)
        by_zs = np.stack([-below[1], below[1], above[1], -above[1]], axis=1)
        sure = 1 - self.lapse
        by_z, by_zz, by_s, by_ss, by_zs = (sure * one for one in (by_z, by_zz, by_s, by_ss, by_zs))
        by_t, by_tt, by_zt = s * by_s, s**2 * by_ss + s * by_s, s * by_zs  # t = log s
        odds, squared = votes / p, votes / p**2
        first_z, first_t = -(odds * by_z).sum(axis=1), -(odds * by_t).sum(axis=1)
        second_z = (squared * by_z**2 - odds * by_zz).sum(axis=1)
        second_t = (squared * by_t**2 - odds * by_tt).sum(axis=1)
        both = (squared * by_z * by_t - odds * by_zt).sum(axis=1)
        scores = np.column_stack([features * first_z[:, np.newaxis], first_t])
        cross = features.T @ both
        hessian = np.block(
            [
                [(features * second_z[:, np.newaxis]).T @ features, cross[:, np.newaxis]],
                [cross[np.newaxis], np.array([[second_t.sum()]])],
            ]
        )
        return scores, hessian

    def rises(self, features: Float64, votes: NDArray[np.int64]) -> Float64:
        none = np.zeros((len(features), 1))
        up, down = np.hstack([features, none]), np.hstack([-features, none])
        apart = np.r_[np.zeros(features.shape[1]), 1.0]  # the thresholds move outwards
        strong_a, weak_a, weak_b, strong_b = (votes > 0).T
        return np.concatenate(
            [
                (up - apart)[strong_a],
                up[weak_a],
                (down + apart)[weak_a],
                down[weak_b],
                (up + apart)[weak_b],
                (down - apart)[strong_b],
            ]
        )

    def _likely(self, z: Float64, s: float) -> Float64:
        """(N, 4) probabilities of the grades."""
        strong_a, strong_b = expit(z - s), expit(-z - s)
        p = np.stack([strong_a, expit(z) - strong_a, expit(-z) - strong_b, strong_b], axis=1)
        return np.asarray(self.lapse / 4 + (1 - self.lapse) * p)


def _slope_and_bend(z: Float64) -> tuple[Float64, Float64]:
    """First and second derivative of the logistic function."""
    up, down = expit(z), expit(-z)
    slope = up * down
    return np.asarray(slope), np.asarray(slope * (down - up))
