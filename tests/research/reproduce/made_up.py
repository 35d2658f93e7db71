"""Made-up triplets and vectors for the tests of tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from soundalike.preferences.triplets import Triplet, Votes
from soundalike.research.clips.clip_embedding import PartVectors


def triplet(
    number: int, votes: Votes, *, part: str = "mix", kind: str = "XAB", same: str = "a", tracks: int = 1_000
) -> Triplet:
    """The triplet of this number: clips of its own, of `tracks` tracks that come round."""
    x, a, b = (f"T{(3 * number + offset) % tracks}" for offset in range(3))
    if kind == "XYC":
        a, b = (x, b) if same == "a" else (a, x)
    names = [f"{part}/{role}{number}.wav" for role in "xab"]
    return Triplet(names[0], names[1], names[2], part, (x, a, b), {"total": votes})


def unit_vectors(parts: Sequence[str], rng: np.random.Generator, dimension: int = 16) -> PartVectors:
    """Random directions, all parts at -20 dB."""
    vectors = rng.standard_normal((len(parts), dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return PartVectors(tuple(parts), vectors.astype(np.float32), np.full(len(parts), -20.0))
