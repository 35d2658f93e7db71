"""Models of preference: weights w of the parts such that w.f says which candidate listeners prefer. Never an intercept: to
turn A and B must turn the answer and change nothing else (Eq. 3 of Vohra & Akama).

- From labels y (+1: A, -1: B) of the kept triplets: `ols` and `ridge`, as in the paper, and `nonnegative`.
- From all votes: `logistic` (A against B; binomial) and `ordinal` (all four grades; cumulative logits with thresholds -s, 0, s).
  Each has a penalty |w|^2 * alpha / 2.
- `...-cv`: the penalty chosen by cross-validation inside what `fit` is given, and nothing else.

Intervals are those of the estimate, whatever the truth: sandwich covariances that hold where the model does not (HC3 for
least squares: MacKinnon & White 1985; clustered by triplet for votes: Liang & Zeger 1986).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from soundalike.errors import InputError
from soundalike.preferences import likelihoods
from soundalike.preferences.triplet_data import Float64, Judged

RIDGE_ALPHA = 1.0
"""The paper does not say which; this is scikit-learn's default, on unscaled features."""

VOTE_ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
RIDGE_ALPHAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FOLDS = 5
FEWEST = 10
"""Triplets a part that must remain in a fold's training part for it to be cleared of tracks that the fold shares."""

LARGEST = 1e3
"""Weights beyond this say that the votes are separable and the likelihood has no maximum: features are differences of
cosines, so such a weight would turn .01 of cosine into certainty."""
CERTAIN = 8.0
"""Log-odds beyond this in an unpenalised fit give reason to ask whether there is a maximum at all."""
STEPS = 200
ROUNDING = 1e-14


@dataclass(frozen=True)
class Fit:
    """Fitted weights (K,) and how sure they are.

    covariance (K, K) of the weights, None where the method has none; alpha: the penalty; strength: the threshold s of the
    ordinal model (log-odds between rather and clearly); triplets: how many were fitted to.
    """

    method: str
    weights: Float64
    covariance: Float64 | None
    triplets: int
    alpha: float = 0.0
    strength: float | None = None

    def intervals(self, level: float = 0.95) -> Float64 | None:
        """(K, 2) normal intervals of the weights; None without a covariance."""
        if self.covariance is None:
            return None
        reach = stats.norm.ppf(0.5 + level / 2) * np.sqrt(np.diag(self.covariance))
        return np.stack([self.weights - reach, self.weights + reach], axis=1)


@dataclass(frozen=True)
class Method:
    """A way to fit weights. uses: labels or votes."""

    name: str
    summary: str
    uses: str
    fit: Callable[[Judged], Fit]


def fit_ridge(judged: Judged, alpha: float = RIDGE_ALPHA, method: str = "ridge") -> Fit:
    """Least squares of the labels with the penalty alpha |w|^2, unscaled, no intercept; alpha 0 is OLS.

    Parts whose features are all 0 get weight 0. Where several weights fit alike (collinear features, fewer triplets than
    parts) OLS takes the shortest; up to K triplets give no covariance. Raises InputError where no triplet is kept, or for
    a penalty below 0.
    """
    _checked_penalty(alpha)
    f, y = _labelled(judged)
    gram = f.T @ f + alpha * np.eye(f.shape[1])
    inverse = np.linalg.pinv(gram, hermitian=True)
    absent = ~np.any(f != 0, axis=0)
    inverse[absent], inverse[:, absent] = 0, 0  # no rounding: its sign would answer where only that part differs
    weights = inverse @ (f.T @ y)
    leverage = np.einsum("nk,kl,nl->n", f, inverse, f)
    scaled = (y - f @ weights) / np.maximum(1.0 - leverage, 1e-6)
    meat = (f * (scaled**2)[:, np.newaxis]).T @ f
    covariance = inverse @ meat @ inverse if len(f) > f.shape[1] else None
    return Fit(method, weights, covariance, len(f), alpha)


def fit_ols(judged: Judged) -> Fit:
    """Ordinary least squares of the labels, no intercept; raises as `fit_ridge`."""
    return fit_ridge(judged, 0.0, "ols")


def fit_nonnegative(judged: Judged) -> Fit:
    """Least squares of the labels with weights of 0 or more (Lawson & Hanson); raises as `fit_ridge`."""
    f, y = _labelled(judged)
    return Fit("nonnegative", optimize.nnls(f, y)[0], None, len(f))


