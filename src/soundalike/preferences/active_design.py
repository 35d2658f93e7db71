"""Which triplets to ask about next, so that the weights become certain soonest.

The posterior of the weights is normal (`soundalike.preferences.hierarchical`). An answer to a triplet with features f adds the
information I(z) f f' about the weights, with z = w.f and I the Fisher information of the four grades, averaged over the posterior
of z. Triplets are chosen one after the other, each for the largest expected reduction of C, given those chosen before:

- with a contrast c: of the variance c' C c, by (c' C f)^2 I / (1 + I f' C f);
- without: of the volume, by log(1 + I f' C f) (D-optimality).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit

from soundalike.preferences.hierarchical import grade_probabilities
from soundalike.preferences.triplet_data import Float64

_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


@dataclass(frozen=True)
class Contrast:
    """The difference of two weights; second: None for the weight of `first` alone."""

    first: int
    second: int | None = None

    def coefficients(self, parts: int) -> Float64:
        """(K,) c, such that the contrast is c'w."""
        coefficients = np.zeros(parts)
        coefficients[self.first] += 1
        if self.second is not None:
            coefficients[self.second] -= 1
        return coefficients

    def interval(self, weights: Float64, covariance: Float64, level: float = 0.95) -> tuple[float, float]:
        """Its credible interval."""
        c = self.coefficients(len(weights))
        half = float(stats.norm.ppf(0.5 + level / 2)) * math.sqrt(max(0.0, float(c @ covariance @ c)))
        return float(c @ weights) - half, float(c @ weights) + half

    def relative_width(self, weights: Float64, covariance: Float64, level: float = 0.95) -> float:
        """Width of the interval in units of the mean size of the weights; infinite if all are 0.

        The unit makes a goal independent of how sure listeners are, which is what the size of the weights depends on.
        """
        low, high = self.interval(weights, covariance, level)
        size = float(np.abs(weights).mean())
        return (high - low) / size if size else math.inf


@dataclass(frozen=True)
class StillNeeded:
    """What brings an interval to its goal: more answers of the same listeners, or more listeners who answer as much."""

    answers: int = 0
    listeners: int = 0

    def __str__(self) -> str:
        if self.listeners:
            return f"tastes differ: about {self.listeners} more listeners"
        return f"about {self.answers} more answers"


def still_needed(
    width: float, goal: float, answers: int, *, listeners: int = 1, taste_width: float = 0.0
) -> StillNeeded | None:
    """About how much more brings an interval of `width`, known from `answers` of `listeners`, to the width `goal`; None if it is
    narrow enough.

    taste_width: the width that is left after any number of answers of these listeners, because others have other tastes. The
    rest falls as 1 / sqrt(answers). Listeners are needed if tastes alone take up more than half of what is allowed.
    """
    if width <= goal:
        return None
    if 2 * taste_width**2 > goal**2:
        return StillNeeded(listeners=max(1, math.ceil(listeners * ((width / goal) ** 2 - 1))))
    rest, allowed = max(0.0, width**2 - taste_width**2), goal**2 - taste_width**2
    return StillNeeded(answers=max(1, math.ceil(answers * (rest / allowed - 1))))


def expected_information(mean: Float64, variance: Float64, strength: float) -> Float64:
    """(N,) Fisher information about z of an answer in four grades, for z ~ N(mean, variance) (N,), averaged over that."""
    z = mean[:, np.newaxis] + np.sqrt(np.maximum(variance, 0))[:, np.newaxis] * _NODES
    information = grade_information(z, strength)
    return np.asarray(information @ (_NODE_WEIGHTS / _NODE_WEIGHTS.sum()))


def grade_information(z: Float64, strength: float) -> Float64:
    """Fisher information about z of an answer in four grades, for z of any shape."""
    lower, middle, upper = (expit(z + shift) * expit(-z - shift) for shift in (-strength, 0.0, strength))
    slopes = np.stack([lower, middle - lower, upper - middle, -upper], axis=-1)
    return np.asarray(np.sum(slopes**2 / np.maximum(grade_probabilities(z, strength), 1e-12), axis=-1))


@dataclass(frozen=True)
class Belief:
    """A normal posterior of the weights: mean (K,), covariance (K, K), and the strength s of the ordinal model."""

    weights: Float64
    covariance: Float64
    strength: float


def choose_triplets(
    belief: Belief,
    features: Float64,
    count: int,
    *,
    contrast: Contrast | None = None,
    groups: Sequence[frozenset[str]] | None = None,
    cap: int | None = None,
) -> NDArray[np.intp]:
    """Indices of up to `count` different candidates with features (N, K), in the order in which they were chosen.

    groups: (N,) what each candidate uses, such as its tracks; none of them is used more than `cap` times.
    """
    covariance = belief.covariance.copy()
    aim = None if contrast is None else contrast.coefficients(features.shape[1])
    available = np.ones(len(features), dtype=bool)
    used: dict[str, int] = {}
    chosen: list[int] = []
    variance = np.einsum("nk,kl,nl->n", features, covariance, features)
    information = expected_information(features @ belief.weights, variance, belief.strength)
    while len(chosen) < count and available.any():
        towards = features @ covariance
        variance = np.einsum("nk,nk->n", towards, features)
        if aim is None:
            gain = np.log1p(information * variance)
        else:
            gain = (towards @ aim) ** 2 * information / (1 + information * variance)
        best = int(np.argmax(np.where(available, gain, -1.0)))
        chosen.append(best)
        available[best] = False
        step = towards[best]
        covariance -= information[best] * np.outer(step, step) / (1 + information[best] * variance[best])
        if groups is not None and cap is not None:
            for group in groups[best]:
                used[group] = used.get(group, 0) + 1
            full = {group for group, times in used.items() if times >= cap}
            if full & groups[best]:
                available &= np.array([full.isdisjoint(one) for one in groups])
    return np.array(chosen, dtype=np.intp)
