"""Preference models: weights w of the parts such that the sign of w.f predicts which candidate listeners prefer.

No model has an intercept: exchanging A and B must reverse the prediction and change nothing else (Eq. 3 of Vohra & Akama).

- From labels y (+1: A, -1: B) of the kept triplets: `ols` and `ridge`, as in the paper, and `nonnegative`.
- From all votes: `logistic` (A against B; binomial) and `ordinal` (all four grades; cumulative logits with thresholds -s, 0, s).
  Both have a penalty alpha |w|^2 / 2.
- `...-cv`: the penalty is chosen by cross-validation within the data passed to `fit`.

Covariances are sandwiches, valid under misspecification: HC3 for least squares (MacKinnon & White 1985), clustered by triplet
for votes (Liang & Zeger 1986). `soundalike.preferences.robust_weights` replaces them by those that are robust to shared tracks
and listeners, which take longer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from soundalike.errors import InputError
from soundalike.preferences import likelihoods, newton
from soundalike.preferences.triplet_data import Float64, TripletData
from soundalike.preferences.vote_design import VoteDesign, vote_design

RIDGE_ALPHA = 1.0
"""Assumed: the paper does not state it. This is scikit-learn's default, on unscaled features."""

VOTE_ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
RIDGE_ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FOLDS = 5
MIN_TRIPLETS_PER_PART = 10
"""Triplets per part that must remain in a fold's training part after removing those that share a track with the fold."""

MAX_LOG_ODDS = 8.0
"""Log-odds beyond this in an unpenalised fit trigger a check that the likelihood has a maximum."""


@dataclass(frozen=True)
class Fit:
    """Fitted weights (K,).

    covariance: (K, K) of the weights, None if the method has none.
    triplets: number of triplets fitted to. alpha: the penalty.
    strength: threshold s of the ordinal model, the log-odds between "rather" and "clearly".
    side_bias: log-odds of choosing the candidate shown first, whatever it is; None if it was not estimated.
    lapse: share of random answers that the model assumed.
    degrees_of_freedom: (K,) of Student's t for the intervals, None for the normal distribution.
    """

    method: str
    weights: Float64
    covariance: Float64 | None
    triplets: int
    alpha: float = 0.0
    strength: float | None = None
    side_bias: float | None = None
    lapse: float = 0.0
    degrees_of_freedom: Float64 | None = None

    def intervals(self, level: float = 0.95) -> Float64 | None:
        """(K, 2) confidence intervals of the weights; None without a covariance.

        Infinite where the data say nothing of the variance (no degrees of freedom).
        """
        if self.covariance is None:
            return None
        errors = np.sqrt(np.diag(self.covariance))
        half_width = stats.norm.ppf(0.5 + level / 2) * errors
        if self.degrees_of_freedom is not None:
            known = self.degrees_of_freedom > 0
            quantiles = stats.t.ppf(0.5 + level / 2, np.where(known, self.degrees_of_freedom, 1.0))
            half_width = np.where(known, quantiles * errors, np.where(errors > 0, np.inf, 0.0))
        return np.stack([self.weights - half_width, self.weights + half_width], axis=1)


@dataclass(frozen=True)
class Method:
    """A method for fitting weights. uses: `labels` or `votes`."""

    name: str
    summary: str
    uses: str
    fit: Callable[[TripletData], Fit]


def fit_ridge(data: TripletData, alpha: float = RIDGE_ALPHA, method: str = "ridge") -> Fit:
    """Least squares on the labels with penalty alpha |w|^2, unscaled features, no intercept; alpha 0 is OLS.

    Parts whose features are all 0 get weight 0. If several solutions fit equally well (collinear features, fewer triplets
    than parts), OLS returns the one of least norm. K triplets or fewer give no covariance. Raises InputError if no triplet
    is kept, or for a negative penalty.
    """
    _check_penalty(alpha)
    f, y = _features_and_labels(data)
    gram = f.T @ f + alpha * np.eye(f.shape[1])
    inverse = np.linalg.pinv(gram, hermitian=True)
    absent = ~np.any(f != 0, axis=0)
    inverse[absent], inverse[:, absent] = 0, 0  # exactly 0: the sign of a rounding error would be a prediction
    weights = inverse @ (f.T @ y)
    leverage = np.einsum("nk,kl,nl->n", f, inverse, f)
    residuals = (y - f @ weights) / np.maximum(1.0 - leverage, 1e-6)
    meat = (f * (residuals**2)[:, np.newaxis]).T @ f
    covariance = inverse @ meat @ inverse if len(f) > f.shape[1] else None
    return Fit(method, weights, covariance, len(f), alpha)