def fit_logistic(judged: Judged, alpha: float = 0.0, lapse: float = 0.0) -> Fit:
    """Maximum likelihood of P(A) = sigmoid(w.f) on all votes.

    lapse (0 to below 1): the known share of answers given at random, P(A) = lapse / 2 + (1 - lapse) sigmoid(w.f). Raises
    InputError where there is no vote, or no maximum because some weights part the votes without exception (give a penalty).
    """
    return _fit_votes("logistic", judged, likelihoods.Binary(_checked_lapse(lapse)), alpha)


def fit_ordinal(judged: Judged, alpha: float = 0.0, lapse: float = 0.0) -> Fit:
    """Maximum likelihood of cumulative logits on all four grades: P(A+) = sigmoid(w.f - s), P(A+ or A-) = sigmoid(w.f),
    P(B+) = sigmoid(-w.f - s), s > 0 fitted (McCullagh 1980, with thresholds that turning A and B leaves in place).

    lapse: as in `fit_logistic`, each grade with a quarter of it. Raises as `fit_logistic`, and where all votes are clear
    ones or none is, so that s has no maximum.
    """
    voted = judged.votes.sum(axis=0)
    if not voted[[0, 3]].any() or not voted[[1, 2]].any():
        raise InputError(
            "all answers have the same strength, so the ordinal model has nothing to learn it from; use logistic"
        )
    return _fit_votes("ordinal", judged, likelihoods.Ordinal(_checked_lapse(lapse)), alpha)


def fit_ridge_cv(judged: Judged) -> Fit:
    """Ridge with the alpha of `RIDGE_ALPHAS` that predicts the labels of held-out triplets best (squared error)."""

    def loss(fit: Fit, held: Judged) -> float:
        f, y = _labelled(held)
        return float(np.sum((y - f @ fit.weights) ** 2))

    return _chosen("ridge-cv", judged, RIDGE_ALPHAS, fit_ridge, loss, labelled=True)


def fit_logistic_cv(judged: Judged) -> Fit:
    """Logistic with the alpha of `VOTE_ALPHAS` under which held-out votes are likeliest."""

    def loss(fit: Fit, held: Judged) -> float:
        return likelihoods.Binary().loss(fit.weights, held.features, held.votes)

    return _chosen("logistic-cv", judged, VOTE_ALPHAS, fit_logistic, loss, labelled=False)


def fit_ordinal_cv(judged: Judged) -> Fit:
    """Ordinal with the alpha of `VOTE_ALPHAS` under which held-out votes are likeliest."""

    def loss(fit: Fit, held: Judged) -> float:
        assert fit.strength is not None  # an ordinal fit has one
        return likelihoods.Ordinal().loss(np.append(fit.weights, np.log(fit.strength)), held.features, held.votes)

    return _chosen("ordinal-cv", judged, VOTE_ALPHAS, fit_ordinal, loss, labelled=False)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("ols", "least squares of the labels, as in the paper", "labels", fit_ols),
        Method("ridge", "the same with a penalty of 1 (assumed; the paper does not say)", "labels", fit_ridge),
        Method("ridge-cv", "the same, penalty chosen inside the training part", "labels", fit_ridge_cv),
        Method("nonnegative", "least squares with weights of 0 or more", "labels", fit_nonnegative),
        Method("logistic", "likelihood of all votes, A against B", "votes", fit_logistic),
        Method("logistic-cv", "the same, penalty chosen inside the training part", "votes", fit_logistic_cv),
        Method("ordinal", "likelihood of all votes with their strength", "votes", fit_ordinal),
        Method("ordinal-cv", "the same, penalty chosen inside the training part", "votes", fit_ordinal_cv),
    )
}


