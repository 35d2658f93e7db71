"""Newton's method for the penalised likelihoods of `soundalike.preferences.likelihoods`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.preferences import likelihoods
from soundalike.preferences.triplet_data import Float64

MAX_PARAMETER = 1e3
"""Parameters beyond this mean that the votes are separable and the likelihood has no maximum: features are differences of
cosines, so such a weight would turn a difference of 0.01 into certainty."""
MAX_STEPS = 200
MIN_STEP_SCALE = 1e-8
ROUNDING = 1e-14


@dataclass(frozen=True)
class Maximum:
    """Result of `maximise`.

    theta: (P,) parameters; scores: (N, P) gradient of the unpenalised loss by triplet; hessian: (P, P) of the penalised
    loss; converged; diverged: whether the parameters grew without bound.
    """

    theta: Float64
    scores: Float64
    hessian: Float64
    converged: bool
    diverged: bool


def maximise(model: likelihoods.Model, features: Float64, votes: NDArray[np.int64], penalty: Float64) -> Maximum:
    """Maximise the likelihood of `votes` (N, 4) given `features` (N, K), minus theta' penalty theta / 2.

    penalty: (P, P), P = K + model.extras. Steps are halved until the loss falls.
    """

    def loss(theta: Float64) -> float:
        return model.loss(theta, features, votes) + 0.5 * float(theta @ penalty @ theta)

    theta, converged = np.zeros(len(penalty)), True
    for _ in range(MAX_STEPS):
        scores, hessian = model.derivatives(theta, features, votes)
        gradient = scores.sum(axis=0) + penalty @ theta
        if np.abs(gradient).max(initial=0.0) < 1e-10 * max(1.0, float(votes.sum())):
            break
        step = _descent_step(hessian + penalty, gradient)
        scale, current = 1.0, loss(theta)
        if float(gradient @ step) < ROUNDING * max(1.0, abs(current)):
            break  # the remaining gain is below rounding
        while scale > MIN_STEP_SCALE and not loss(theta - scale * step) <= current:
            scale /= 2
        theta = theta - scale * step
        if scale <= MIN_STEP_SCALE or np.abs(theta).max(initial=0.0) > MAX_PARAMETER:
            break
    else:
        converged = False
    scores, hessian = model.derivatives(theta, features, votes)
    diverged = bool(np.abs(theta).max(initial=0.0) > MAX_PARAMETER or not np.isfinite(theta).all())
    return Maximum(theta, scores, hessian + penalty, converged, diverged)


def _descent_step(hessian: Float64, gradient: Float64) -> Float64:
    """Newton's step, damped where the loss is not convex (with lapses) so that it descends."""
    lowest = float(np.linalg.eigvalsh(hessian)[0]) if len(hessian) else 0.0
    if lowest < 1e-8:
        hessian = hessian + (1e-6 - min(0.0, 2 * lowest)) * np.eye(len(hessian))
    return np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
