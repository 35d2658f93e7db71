"""Designs of listening tests with made-up outcomes: what robust intervals and tests are checked against.

A design says which tracks each triplet compares and which listener answered which triplet. Outcomes follow the design: tracks
have effects of their own, and so have listeners, so that observations that share either are correlated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from soundalike.preferences.triplet_data import Ballots, Bool, Float64, Int64, TripletData
from soundalike.preferences.triplets import Triplet
from tests.preferences.planted import CORRELATION, CUT_OFF, DEVIATIONS, draw_tracks

STRENGTH = 1.2


@dataclass(frozen=True)
class Design:
    """tracks: (N, 3) of X, A and B; triplet, listener, swapped: (V,) of each ballot."""

    tracks: Int64
    triplet: Int64
    listener: Int64
    swapped: Bool

    @property
    def track_sets(self) -> tuple[frozenset[str], ...]:
        """The tracks of each triplet."""
        return tuple(frozenset(map(str, row)) for row in self.tracks.tolist())

    def draw_correct(self, rng: np.random.Generator, level: float, deviation: float) -> Bool:
        """(N,) whether a model is right: log-odds `level` plus an effect of each track, of this standard deviation."""
        effects = rng.normal(0, deviation, self.tracks.max() + 1)
        return np.asarray(rng.random(len(self.tracks)) < expit(level + self._sums(effects)))

    def expected_correct(self, level: float, deviation: float) -> float:
        """The mean of `draw_correct` over tracks."""
        points, weights = np.polynomial.hermite_e.hermegauss(80)
        numbers = np.array([len(own) for own in self.track_sets])[:, np.newaxis]
        shares = expit(level + deviation * np.sqrt(numbers) * points) @ weights / weights.sum()
        return float(shares.mean())

    def _sums(self, effects: Float64) -> Float64:
        """(N,) the sum of the effects of a triplet's different tracks."""
        return np.array([effects[sorted(set(row))].sum() for row in self.tracks.tolist()])

    def draw_pair(self, rng: np.random.Generator, level: float, deviation: float, shared: float) -> tuple[Bool, Bool]:
        """(N,) twice: two models that are right equally often.

        shared: share of the variance of track effects that is common. Both are tested on the same listeners' answers, up to
        a fifth of the triplets where each is right or wrong by itself.
        """
        size, count = self.tracks.max() + 1, len(self.tracks)
        common_answers = rng.logistic(size=count)
        common = rng.normal(0, deviation * np.sqrt(shared), size)
        own = (rng.normal(0, deviation * np.sqrt(1 - shared), size) for _ in range(2))
        first, second = (
            np.where(rng.random(count) < 0.2, rng.logistic(size=count), common_answers)
            < level + self._sums(common + effects)
            for effects in own
        )
        return first, second

    def draw_votes(
        self, rng: np.random.Generator, weights: Float64, track_sd: float, listener_sd: float, side: float = 0.0
    ) -> TripletData:
        """Votes of listeners with `weights` (K,) in log-odds.

        Features depend on the tracks of A and B. track_sd: of each track's appeal, in log-odds; listener_sd: of each
        listener's own weights, relative to `weights`; side: log-odds for the side shown first.
        """
        parts, count = len(weights), self.tracks.max() + 1
        of_track = rng.normal(size=(count, parts))
        noise = np.sqrt(1 - CORRELATION) * rng.normal(size=(len(self.tracks), parts))
        noise += np.sqrt(CORRELATION) * rng.normal(size=(len(self.tracks), 1))
        _, a, b = self.tracks.T
        features = np.resize(DEVIATIONS, parts) * (0.8 * noise + 0.42 * (of_track[a] - of_track[b]))
        appeal = rng.normal(0, track_sd, count)
        own = weights * (1 + listener_sd * rng.normal(size=(self.listener.max() + 1, parts)))
        odds = np.einsum("vk,vk->v", features[self.triplet], own[self.listener])
        odds += (appeal[a] - appeal[b])[self.triplet] + np.where(self.swapped, -side, side)
        leaning = odds + rng.logistic(size=len(odds))
        grade = np.where(leaning > 0, np.where(leaning > STRENGTH, 0, 1), np.where(leaning < -STRENGTH, 3, 2))
        ballots = Ballots(self.triplet, self.listener, grade, self.swapped)
        votes = ballots.counts(len(self.tracks))
        for_a, total = votes[:, :2].sum(axis=1), votes.sum(axis=1)
        agreement = np.maximum(for_a, total - for_a) / np.maximum(total, 1)
        kept = (agreement >= CUT_OFF - 1e-9) & (2 * for_a != total)
        return TripletData(features, votes, self.track_sets, kept, ballots)


def random_design(rng: np.random.Generator, triplets: int = 480, tracks: int = 132, listeners: int = 167) -> Design:
    """A design like the released one: each triplet answered by 4 to 8 listeners, in either order."""
    voters = [rng.choice(listeners, rng.integers(4, 9), replace=False) for _ in range(triplets)]
    triplet = np.repeat(np.arange(triplets), [len(one) for one in voters])
    return Design(draw_tracks(rng, triplets, tracks), triplet, np.concatenate(voters), rng.random(len(triplet)) < 0.5)


def design_of(triplets: Sequence[Triplet]) -> Design:
    """The design of real triplets with their ballots; their answers are not used."""
    tracks = {name: index for index, name in enumerate(sorted({one for t in triplets for one in t.tracks}))}
    listeners = {name: n for n, name in enumerate(sorted({b.listener for t in triplets for b in t.ballots}))}
    rows = [(n, listeners[b.listener], b.swapped) for n, t in enumerate(triplets) for b in t.ballots]
    triplet, listener, swapped = np.array(rows, dtype=np.int64).T
    return Design(np.array([[tracks[one] for one in t.tracks] for t in triplets]), triplet, listener, swapped > 0)
