"""Single answers as the rows of an ordinal model: the features, the listener, the triplet and the side of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from soundalike.errors import InputError
from soundalike.preferences.triplet_data import Bool, Float64, Int64
from soundalike.preferences.triplets import GRADES, Perspective, Triplet


@dataclass(frozen=True)
class Observations:
    """V answers about N triplets by L listeners.

    features: (N, K) of the triplets; triplet, listener: (V,) indices; grade: (V,) index in `GRADES`, in the triplet's
    orientation; side: (V,) +1 if A was shown first, -1 if B was.
    """

    features: Float64
    triplet: Int64
    listener: Int64
    grade: Int64
    side: Float64
    listeners: int

    def __len__(self) -> int:
        return len(self.triplet)

    @cached_property
    def scale(self) -> Float64:
        """(K,) root mean square of each feature over the answers; 0 for parts that are absent everywhere."""
        if not len(self):
            return np.zeros(self.features.shape[1])
        return np.asarray(np.sqrt(np.mean(self.features[self.triplet] ** 2, axis=0)))

    @cached_property
    def votes(self) -> Int64:
        """(V, 4) one vote a row."""
        votes = np.zeros((len(self), len(GRADES)), dtype=np.int64)
        votes[np.arange(len(self)), self.grade] = 1
        return votes

    @cached_property
    def for_a(self) -> Bool:
        """(V,) whether A was preferred."""
        return np.asarray(self.grade < len(GRADES) // 2)

    def take(self, selection: Bool) -> Observations:
        """The selected answers (a mask (V,)); triplets and listeners keep their indices."""
        return Observations(
            self.features,
            self.triplet[selection],
            self.listener[selection],
            self.grade[selection],
            self.side[selection],
            self.listeners,
        )


def observations_of(
    features: Float64, triplets: Sequence[Triplet], perspective: Perspective, listeners: Sequence[str]
) -> Observations:
    """The answers from a perspective about `triplets` with features (N, K). listeners: names; answers of others are left out.

    Raises InputError if there is none.
    """
    index = {name: number for number, name in enumerate(listeners)}
    rows = [
        (number, index[ballot.listener], GRADES.index(ballot.grades[perspective]), -1 if ballot.swapped else 1)
        for number, triplet in enumerate(triplets)
        for ballot in triplet.ballots
        if perspective in ballot.grades and ballot.listener in index
    ]
    if not rows:
        raise InputError("there is no answer to fit to")
    triplet, listener, grade, side = np.array(rows, dtype=np.int64).T
    return Observations(features, triplet, listener, grade, side.astype(np.float64), len(listeners))
