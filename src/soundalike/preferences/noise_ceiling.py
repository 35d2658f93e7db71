"""The noise ceiling: how often a perfect model of the population would agree with the observed majorities.

A triplet's listeners are a sample. The share of the population that prefers A follows a beta distribution over triplets,
and the votes are binomial given that share. The beta-binomial is fitted by maximum likelihood to all triplets of a kind;
it gives the probability that the population's majority is the observed one, for each triplet. The mean over the kept
triplets is the highest agreement that any model can be expected to reach on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from soundalike.errors import InputError
from soundalike.preferences.cluster_robust import Links, robust_variance
from soundalike.preferences.intervals import Interval
from soundalike.preferences.triplets import KINDS, Perspective, Triplet, above_cut_off, merge_mirrored

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

MIN_REPEATED = 10
"""Number of triplets of a kind that need two votes or more: single votes do not show how far listeners agree."""


@dataclass(frozen=True)
class Beta:
    """Distribution of the population's shares over the triplets of one kind: Beta(a, b)."""

    a: float
    b: float


def fit_beta(successes: Int64, totals: Int64, *, symmetric: bool) -> Beta:
    """Fit a beta-binomial by maximum likelihood; symmetric: a = b, for triplets whose slots are exchangeable.

    Triplets without votes are ignored. Raises InputError if there is no vote at all.
    """
    voted = totals > 0
    k, n = successes[voted].astype(float), totals[voted].astype(float)
    if not len(n):
        raise InputError("no triplet of this kind has a vote, so it has no noise ceiling")

    def loss(logs: Float64) -> float:
        a, b = np.exp(logs[0]), np.exp(logs[-1])
        return -float(np.sum(special.betaln(k + a, n - k + b) - special.betaln(a, b)))

    bounds = [(-8.0, 8.0)] * (1 if symmetric else 2)
    result = optimize.minimize(loss, np.zeros(len(bounds)), method="L-BFGS-B", bounds=bounds)
    return Beta(float(np.exp(result.x[0])), float(np.exp(result.x[-1])))


def majority_probability(successes: Int64, totals: Int64, beta: Beta) -> Float64:
    """(N,) the probability that more than half of the population is on the side of the observed majority."""
    above = np.asarray(special.betaincc(successes + beta.a, totals - successes + beta.b, 0.5), dtype=np.float64)
    return np.where(2 * successes >= totals, above, 1 - above)


def noise_ceiling(
    triplets: Sequence[Triplet],
    cut_off: float,
    perspective: Perspective = "total",
    *,
    include: Callable[[Triplet], bool] = lambda _: True,
) -> float:
    """The noise ceiling (0.5 to 1) of the triplets kept at `cut_off`; XAB and XYC are fitted separately and pooled.

    Triplets that were asked in both orders count once. include: which of the kept triplets to average over; all triplets
    are used to fit. NaN if no triplet is kept, or if fewer than `MIN_REPEATED` triplets of a kind have two votes or more.

    For XYC the successes are votes for the reference's own track; for XAB, where the slots are exchangeable, votes for A.
    """
    kinds = _kinds(triplets, cut_off, perspective, include)
    if not kinds or not all(kind.repeated for kind in kinds):
        return float("nan")
    return float(np.mean(np.concatenate([kind.probabilities(_fit_log_beta(kind)) for kind in kinds])))


def noise_ceiling_interval(
    triplets: Sequence[Triplet],
    cut_off: float,
    perspective: Perspective = "total",
    *,
    include: Callable[[Triplet], bool] = lambda _: True,
    level: float = 0.95,
) -> Interval:
    """Interval of `noise_ceiling`, robust to shared tracks; NaN where there is no noise ceiling.

    From the influence of each triplet on the fit and on the mean, on the logit scale.
    """
    kinds = _kinds(triplets, cut_off, perspective, include)
    ceiling = noise_ceiling(triplets, cut_off, perspective, include=include)
    if not np.isfinite(ceiling):
        return Interval(float("nan"), float("nan"))
    total = sum(int(kind.kept.sum()) for kind in kinds)
    influences = np.concatenate([_influences(kind, ceiling) for kind in kinds])[:, np.newaxis] / total
    tracks = [own for kind in kinds for own in kind.tracks]
    constant = np.ones((len(tracks), 1))
    basis = constant / np.sqrt(len(tracks))
    variance = robust_variance(influences - influences.mean(), constant / len(tracks), basis, Links(tracks))
    error = float(variance.quantiles(level)[0]) * float(np.sqrt(variance.covariance[0, 0]))
    if not np.isfinite(error) or not 0 < ceiling < 1:
        return Interval(0.5, 1.0)
    logits = special.logit(ceiling) + np.array([-1, 1]) * error / (ceiling * (1 - ceiling))
    low, high = special.expit(logits)
    return Interval(max(0.5, float(low)), float(high))


