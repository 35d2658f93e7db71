"""Single answers as the rows of an ordinal model: the features, the listener, the triplet and the side of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from soundalike.errors import InputError
from soundalike.preferences.triplet_data import Bool, Float64, Int64, TripletData
from soundalike.preferences.triplets import GRADES


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


def observations_of(data: TripletData) -> Observations:
    """The answers of triplets whose single answers are known. Answers of unknown listeners are of one listener more.

    Raises InputError if single answers are unknown, or if there is none.
    """
    ballots = data.ballots
    if ballots is None or not len(ballots):
        raise InputError("there is no single answer to fit to")
    listeners = int(ballots.listener.max()) + 1
    listener = np.where(ballots.listener < 0, listeners, ballots.listener)
    side = np.where(ballots.swapped, -1.0, 1.0)
    count = int(listener.max()) + 1
    return Observations(data.features, ballots.triplet, listener, ballots.grade, side, count)
