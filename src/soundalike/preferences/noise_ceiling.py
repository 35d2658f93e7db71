"""The noise ceiling: how often a perfect model of the population would agree with the majorities that were observed.

A triplet's listeners are a sample; its share of the population that prefers A is drawn from a beta distribution, its votes
from a binomial. Fitted by maximum likelihood to all triplets of a kind, this says for each triplet how probably the
population's majority is the observed one; the mean over the kept triplets is the ceiling of any agreement on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from soundalike.errors import InputError
from soundalike.preferences.intervals import Interval
from soundalike.preferences.triplets import Perspective, Triplet, kept

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


REPEATED = 10
"""So many triplets of a kind must have two votes or more: single votes say nothing of how far listeners agree."""


@dataclass(frozen=True)
class Beta:
    """The population's shares among triplets of one kind: Beta(a, b)."""

    a: float
    b: float


def fit_beta(successes: Int64, totals: Int64, *, symmetric: bool) -> Beta:
    """Maximum likelihood of a beta-binomial; symmetric: a = b, where the slots mean nothing. Triplets without a vote say
    nothing. Raises InputError where there is no vote at all."""
    voted = totals > 0
    k, n = successes[voted].astype(float), totals[voted].astype(float)
    if not len(n):
        raise InputError("no triplet of this kind has a vote, so there is no noise ceiling")

    def loss(logs: Float64) -> float:
        a, b = np.exp(logs[0]), np.exp(logs[-1])
        return -float(np.sum(special.betaln(k + a, n - k + b) - special.betaln(a, b)))

    bounds = [(-8.0, 8.0)] * (1 if symmetric else 2)
    found = optimize.minimize(loss, np.zeros(len(bounds)), method="L-BFGS-B", bounds=bounds)
    return Beta(float(np.exp(found.x[0])), float(np.exp(found.x[-1])))


def majority_stands(successes: Int64, totals: Int64, beta: Beta) -> Float64:
    """(N,) the probability that more than half of the population is on the side of the observed majority."""
    above = np.asarray(special.betaincc(successes + beta.a, totals - successes + beta.b, 0.5), dtype=np.float64)
    return np.where(2 * successes >= totals, above, 1 - above)


def ceiling(
    triplets: Sequence[Triplet],
    cut_off: float,
    perspective: Perspective = "total",
    *,
    of: Callable[[Triplet], bool] = lambda _: True,
) -> float:
    """The noise ceiling (0.5 to 1) of the triplets kept at `cut_off`; XAB and XYC have a population each, pooled over the
    kept ones.

    of: which of the kept ones it is wanted for; all tell how listeners agree. NaN where none is kept, or where fewer than
    `REPEATED` triplets of a kind were answered twice, so that nothing tells noise from preference.

    XYC counts votes for the side of the reference's own track, XAB those for A, where the slots mean nothing.
    """
    probabilities: list[float] = []
    for kind in ("XAB", "XYC"):
        of_kind = [triplet for triplet in triplets if triplet.kind == kind]
        chosen = [triplet for triplet in kept(of_kind, cut_off, perspective) if of(triplet)]
        if not chosen:
            continue
        successes, totals = _counts(of_kind, perspective)
        if np.sum(totals >= 2) < REPEATED:
            return float("nan")
        beta = fit_beta(successes, totals, symmetric=kind == "XAB")
        probabilities += majority_stands(*_counts(chosen, perspective), beta).tolist()
    return float(np.mean(probabilities)) if probabilities else float("nan")


def ceiling_interval(
    triplets: Sequence[Triplet], cut_off: float, *, level: float = 0.95, draws: int = 200, seed: int = 0
) -> Interval:
    """Percentile interval of `ceiling` under resampling of triplets; NaN where there is no ceiling."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        value = ceiling([triplets[i] for i in rng.integers(len(triplets), size=len(triplets)).tolist()], cut_off)
        if np.isfinite(value):
            found.append(value)
    if len(found) < draws:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(found, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(low), float(high))


def _counts(triplets: Sequence[Triplet], perspective: Perspective) -> tuple[Int64, Int64]:
    """Votes for the same track's side (XYC) or for A (XAB), and all votes."""
    sides = [t.turned() if t.kind == "XYC" and t.tracks[0] == t.tracks[2] else t for t in triplets]
    successes = np.array([t.for_a(perspective) for t in sides], dtype=np.int64)
    totals = successes + np.array([t.for_b(perspective) for t in sides], dtype=np.int64)
    return successes, totals
