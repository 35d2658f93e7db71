"""Variances that are robust to shared tracks and shared listeners.

Two triplets that share a track are not independent, nor are two answers of one listener. A triplet belongs to up to three
tracks at once, so tracks are no partition, and the usual cluster-robust variance does not apply. Here the covariances of all
linked pairs are added (Aronow, Samii & Assenova 2015; Cameron & Miller 2014):

    V = sum over linked i, j of u_i u_j'

where u_i is the contribution of observation i to the estimation error. Residuals are smaller than errors, the more so the
more pairs are linked. V is therefore divided by its expectation under independent errors, and its degrees of freedom follow
from its first two moments there (Bell & McCaffrey 2002; Imbens & Kolesár 2016). `benchmarks/coverage.py` shows what
coverage results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from soundalike.preferences.intervals import Interval, score_interval

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

FEW_DIFFERENCES = 10
"""With fewer triplets that only one of two models gets right, the paired test is at least as strict as the exact one."""

MIN_SHARE = 1e-6
"""The least share of the variance that residuals must retain for an estimate."""


class Links:
    """Which of N observations are linked: those of triplets that share a track, and those of the same listener.

    An observation is linked to itself. Products with vectors are computed by inclusion and exclusion.
    """

    def __init__(
        self,
        tracks: Sequence[frozenset[str]],
        triplets: NDArray[np.intp] | None = None,
        listeners: NDArray[np.intp] | None = None,
    ) -> None:
        """tracks: of each triplet; triplets: (N,) index of each observation's triplet, None if observations are triplets;
        listeners: (N,) index of each observation's listener, negative if unknown."""
        indices = np.arange(len(tracks)) if triplets is None else triplets
        self._by_track = _shared_tracks(tracks)
        self._triplet = _membership(indices, len(tracks))
        self._listener: sparse.csr_matrix | None = None
        self._both: sparse.csr_matrix | None = None
        if listeners is not None and (listeners >= 0).any():
            self._listener = _membership(listeners, int(listeners.max()) + 1)
            same_listener = (self._listener @ self._listener.T).tocoo()
            of_row, of_column = indices[same_listener.row], indices[same_listener.col]
            linked = np.asarray(self._by_track[of_row, of_column]).ravel() > 0
            values = (np.ones(int(linked.sum())), (same_listener.row[linked], same_listener.col[linked]))
            self._both = sparse.csr_matrix(values, shape=same_listener.shape)

    def dot(self, values: Float64) -> Float64:
        """(N, ...) sums of `values` (N, ...) over the observations linked to each."""
        sums = self._triplet @ (self._by_track @ (self._triplet.T @ values))
        if self._listener is not None and self._both is not None:
            sums = sums + self._listener @ (self._listener.T @ values) - self._both @ values
        return np.asarray(sums, dtype=np.float64)


def _shared_tracks(tracks: Sequence[frozenset[str]]) -> sparse.csr_matrix:
    """(N, N) 1 where two triplets share a track, and on the diagonal."""
    index = {name: position for position, name in enumerate(sorted(frozenset().union(*tracks)))}
    rows = [row for row, own in enumerate(tracks) for _ in own]
    columns = [index[name] for own in tracks for name in own]
    member = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(tracks), max(1, len(index))))
    shared = (member @ member.T + sparse.identity(len(tracks), format="csr")).tocsr()
    shared.data = np.ones_like(shared.data)
    return shared


def _membership(groups: NDArray[np.intp], count: int) -> sparse.csr_matrix:
    """(N, count) 1 where an observation belongs to a group; negative groups are none."""
    rows = np.flatnonzero(groups >= 0)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, groups[rows])), shape=(len(groups), count))


@dataclass(frozen=True)
class RobustVariance:
    """covariance: (K, K) of K estimates; degrees_of_freedom: (K,), 0 where the data say nothing of the variance."""

    covariance: Float64
    degrees_of_freedom: Float64

    def quantiles(self, level: float = 0.95) -> Float64:
        """(K,) two-sided Student quantiles; infinite without degrees of freedom."""
        known = self.degrees_of_freedom > 0
        quantiles = stats.t.ppf(0.5 + level / 2, np.where(known, self.degrees_of_freedom, 1.0))
        return np.where(known, quantiles, math.inf)


