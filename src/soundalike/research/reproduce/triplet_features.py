"""Features of triplets: Eq. 2 of the paper, part by part."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from soundalike.preferences.triplets import Triplet
from soundalike.research.clips.clip_embedding import PartVectors
from soundalike.similarity.cosine import cosines

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


Similarity = Literal["cosine", "euclidean"]
SIMILARITIES: tuple[Similarity, ...] = get_args(Similarity)


def features(
    triplets: Sequence[Triplet],
    vectors: Mapping[str, PartVectors],
    gate_db: float | None = None,
    similarity: Similarity = "cosine",
) -> Float64:
    """(N, K) differences of similarities, f_k = sim(X_k, A_k) - sim(X_k, B_k); Eq. 2 with the cosine.

    vectors: by clip, for all clips of `triplets`, of the same parts. gate_db: level below the mix (dB, negative) under
    which a part is absent: f_k is 0 if X, A or B lacks the part. None: no gate, as in the paper. similarity: the cosine, or
    minus the Euclidean distance. Vectors have unit norm, so both order single parts alike; weighted sums differ.
    """
    if not triplets:
        parts = len(next(iter(vectors.values())).parts) if vectors else 0
        return np.zeros((0, parts))
    sides = [[vectors[name] for name in names] for names in zip(*map(_clips, triplets), strict=True)]
    x, a, b = (np.stack([clip.vectors for clip in side]) for side in sides)
    values = _similarity(x, a, similarity) - _similarity(x, b, similarity)
    if gate_db is not None:
        present = np.logical_and.reduce([np.stack([clip.present(gate_db) for clip in side]) for side in sides])
        values = np.where(present, values, 0.0)
    return values


def _similarity(first: Float32, second: Float32, similarity: Similarity) -> Float64:
    """(N, K) of vectors (N, K, D)."""
    if similarity == "cosine":
        return cosines(first, second)
    difference = first.astype(np.float64) - second.astype(np.float64)
    return np.asarray(-np.linalg.norm(difference, axis=-1))


def usable(triplets: Sequence[Triplet], clips: Collection[str]) -> list[Triplet]:
    """The triplets whose clips are all among `clips`."""
    available = set(clips)
    return [triplet for triplet in triplets if available.issuperset(_clips(triplet))]


def _clips(triplet: Triplet) -> tuple[str, str, str]:
    return triplet.reference, triplet.a, triplet.b
