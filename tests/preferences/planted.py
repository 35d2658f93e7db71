"""Made-up listeners whose weights are known: what models of preference are held to.

A world has weights w in log-odds a unit of cosine, a threshold s between rather and clearly, and a share of answers given
at random (lapses). Features are correlated between parts, with deviations as cosines have them; every listener answers by
P(A+) = sigmoid(w.f - s), P(A+ or A-) = sigmoid(w.f), P(B+) = sigmoid(-w.f - s).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from soundalike.preferences.triplet_data import Float64, TripletData

CUT_OFF = 0.8
WEIGHTS = np.array([2.0, 5.0, 3.0, 1.0, 0.0, 6.0, 10.0])
"""Of seven parts, in the order of `soundalike.parts.PARTS`; vocals say nothing."""
DEVIATIONS = np.array([0.08, 0.12, 0.1, 0.07, 0.05, 0.1, 0.15])
CORRELATION = 0.4


@dataclass(frozen=True)
class World:
    """Listeners with `weights` (K,), threshold `strength`, and a share `lapse` of answers at random."""

    weights: Float64
    strength: float = 1.2
    lapse: float = 0.05

    def features(self, rng: np.random.Generator, count: int) -> Float64:
        """(count, K), each pair of parts correlated by `CORRELATION`."""
        parts = len(self.weights)
        own, common = rng.normal(size=(count, parts)), rng.normal(size=(count, 1))
        drawn = np.sqrt(1 - CORRELATION) * own + np.sqrt(CORRELATION) * common
        return np.asarray(drawn * np.resize(DEVIATIONS, parts))

    def draw(self, rng: np.random.Generator, count: int) -> TripletData:
        """`count` triplets of 5 to 12 votes; each touches three tracks out of 132, at random."""
        features = self.features(rng, count)
        return answered(rng, features, features @ self.weights, self.strength, self.lapse, draw_tracks(rng, count, 132))


def draw_tracks(rng: np.random.Generator, count: int, tracks: int) -> NDArray[np.int64]:
    """(count, 3) different tracks: those of X, A and B."""
    x, a, b = (rng.integers(tracks - taken, size=count) for taken in range(3))
    a += a >= x
    b += b >= np.minimum(x, a)
    b += b >= np.maximum(x, a)
    return np.stack([x, a, b], axis=1)


def answered(
    rng: np.random.Generator,
    features: Float64,
    preference: Float64,
    strength: float,
    lapse: float,
    tracks: NDArray[np.int64],
) -> TripletData:
    """The votes of listeners whose log-odds of A over B are `preference` (N,), kept at `CUT_OFF`."""
    strong_a, strong_b = expit(preference - strength), expit(-preference - strength)
    sure = np.stack([strong_a, expit(preference) - strong_a, expit(-preference) - strong_b, strong_b], axis=1)
    votes = rng.multinomial(rng.integers(5, 13, len(features)), lapse / 4 + (1 - lapse) * sure)
    share = np.maximum(votes[:, :2].sum(axis=1), votes[:, 2:].sum(axis=1)) / votes.sum(axis=1)
    names = tuple(frozenset(f"track{number}" for number in row) for row in tracks.tolist())
    return TripletData(features, votes, names, share >= CUT_OFF - 1e-9)


def fingerprints(rng: np.random.Generator, count: int = 400, tracks: int = 40) -> TripletData:
    """Data made to leak: listeners like some tracks and dislike others, and the features reveal only which tracks A
    and B are of. Nothing that was learnt of some tracks says anything about others."""
    liking, print_of = 3 * rng.normal(size=tracks), 0.1 * rng.normal(size=(tracks, tracks))
    touched = draw_tracks(rng, count, tracks)
    a, b = touched[:, 1], touched[:, 2]
    return answered(rng, print_of[a] - print_of[b], liking[a] - liking[b], 1.2, 0.0, touched)


def best_linear(world: World, rng: np.random.Generator, count: int = 1_000_000) -> Float64:
    """What least squares of kept labels estimate (K,): the best linear predictor in a population so large that chance
    hardly counts."""
    gram, moment = np.zeros((len(world.weights),) * 2), np.zeros(len(world.weights))
    for _ in range(count // 50_000):
        drawn = world.draw(rng, 50_000)
        f, y = drawn.features[drawn.kept], drawn.labels[drawn.kept]
        gram, moment = gram + f.T @ f, moment + f.T @ y
    return np.asarray(np.linalg.solve(gram, moment))
