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
from soundalike.preferences.intervals import Interval
from soundalike.preferences.triplets import KINDS, Perspective, Triplet, above_cut_off

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

    include: which of the kept triplets to average over; all triplets are used to fit. NaN if no triplet is kept, or if
    fewer than `MIN_REPEATED` triplets of a kind have two votes or more.

    For XYC the successes are votes for the reference's own track; for XAB, where the slots are exchangeable, votes for A.
    """
    probabilities: list[float] = []
    for kind in KINDS:
        of_kind = [triplet for triplet in triplets if triplet.kind == kind]
        kept = [triplet for triplet in above_cut_off(of_kind, cut_off, perspective) if include(triplet)]
        if not kept:
            continue
        successes, totals = _counts(of_kind, perspective)
        if np.sum(totals >= 2) < MIN_REPEATED:
            return float("nan")
        beta = fit_beta(successes, totals, symmetric=kind == "XAB")
        probabilities += majority_probability(*_counts(kept, perspective), beta).tolist()
    return float(np.mean(probabilities)) if probabilities else float("nan")


def noise_ceiling_interval(
    triplets: Sequence[Triplet], cut_off: float, *, level: float = 0.95, draws: int = 200, seed: int = 0
) -> Interval:
    """Percentile interval of `noise_ceiling` under resampling of triplets; NaN where there is no noise ceiling."""
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        drawn = rng.integers(len(triplets), size=len(triplets)).tolist()
        value = noise_ceiling([triplets[i] for i in drawn], cut_off)
        if np.isfinite(value):
            values.append(value)
    if len(values) < draws:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(low), float(high))


def _counts(triplets: Sequence[Triplet], perspective: Perspective) -> tuple[Int64, Int64]:
    """Votes for the reference's own track (XYC) or for A (XAB), and total votes."""
    oriented = [t.swapped() if t.kind == "XYC" and t.tracks[0] == t.tracks[2] else t for t in triplets]
    successes = np.array([t.for_a(perspective) for t in oriented], dtype=np.int64)
    totals = successes + np.array([t.for_b(perspective) for t in oriented], dtype=np.int64)
    return successes, totals
