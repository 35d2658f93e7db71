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
Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Ballots:
    """V single answers.

    triplet: (V,) index of the triplet; listener: (V,) index of the listener, -1 if unknown; grade: (V,) index in `GRADES`,
    in the triplet's orientation; swapped: (V,) whether the candidates were shown in the other order.
    """

    triplet: Int64
    listener: Int64
    grade: Int64
    swapped: Bool

    def __len__(self) -> int:
        return len(self.triplet)

    def counts(self, triplets: int, selection: Bool | None = None) -> Int64:
        """(triplets, 4) votes of each grade, of the selected ballots (V,)."""
        chosen = np.ones(len(self), dtype=bool) if selection is None else selection
        counts = np.zeros((triplets, len(GRADES)), dtype=np.int64)
        np.add.at(counts, (self.triplet[chosen], self.grade[chosen]), 1)
        return counts

    def of_triplets(self, indices: NDArray[np.intp], triplets: int) -> Ballots:
        """The ballots of the triplets at `indices` (distinct), with indices into those."""
        position = np.full(triplets, -1)
        position[indices] = np.arange(len(indices))
        chosen = position[self.triplet] >= 0
        return Ballots(position[self.triplet[chosen]], self.listener[chosen], self.grade[chosen], self.swapped[chosen])


@dataclass(frozen=True)
class TripletData:
    """N triplets with features of K parts.

    features: (N, K), f_k = cos(X_k, A_k) - cos(X_k, B_k), Eq. 2 of Vohra & Akama.
    votes: (N, 4), number of answers of each grade, in the order of `GRADES`.
    tracks: the tracks that each triplet's clips are cut from.
    kept: (N,), whether the triplet's agreement reaches the cut-off. Models of labels (`ols`, `ridge`) are fitted to kept
    triplets, models of votes to all; every model is tested on kept triplets.
    ballots: the single answers behind the votes, None if unknown.
    """

    features: Float64
    votes: Int64
    tracks: tuple[frozenset[str], ...]
    kept: Bool
    ballots: Ballots | None = None

    def __post_init__(self) -> None:
        count = len(self.tracks)
        if self.features.ndim != 2 or len(self.features) != count or self.kept.shape != (count,):
            raise InputError(f"{count} triplets need features ({count}, K), but the shape is {self.features.shape}")
        if self.votes.shape != (count, len(GRADES)):
            raise InputError(
                f"{count} triplets need votes ({count}, {len(GRADES)}), but the shape is {self.votes.shape}"
            )
        if self.ballots is not None and not np.array_equal(self.ballots.counts(count), self.votes):
            raise InputError("the ballots do not add up to the votes")
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
            _ballots(triplets, perspective),
        )
        return data.take(data.total > 0)

    def __len__(self) -> int:
        return len(self.tracks)

    @property
    def parts(self) -> int:
        """Number of parts, K."""
        return int(self.features.shape[1])

    @property
    def for_a(self) -> Int64:
        """(N,) votes for A, of either strength."""
        counts: Int64 = self.votes[:, :2].sum(axis=1)
        return counts

    @property
    def total(self) -> Int64:
        """(N,) number of votes."""
        counts: Int64 = self.votes.sum(axis=1)
        return counts

    @property
    def swapped_votes(self) -> Int64:
        """(N, 4) votes given with the candidates in the other order, in the triplet's orientation."""
        if self.ballots is None:
            return np.zeros_like(self.votes)
        return self.ballots.counts(len(self), self.ballots.swapped)

    @property
    def labels(self) -> Int64:
        """(N,) +1 where the majority prefers A, -1 where it prefers B, 0 for a tie."""
        signs: Int64 = np.sign(2 * self.for_a - self.total)
        return signs

    def take(self, selection: ArrayLike) -> TripletData:
        """Select triplets by a mask (N,) or by indices."""
        index = self._indices(selection)
        return TripletData(
            self.features[index],
            self.votes[index],
            tuple(self.tracks[i] for i in index.tolist()),
            self.kept[index],
            None if self.ballots is None else self.ballots.of_triplets(index, len(self)),
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


def _ballots(triplets: Sequence[Triplet], perspective: Perspective) -> Ballots | None:
    """All ballots with an answer from this perspective; None if any votes have no ballots."""
    rows: list[tuple[int, int, int, bool]] = []
    listeners: dict[str, int] = {}
    for index, triplet in enumerate(triplets):
        ballots = [ballot for ballot in triplet.ballots if perspective in ballot.grades]
        if len(ballots) != sum(triplet.counts(perspective)):
            return None
        for ballot in ballots:
            listener = listeners.setdefault(ballot.listener, len(listeners)) if ballot.listener else -1
            rows.append((index, listener, GRADES.index(ballot.grades[perspective]), ballot.swapped))
    triplet_index, listener_index, grade, swapped = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Ballots(triplet_index, listener_index, grade, swapped.astype(bool))