def method_named(name: str) -> Method:
    """The method called `name`. Raises InputError where there is none."""
    if name not in METHODS:
        raise InputError(f"unknown method {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name]


def folds(judged: Judged, count: int = FOLDS) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """`count` pairs of training and held-out indices. From a fold's training part all triplets are dropped that share a
    track with the fold, unless fewer than `FEWEST` a part would remain; then none is (small or densely linked data)."""
    order = np.random.default_rng(0).permutation(len(judged))
    pairs = []
    for held in np.array_split(order, min(count, len(judged))):
        apart = np.flatnonzero(~judged.sharing(held))
        if len(apart) < FEWEST * judged.parts:
            apart = np.setdiff1d(order, held)
        pairs.append((apart, held))
    return pairs


def _chosen(
    method: str,
    judged: Judged,
    alphas: Sequence[float],
    fit: Callable[[Judged, float], Fit],
    loss: Callable[[Fit, Judged], float],
    *,
    labelled: bool,
) -> Fit:
    """Fitted to all with the alpha of the least loss on held-out folds."""
    usable = judged.take(judged.kept) if labelled else judged.take(judged.total > 0)
    if len(usable) < 2 * FOLDS:
        raise InputError(
            f"{len(usable)} triplets are too few to choose a penalty by, {2 * FOLDS} are the least (testing leaves some out, so "
            "ask for half as many again); use --method ridge, whose penalty is fixed"
        )
    pairs = [(usable.take(training), usable.take(held)) for training, held in folds(usable)]
    losses = [sum(loss(fit(training, alpha), held) for training, held in pairs) for alpha in alphas]
    best = fit(usable, alphas[int(np.argmin(losses))])
    return Fit(method, best.weights, best.covariance, best.triplets, best.alpha, best.strength)


def _labelled(judged: Judged) -> tuple[Float64, Float64]:
    """Features and labels of the kept triplets."""
    if not judged.kept.any():
        raise InputError("no triplet reaches the cut-off, so there is no label to learn from; lower the cut-off")
    return judged.features[judged.kept], judged.labels[judged.kept].astype(np.float64)


def _checked_penalty(alpha: float) -> None:
    if not alpha >= 0:
        raise InputError(f"a penalty of {alpha:g} is not possible; it is 0 or more")


def _checked_lapse(lapse: float) -> float:
    if not 0 <= lapse < 1:
        raise InputError(f"a lapse rate of {lapse:g} is not possible; give a share from 0 to below 1")
    return lapse


def _fit_votes(method: str, judged: Judged, model: likelihoods.Model, alpha: float) -> Fit:
    """Newton's method with steps halved until the loss falls; parts that are absent everywhere keep weight 0."""
    _checked_penalty(alpha)
    heard = judged.take(judged.total > 0)
    if not len(heard):
        raise InputError("no triplet has a vote, so there is nothing to learn from")
    there = np.flatnonzero(np.any(heard.features != 0, axis=0))
    f, votes = heard.features[:, there], heard.votes
    size = len(there) + model.extras
    penalty = np.diag(np.r_[np.full(len(there), float(alpha)), np.zeros(model.extras)])

    def total(theta: Float64) -> float:
        return model.loss(theta, f, votes) + 0.5 * float(theta @ penalty @ theta)

    theta, settled = np.zeros(size), True
    for _ in range(STEPS):
        scores, information = model.derivatives(theta, f, votes)
        gradient = scores.sum(axis=0) + penalty @ theta
        if np.abs(gradient).max(initial=0.0) < 1e-10 * max(1.0, float(votes.sum())):
            break
        step = _downhill(information + penalty, gradient)
        scale, now = 1.0, total(theta)
        if float(gradient @ step) < ROUNDING * max(1.0, abs(now)):
            break  # what is left to gain is lost in rounding
        while scale > 1e-8 and not total(theta - scale * step) <= now:
            scale /= 2
        theta = theta - scale * step
        if scale <= 1e-8 or np.abs(theta).max(initial=0.0) > LARGEST:
            break
    else:
        settled = False
    scores, information = model.derivatives(theta, f, votes)
    weights = np.zeros(judged.parts)
    weights[there] = theta[: len(there)]
    lost = np.abs(theta).max(initial=0.0) > LARGEST or not np.isfinite(theta).all()
    certain = alpha == 0 and np.abs(heard.features @ weights).max() > CERTAIN
    if lost or (certain and likelihoods.has_no_maximum(model.rises(f, votes))):
        raise InputError(
            f"some weights part the votes of {len(heard)} triplets without exception, so {method} has no best ones; give "
            f"a penalty (--method {method}-cv chooses one, ridge has a fixed one) or more answers"
        )
    if not settled:
        raise InputError(f"{method} did not settle in {STEPS} steps; give a penalty (--method {method}-cv chooses one)")
    covariance = np.zeros((judged.parts, judged.parts))
    inverse = np.linalg.pinv(information + penalty, hermitian=True)
    small = len(heard) / max(1, len(heard) - size)  # the usual correction for few clusters
    sandwich = small * inverse @ (scores.T @ scores) @ inverse
    covariance[np.ix_(there, there)] = sandwich[: len(there), : len(there)]
    strength = float(np.exp(theta[-1])) if model.extras else None
    return Fit(method, weights, covariance if len(heard) > size else None, len(heard), alpha, strength)


def _downhill(hessian: Float64, gradient: Float64) -> Float64:
    """Newton's step; where the loss is not convex (lapses make it so), damped until it leads downhill."""
    lowest = float(np.linalg.eigvalsh(hessian)[0]) if len(hessian) else 0.0
    if lowest < 1e-8:
        hessian = hessian + (1e-6 - min(0.0, 2 * lowest)) * np.eye(len(hessian))
    return np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