def fit_ols(data: TripletData) -> Fit:
    """Ordinary least squares on the labels, no intercept; raises as `fit_ridge`."""
    return fit_ridge(data, 0.0, "ols")


def fit_nonnegative(data: TripletData) -> Fit:
    """Least squares on the labels with weights of 0 or more (Lawson & Hanson); raises as `fit_ridge`."""
    f, y = _features_and_labels(data)
    return Fit("nonnegative", optimize.nnls(f, y)[0], None, len(f))


def fit_logistic(data: TripletData, alpha: float = 0.0, lapse: float = 0.0) -> Fit:
    """Maximum likelihood of P(A) = sigmoid(w.f) on all votes.

    lapse: known share of random answers, from 0 to below 1: P(A) = lapse / 2 + (1 - lapse) sigmoid(w.f). Raises InputError
    if there is no vote, or no maximum because the votes are separable (a penalty helps).
    """
    return _fit_votes("logistic", data, likelihoods.Binary(_check_lapse(lapse)), alpha)


def fit_ordinal(data: TripletData, alpha: float = 0.0, lapse: float = 0.0) -> Fit:
    """Maximum likelihood of cumulative logits on all four grades.

    P(A+) = sigmoid(w.f - s), P(A+ or A-) = sigmoid(w.f), P(B+) = sigmoid(-w.f - s), with s > 0 fitted (McCullagh 1980;
    thresholds symmetric under exchange of A and B). lapse: as in `fit_logistic`, a quarter of it for each grade. Raises as
    `fit_logistic`, and if all votes are strong or all are weak, so that s has no maximum.
    """
    grades = data.votes.sum(axis=0)
    if not grades[[0, 3]].any() or not grades[[1, 2]].any():
        raise InputError(
            "all answers have the same strength, so the ordinal model cannot estimate its threshold; use logistic"
        )
    return _fit_votes("ordinal", data, likelihoods.Ordinal(_check_lapse(lapse)), alpha)


def fit_ridge_cv(data: TripletData) -> Fit:
    """Ridge with the alpha of `RIDGE_ALPHAS` that minimises the squared error of held-out labels."""

    def loss(fit: Fit, held_out: TripletData) -> float:
        f, y = _features_and_labels(held_out)
        return float(np.sum((y - f @ fit.weights) ** 2))

    return _fit_best_alpha("ridge-cv", data.take(data.kept), RIDGE_ALPHAS, fit_ridge, loss)


def fit_logistic_cv(data: TripletData) -> Fit:
    """Logistic with the alpha of `VOTE_ALPHAS` that maximises the likelihood of held-out votes."""

    def loss(fit: Fit, held_out: TripletData) -> float:
        return likelihoods.Binary().loss(fit.weights, held_out.features, held_out.votes)

    return _fit_best_alpha("logistic-cv", data.take(data.total > 0), VOTE_ALPHAS, fit_logistic, loss)


def fit_ordinal_cv(data: TripletData) -> Fit:
    """Ordinal with the alpha of `VOTE_ALPHAS` that maximises the likelihood of held-out votes."""

    def loss(fit: Fit, held_out: TripletData) -> float:
        assert fit.strength is not None  # fit_ordinal always sets it
        theta = np.append(fit.weights, np.log(fit.strength))
        return likelihoods.Ordinal().loss(theta, held_out.features, held_out.votes)

    return _fit_best_alpha("ordinal-cv", data.take(data.total > 0), VOTE_ALPHAS, fit_ordinal, loss)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("ols", "least squares on labels, as in the paper", "labels", fit_ols),
        Method("ridge", "least squares with a penalty of 1 (assumed; not stated in the paper)", "labels", fit_ridge),
        Method("ridge-cv", "ridge, penalty chosen within the training data", "labels", fit_ridge_cv),
        Method("nonnegative", "least squares with weights of 0 or more", "labels", fit_nonnegative),
        Method("logistic", "likelihood of all votes, A against B", "votes", fit_logistic),
        Method("logistic-cv", "logistic, penalty chosen within the training data", "votes", fit_logistic_cv),
        Method("ordinal", "likelihood of all votes with their strength", "votes", fit_ordinal),
        Method("ordinal-cv", "ordinal, penalty chosen within the training data", "votes", fit_ordinal_cv),
    )
}


def get_method(name: str) -> Method:
    """The method called `name`. Raises InputError for an unknown name."""
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; choose from {', '.join(METHODS)}")
    return METHODS[name]