@dataclass(frozen=True)
class _Kind:
    """Counts of the triplets of one kind. successes, totals: (N,); kept: (N,) which ones to average over."""

    successes: Int64
    totals: Int64
    kept: NDArray[np.bool_]
    tracks: tuple[frozenset[str], ...]
    symmetric: bool

    @property
    def repeated(self) -> bool:
        """Whether enough triplets were answered twice."""
        return bool(np.sum(self.totals >= 2) >= MIN_REPEATED)

    def probabilities(self, logs: Float64) -> Float64:
        """Of the kept triplets, for the logarithms of a and b."""
        beta = Beta(float(np.exp(logs[0])), float(np.exp(logs[-1])))
        return majority_probability(self.successes[self.kept], self.totals[self.kept], beta)


def _kinds(
    triplets: Sequence[Triplet], cut_off: float, perspective: Perspective, include: Callable[[Triplet], bool]
) -> list[_Kind]:
    """The kinds that have a kept triplet."""
    kinds = []
    for name in KINDS:
        of_kind = [t for t in merge_mirrored(triplets) if t.kind == name and any(t.counts(perspective))]
        chosen = {id(triplet) for triplet in above_cut_off(of_kind, cut_off, perspective) if include(triplet)}
        if chosen:
            kept = np.array([id(triplet) in chosen for triplet in of_kind])
            tracks = tuple(frozenset(triplet.tracks) for triplet in of_kind)
            kinds.append(_Kind(*_counts(of_kind, perspective), kept, tracks, name == "XAB"))
    return kinds


def _fit_log_beta(kind: _Kind) -> Float64:
    """The logarithms of the fitted parameters: one if symmetric, else two."""
    beta = fit_beta(kind.successes, kind.totals, symmetric=kind.symmetric)
    return np.log([beta.a] if kind.symmetric else [beta.a, beta.b])


def _influences(kind: _Kind, ceiling: float) -> Float64:
    """(N,) influence of each triplet on the sum of the kept triplets' probabilities less the ceiling."""
    logs = _fit_log_beta(kind)

    def losses(theta: Float64) -> Float64:
        a, b = np.exp(theta[0]), np.exp(theta[-1])
        k, n = kind.successes, kind.totals
        return np.asarray(special.betaln(a, b) - special.betaln(k + a, n - k + b))

    scores = _gradient(losses, logs)
    hessian = _gradient(lambda theta: _gradient(losses, theta).sum(axis=0), logs)
    slope = _gradient(lambda theta: kind.probabilities(theta), logs).sum(axis=0)
    influences: Float64 = -scores @ np.linalg.pinv(hessian, hermitian=True) @ slope
    influences[kind.kept] += kind.probabilities(logs) - ceiling
    return influences


def _gradient(function: Callable[[Float64], Float64], at: Float64, step: float = 1e-3) -> Float64:
    """(N, P) central differences of a function with N values."""
    steps = step * np.eye(len(at))
    return np.stack([(function(at + one) - function(at - one)) / (2 * step) for one in steps], axis=-1)


def _counts(triplets: Sequence[Triplet], perspective: Perspective) -> tuple[Int64, Int64]:
    """Votes for the reference's own track (XYC) or for A (XAB), and total votes."""
    oriented = [t.swapped() if t.kind == "XYC" and t.tracks[0] == t.tracks[2] else t for t in triplets]
    successes = np.array([t.for_a(perspective) for t in oriented], dtype=np.int64)
    totals = successes + np.array([t.for_b(perspective) for t in oriented], dtype=np.int64)
    return successes, totals
