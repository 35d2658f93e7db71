"""Judged triplets: features of N questions beside the answers that they had. What models of preference are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from soundalike.errors import InputError
from soundalike.preferences.triplets import GRADES, Perspective, Triplet, kept, vote_counts

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """N questions of K parts.

    features (N, K): f_k = cos(X_k, A_k) - cos(X_k, B_k), Eq. 2 of Vohra & Akama; votes (N, 4): answers a grade, in the
    order of `GRADES`; tracks: those that each triplet's clips are cut from; kept (N,): whether its agreement reaches the
    cut-off. Labels (`ols`, `ridge`) and all testing use the kept ones only; models of votes learn from all.
    """

    features: Float64
    votes: NDArray[np.int64]
    tracks: tuple[frozenset[str], ...]
    kept: Bool

    def __post_init__(self) -> None:
        count = len(self.tracks)
        if self.features.ndim != 2 or len(self.features) != count or self.kept.shape != (count,):
            raise InputError(f"{count} triplets need features ({count}, K), but theirs are {self.features.shape}")
        if self.votes.shape != (count, len(GRADES)):
            raise InputError(f"{count} triplets need votes ({count}, {len(GRADES)}), but theirs are {self.votes.shape}")
        if not np.isfinite(self.features).all():
            raise InputError("features hold NaN or infinite values; leave those triplets out")

    def __len__(self) -> int:
        return len(self.tracks)

    @property
    def parts(self) -> int:
        """K."""
        return int(self.features.shape[1])

    @property
    def for_a(self) -> NDArray[np.int64]:
        """(N,) votes for A, of either strength."""
        counts: NDArray[np.int64] = self.votes[:, :2].sum(axis=1)
        return counts

    @property
    def total(self) -> NDArray[np.int64]:
        """(N,) votes."""
        counts: NDArray[np.int64] = self.votes.sum(axis=1)
        return counts

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) +1 where most preferred A, -1 where B, 0 where neither."""
        signs: NDArray[np.int64] = np.sign(2 * self.for_a - self.total)
        return signs

    def take(self, chosen: ArrayLike) -> Judged:
        """Those that `chosen` says: a mask (N,) or indices."""
        index = self._indices(chosen)
        return Judged(
            self.features[index], self.votes[index], tuple(self.tracks[i] for i in index.tolist()), self.kept[index]
        )

    def sharing(self, chosen: ArrayLike) -> Bool:
        """(N,) which of all triplets share a track with one of those `chosen`."""
        touched = frozenset().union(*(self.tracks[i] for i in self._indices(chosen).tolist()))
        return np.array([not touched.isdisjoint(tracks) for tracks in self.tracks], dtype=bool)

    def _indices(self, chosen: ArrayLike) -> NDArray[np.intp]:
        asked = np.asarray(chosen)
        index: NDArray[np.intp] = np.arange(len(self))[asked if asked.size else asked.astype(np.intp)]
        return index


def judged(
    features: Float64, triplets: Sequence[Triplet], cut_off: float, perspective: Perspective = "total"
) -> Judged:
    """`triplets` with their features (N, K); those without a vote from this perspective are left out.

    Raises InputError for a cut-off that is no agreement (0.5 to 1).
    """
    chosen = {id(triplet) for triplet in kept(triplets, cut_off, perspective)}
    whole = Judged(
        np.asarray(features, dtype=np.float64),
        vote_counts(triplets, perspective),
        tuple(frozenset(triplet.tracks) for triplet in triplets),
        np.array([id(triplet) in chosen for triplet in triplets], dtype=bool),
    )
    return whole.take(whole.total > 0)