def robust_variance(errors: Float64, coefficients: Float64, basis: Float64, links: Links) -> RobustVariance:
    """Variance of K estimates that are linear in N observations.

    errors: (N, K) contributions of each observation to the estimation errors (from residuals).
    coefficients: (N, K) what an independent unit error of each observation contributes.
    basis: (N, P) orthonormal basis of the fitted space, which residuals are orthogonal to.
    """
    raw = errors.T @ links.dot(errors)
    independent = np.sum(coefficients**2, axis=0)
    scale, freedom = np.zeros(len(independent)), np.zeros(len(independent))
    for k, c in enumerate(coefficients.T):
        if independent[k] == 0:
            continue
        weighted = c[:, np.newaxis] * links.dot(c[:, np.newaxis] * basis)
        inner = basis.T @ weighted
        expected = independent[k] - float(np.trace(inner))
        if expected <= MIN_SHARE * independent[k]:
            continue
        squares = float(c**2 @ links.dot(c**2)) - 2 * float(np.sum(weighted**2)) + float(np.sum(inner**2))
        scale[k] = independent[k] / expected
        freedom[k] = expected**2 / squares if squares > 0 else 0.0
    covariance = raw * np.sqrt(np.outer(scale, scale))
    return RobustVariance(_positive(covariance, np.sum(errors**2, axis=0)), freedom)


def _positive(covariance: Float64, independent: Float64) -> Float64:
    """The covariance without negative eigenvalues (Cameron, Gelbach & Miller 2011).

    A variance that is not positive is replaced by that of independent observations.
    """
    bad = np.diag(covariance) <= 0
    if bad.any():
        covariance = covariance.copy()
        covariance[bad], covariance[:, bad] = 0, 0
        covariance[bad, bad] = independent[bad]
    values, vectors = np.linalg.eigh(covariance)
    if values.min(initial=0.0) >= 0:
        return covariance
    clipped = (vectors * np.maximum(values, 0)) @ vectors.T
    # Clipping must not change the variances themselves, only how estimates vary together.
    scale = np.sqrt(np.diag(covariance) / np.maximum(np.diag(clipped), 1e-300))
    return np.asarray(clipped * np.outer(scale, scale))


def mean_variance(values: Float64, links: Links) -> RobustVariance:
    """Variance of the mean of `values` (N,)."""
    count = len(values)
    errors = (values - values.mean())[:, np.newaxis] / count
    constant = np.ones((count, 1))
    return robust_variance(errors, constant / count, constant / math.sqrt(count), links)


def share_interval(correct: Bool, links: Links, level: float = 0.95) -> Interval:
    """Interval of the share of `correct` (N,): Wilson's with the effective number of independent observations.

    That number is N over the design effect, the ratio of the robust variance to that of independent observations. Without
    any variance (all correct, or none) the design effect is unknown and taken as 1. 0 to 1 if nearly all pairs are linked,
    so that the data say nothing of the variance.
    """
    share, count = float(np.mean(correct)), len(correct)
    variance = mean_variance(correct.astype(np.float64), links)
    quantile = float(variance.quantiles(level)[0])
    if not math.isfinite(quantile):
        return Interval(0.0, 1.0)
    effective = float(count)
    if 0 < share < 1:
        effective = share * (1 - share) / float(variance.covariance[0, 0])
    else:
        quantile = float(stats.norm.ppf(0.5 + level / 2))
    return score_interval(share, effective, quantile)


@dataclass(frozen=True)
class PairedTest:
    """Two models compared on the same observations.

    only_first, only_second: observations that only one model gets right. difference: of their shares, with interval.
    p: two-sided p-value, robust to links; exact_p: McNemar's, which assumes independence.
    """

    only_first: int
    only_second: int
    difference: float
    interval: Interval
    p: float
    exact_p: float


def paired_test(first: Bool, second: Bool, links: Links, level: float = 0.95) -> PairedTest:
    """Test whether two models differ, given which observations (N,) each gets right.

    A Student test of the mean difference with the robust variance. With fewer than `FEW_DIFFERENCES` differing
    observations the larger of its p-value and McNemar's exact one counts.
    """
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    differing = only_first + only_second
    if not differing:
        return PairedTest(0, 0, 0.0, Interval(0.0, 0.0), 1.0, 1.0)
    exact_p = float(stats.binomtest(only_first, differing).pvalue)
    values = first.astype(np.float64) - second
    variance, difference = mean_variance(values, links), float(values.mean())
    quantile, error = float(variance.quantiles(level)[0]), math.sqrt(float(variance.covariance[0, 0]))
    if not math.isfinite(quantile):
        return PairedTest(only_first, only_second, difference, Interval(-1.0, 1.0), 1.0, exact_p)
    p = 2 * float(stats.t.sf(abs(difference) / error, variance.degrees_of_freedom[0])) if error else exact_p
    interval = Interval(max(-1.0, difference - quantile * error), min(1.0, difference + quantile * error))
    p = max(p, exact_p) if differing < FEW_DIFFERENCES else p
    return PairedTest(only_first, only_second, difference, interval, p, exact_p)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979), in the given order."""
    order = np.argsort(p_values)
    corrected, largest = [0.0] * len(order), 0.0
    for rank, index in enumerate(order.tolist()):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected
