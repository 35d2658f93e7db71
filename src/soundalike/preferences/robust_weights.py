"""Covariances of fitted weights that are robust to shared tracks and shared listeners."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from soundalike.preferences import likelihoods
from soundalike.preferences.cluster_robust import Links, robust_variance
from soundalike.preferences.estimators import METHODS, Fit
from soundalike.preferences.triplet_data import Float64, TripletData
from soundalike.preferences.vote_design import ballot_design


def with_robust_covariance(data: TripletData, fit: Fit) -> Fit:
    """The same fit with the covariance of `soundalike.preferences.cluster_robust` in place of its own.

    data: what was fitted to. Triplets are linked by tracks, ballots also by listeners. A fit without a covariance stays
    as it is.
    """
    if fit.covariance is None:
        return fit
    return _of_labels(data, fit) if METHODS[fit.method].uses == "labels" else _of_votes(data, fit)


def _of_labels(data: TripletData, fit: Fit) -> Fit:
    kept = data.take(data.kept)
    present = np.any(kept.features != 0, axis=0)
    f, y = kept.features[:, present], kept.labels.astype(np.float64)
    inverse = np.linalg.pinv(f.T @ f + fit.alpha * np.eye(f.shape[1]), hermitian=True)
    coefficients = f @ inverse
    errors = coefficients * (y - f @ fit.weights[present])[:, np.newaxis]
    return _replaced(fit, present, errors, coefficients, _basis(f), Links(kept.tracks))


def _of_votes(data: TripletData, fit: Fit) -> Fit:
    voted = data.take(data.total > 0)
    design = ballot_design(voted)
    model: likelihoods.Model = likelihoods.Binary(fit.lapse)
    theta = np.r_[fit.weights[design.present], [fit.side_bias or 0.0] * design.side]
    if fit.strength is not None:
        model, theta = likelihoods.Ordinal(fit.lapse), np.r_[theta, np.log(fit.strength)]
    scores, hessian = model.derivatives(theta, design.features, design.votes)
    penalty = np.zeros(len(theta))
    penalty[: design.parts] = fit.alpha
    inverse = np.linalg.pinv(hessian + np.diag(penalty), hermitian=True)
    size = design.features.shape[1]
    curvature = model.curvature(theta, design.features, design.votes)
    scaled = design.features * np.sqrt(np.maximum(curvature, 0.0))[:, np.newaxis]
    listeners = None if voted.ballots is None else voted.ballots.listener
    return _replaced(
        fit,
        design.present,
        (scores @ inverse)[:, : design.parts],
        (scaled @ inverse[:size, :size])[:, : design.parts],
        _basis(scaled),
        Links(voted.tracks, design.triplet, listeners),
    )


def _basis(features: Float64) -> Float64:
    """(N, P) orthonormal basis of the columns."""
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    return np.asarray(left[:, values > 1e-12 * values.max(initial=0.0)])


def _replaced(
    fit: Fit, present: np.ndarray, errors: Float64, coefficients: Float64, basis: Float64, links: Links
) -> Fit:
    variance = robust_variance(errors, coefficients, basis, links)
    covariance = np.zeros((len(fit.weights), len(fit.weights)))
    covariance[np.ix_(present, present)] = variance.covariance
    freedom = np.full(len(fit.weights), np.inf)
    freedom[present] = variance.degrees_of_freedom
    return replace(fit, covariance=covariance, degrees_of_freedom=freedom)
