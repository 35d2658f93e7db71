"""Rows that models of votes are fitted to: features by triplet and by the order in which the candidates were shown.

Listeners prefer one side a little, whatever they hear. A nuisance column takes that up: +1 where the triplet's A was shown
first, -1 where it was shown second. It is not part of the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from soundalike.preferences.triplet_data import Bool, Float64, Int64, TripletData

MIN_SIDE_SHARE = 0.1
"""Without this share of answers for either side, columns are not the sides shown (e.g. the winner is always first)."""


@dataclass(frozen=True)
class VoteDesign:
    """R rows of votes.

    present: (K,) parts that differ anywhere; features: (R, P) of those parts, and the side if `side`; votes: (R, 4);
    triplet: (R,) index; side: whether the last column is that of the side.
    """

    present: Bool
    features: Float64
    votes: Int64
    triplet: Int64
    side: bool

    @property
    def parts(self) -> int:
        """Number of present parts."""
        return int(self.present.sum())


def vote_design(data: TripletData) -> VoteDesign:
    """One row for each triplet, or one for each order that its candidates were shown in."""
    present = np.any(data.features != 0, axis=0)
    features, everyone = data.features[:, present], np.arange(len(data))
    if not estimates_side(data):
        return VoteDesign(present, features, data.votes, everyone, False)
    swapped = data.swapped_votes
    again = np.flatnonzero(swapped.any(axis=1))
    side = np.r_[np.ones(len(data)), -np.ones(len(again))]
    rows = np.r_[everyone, again]
    return VoteDesign(
        present,
        np.column_stack([features[rows], side]),
        np.concatenate([data.votes - swapped, swapped[again]]),
        rows,
        True,
    )


def ballot_design(data: TripletData) -> VoteDesign:
    """One row for each ballot, or, if single ballots are unknown, for each triplet."""
    if data.ballots is None:
        return vote_design(data)
    ballots = data.ballots
    present, side = np.any(data.features != 0, axis=0), estimates_side(data)
    features = data.features[ballots.triplet][:, present]
    if side:
        features = np.column_stack([features, np.where(ballots.swapped, -1.0, 1.0)])
    votes = np.zeros((len(ballots), data.votes.shape[1]), dtype=np.int64)
    votes[np.arange(len(ballots)), ballots.grade] = 1
    return VoteDesign(present, features, votes, ballots.triplet, side)


def estimates_side(data: TripletData) -> bool:
    """Whether the side that listeners prefer can be estimated: single ballots are known, and both sides were chosen."""
    if data.ballots is None or not len(data.ballots):
        return False
    first = (data.ballots.grade < 2) != data.ballots.swapped
    return MIN_SIDE_SHARE <= float(first.mean()) <= 1 - MIN_SIDE_SHARE
