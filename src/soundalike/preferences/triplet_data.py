"""Features of N triplets beside their votes: the data that preference models are fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from soundalike.errors import InputError
from soundalike.preferences.triplets import GRADES, Perspective, Triplet, above_cut_off, vote_counts

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class TripletData:
    """N triplets with features of K parts.

    features: (N, K), f_k = cos(X_k, A_k) - cos(X_k, B_k), Eq. 2 of Vohra & Akama.
    votes: (N, 4), number of answers of each grade, in the order of `GRADES`.
    tracks: the tracks that each triplet's clips are cut from.
    kept: (N,), whether the triplet's agreement reaches the cut-off. Models of labels (`ols`, `ridge`) are fitted to kept
    triplets, models of votes to all; every model is tested on kept triplets.
    """

    features: Float64
    votes: NDArray[np.int64]
    tracks: tuple[frozenset[str], ...]
    kept: Bool

    def __post_init__(self) -> None:
        count = len(self.tracks)
        if self.features.ndim != 2 or len(self.features) != count or self.kept.shape != (count,):
            raise InputError(f"{count} triplets need features ({count}, K), but the shape is {self.features.shape}")
        if self.votes.shape != (count, len(GRADES)):
            raise InputError(
                f"{count} triplets need votes ({count}, {len(GRADES)}), but the shape is {self.votes.shape}"
            )
        if not np.isfinite(self.features).all():
            raise InputError("features contain NaN or infinite values; remove those triplets")

    @classmethod
    def from_triplets(
        cls, features: Float64, triplets: Sequence[Triplet], cut_off: float, perspective: Perspective = "total"
    ) -> TripletData:
        """Combine `triplets` with their features (N, K); triplets without a vote from this perspective are dropped.

        Raises InputError for a cut-off outside 0.5 to 1.
        """
        kept = {id(triplet) for triplet in above_cut_off(triplets, cut_off, perspective)}
        data = cls(
            np.asarray(features, dtype=np.float64),
            vote_counts(triplets, perspective),
            tuple(frozenset(triplet.tracks) for triplet in triplets),
            np.array([id(triplet) in kept for triplet in triplets], dtype=bool),
        )
        return data.take(data.total > 0)

    def __len__(self) -> int:
        return len(self.tracks)

    @property
    def parts(self) -> int:
        """Number of parts, K."""
        return int(self.features.shape[1])

    @property
    def for_a(self) -> NDArray[np.int64]:
        """(N,) votes for A, of either strength."""
        counts: NDArray[np.int64] = self.votes[:, :2].sum(axis=1)
        return counts

    @property
    def total(self) -> NDArray[np.int64]:
        """(N,) number of votes."""
        counts: NDArray[np.int64] = self.votes.sum(axis=1)
        return counts

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) +1 where the majority prefers A, -1 where it prefers B, 0 for a tie."""
        signs: NDArray[np.int64] = np.sign(2 * self.for_a - self.total)
        return signs

    def take(self, selection: ArrayLike) -> TripletData:
        """Select triplets by a mask (N,) or by indices."""
        index = self._indices(selection)
        return TripletData(
            self.features[index], self.votes[index], tuple(self.tracks[i] for i in index.tolist()), self.kept[index]
        )

    def shares_track(self, selection: ArrayLike) -> Bool:
        """(N,) whether each triplet shares a track with any of the selected ones."""
        tracks = frozenset().union(*(self.tracks[i] for i in self._indices(selection).tolist()))
        return np.array([not tracks.isdisjoint(own) for own in self.tracks], dtype=bool)

    def _indices(self, selection: ArrayLike) -> NDArray[np.intp]:
        mask_or_indices = np.asarray(selection)
        if not mask_or_indices.size:
            mask_or_indices = mask_or_indices.astype(np.intp)
        indices: NDArray[np.intp] = np.arange(len(self))[mask_or_indices]
        return indices
