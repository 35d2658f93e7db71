"""How sure an agreement is, and whether two differ: intervals and a paired test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from soundalike.errors import InputError

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """low to high, shares from 0 to 1."""

    low: float
    high: float


def wilson(right: int, total: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of right/total (Wilson 1927), as for independent triplets. Raises InputError for counts
    that are none."""
    if not 0 <= right <= total or total == 0:
        raise InputError(f"{right} of {total} is no share; the total is 1 or more and the right ones are among them")
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = right / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    reach = z / (1 + z**2 / total) * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    # At 0 and at all, the score interval begins or ends exactly there; rounding must not say otherwise.
    return Interval(0.0 if right == 0 else middle - reach, 1.0 if right == total else middle + reach)


def clustered_bootstrap(
    right: Bool, tracks: Sequence[frozenset[str]], *, level: float = 0.95, draws: int = 2_000, seed: int = 0
) -> Interval:
    """Percentile interval of the share of `right` (N,) under resampling of tracks.

    A triplet belongs to up to three tracks at once, so tracks are drawn with replacement and a triplet counts as often as
    the product of its tracks' multiplicities (the bootstrap of exchangeable arrays: Owen & Eckles 2012; Davezies,
    D'Haultfoeuille & Guyonvarch 2021). Triplets that share no track are independent, others are not.
    """
    names = sorted(frozenset().union(*tracks))
    index = {name: position for position, name in enumerate(names)}
    member = np.zeros((len(tracks), len(names)), dtype=bool)
    for row, touched in enumerate(tracks):
        member[row, [index[name] for name in touched]] = True
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(draws):
        multiplicity = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
        times = np.where(member, multiplicity, 1).prod(axis=1)
        if times.sum():
            shares.append(float(times @ right) / float(times.sum()))
    low, high = np.quantile(shares, [0.5 - level / 2, 0.5 + level / 2]) if shares else (math.nan, math.nan)
    return Interval(float(low), float(high))


def nadeau_bengio(agreements: Float64, test_share: float, level: float = 0.95) -> Interval:
    """Interval of the mean agreement over random splits that tests `test_share` of the data each: Student's, with the
    variance corrected for the splits' overlap, (1/S + test/training) s^2 (Nadeau & Bengio 2003). Raises InputError for
    fewer than two splits or a share outside 0 to 1."""
    if len(agreements) < 2 or not 0 < test_share < 1:
        raise InputError(
            f"{len(agreements)} splits that test {test_share:g} give no interval; two splits are the least"
        )
    variance = float(np.var(agreements, ddof=1)) * (1 / len(agreements) + test_share / (1 - test_share))
    reach = float(stats.t.ppf(0.5 + level / 2, len(agreements) - 1)) * math.sqrt(variance)
    middle = float(np.mean(agreements))
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))


@dataclass(frozen=True)
class Paired:
    """Two models on the same triplets: how many only the first gets right, how many only the second, and the exact
    two-sided p (McNemar 1947, as a binomial test)."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Bool, second: Bool) -> Paired:
    """Whether two models differ, from what each got right (N,), triplet by triplet."""
    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    differing = only_first + only_second
    p = float(stats.binomtest(only_first, differing).pvalue) if differing else 1.0
    return Paired(only_first, only_second, p)