def folds(data: TripletData, count: int = FOLDS) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """`count` pairs of training and held-out indices.

    Training triplets that share a track with the fold are dropped, unless fewer than `MIN_TRIPLETS_PER_PART` per part would
    remain (small or densely connected data); then none is dropped.
    """
    order = np.random.default_rng(0).permutation(len(data))
    pairs = []
    for held_out in np.array_split(order, min(count, len(data))):
        training = np.flatnonzero(~data.shares_track(held_out))
        if len(training) < MIN_TRIPLETS_PER_PART * data.parts:
            training = np.setdiff1d(order, held_out)
        pairs.append((training, held_out))
    return pairs


def _fit_best_alpha(
    method: str,
    data: TripletData,
    alphas: Sequence[float],
    fit: Callable[[TripletData, float], Fit],
    loss: Callable[[Fit, TripletData], float],
) -> Fit:
    """Fit to all data with the alpha of least loss on held-out folds."""
    if len(data) < 2 * FOLDS:
        raise InputError(
            f"{len(data)} triplets are too few to choose a penalty; at least {2 * FOLDS} are needed (about half as many "
            "again, since testing leaves some out); use --method ridge, which has a fixed penalty"
        )
    pairs = [(data.take(training), data.take(held_out)) for training, held_out in folds(data)]
    losses = [sum(loss(fit(training, alpha), held_out) for training, held_out in pairs) for alpha in alphas]
    return replace(fit(data, alphas[int(np.argmin(losses))]), method=method)


def _features_and_labels(data: TripletData) -> tuple[Float64, Float64]:
    """Features and labels of the kept triplets."""
    if not data.kept.any():
        raise InputError("no triplet reaches the cut-off, so there is no label to fit; use a lower --cut-off")
    return data.features[data.kept], data.labels[data.kept].astype(np.float64)


def _check_penalty(alpha: float) -> None:
    if not alpha >= 0:
        raise InputError(f"the penalty is {alpha:g}; it must be 0 or more")


def _check_lapse(lapse: float) -> float:
    if not 0 <= lapse < 1:
        raise InputError(f"the lapse rate is {lapse:g}; it must be a share from 0 to below 1")
    return lapse


def _fit_votes(method: str, data: TripletData, model: likelihoods.Model, alpha: float) -> Fit:
    """Maximum likelihood with a sandwich covariance clustered by triplet; parts absent from every triplet get weight 0."""
    _check_penalty(alpha)
    voted = data.take(data.total > 0)
    if not len(voted):
        raise InputError("no triplet has a vote, so there is nothing to fit")
    design = vote_design(voted)
    size = design.features.shape[1] + model.extras
    penalty = np.zeros((size, size))
    penalty[range(design.parts), range(design.parts)] = alpha
    maximum = newton.maximise(model, design.features, design.votes, penalty)
    weights = np.zeros(data.parts)
    weights[design.present] = maximum.theta[: design.parts]
    extreme = alpha == 0 and np.abs(voted.features @ weights).max() > MAX_LOG_ODDS
    unbounded = extreme and likelihoods.has_no_maximum(model.recession_rows(design.features, design.votes))
    if maximum.diverged or unbounded:
        raise InputError(
            f"some weights separate the votes of {len(voted)} triplets perfectly, so {method} has no maximum; use a penalty "
            f"(--method {method}-cv chooses one, ridge has a fixed one) or collect more answers"
        )
    if not maximum.converged:
        raise InputError(
            f"{method} did not converge in {newton.MAX_STEPS} steps; use a penalty (--method {method}-cv chooses one)"
        )
    return Fit(
        method,
        weights,
        _clustered_by_triplet(design, maximum) if len(voted) > size else None,
        len(voted),
        alpha,
        strength=float(np.exp(maximum.theta[-1])) if model.extras else None,
        side_bias=float(maximum.theta[design.parts]) if design.side else None,
        lapse=model.lapse,
    )


def _clustered_by_triplet(design: VoteDesign, maximum: newton.Maximum) -> Float64:
    """(K, K) sandwich covariance of the weights, clustered by triplet."""
    triplets, size = int(design.triplet.max()) + 1, len(maximum.theta)
    scores = np.zeros((triplets, size))
    np.add.at(scores, design.triplet, maximum.scores)
    inverse = np.linalg.pinv(maximum.hessian, hermitian=True)
    correction = triplets / max(1, triplets - size)  # for few clusters
    sandwich = correction * inverse @ (scores.T @ scores) @ inverse
    covariance = np.zeros((len(design.present), len(design.present)))
    covariance[np.ix_(design.present, design.present)] = sandwich[: design.parts, : design.parts]
    return covariance
