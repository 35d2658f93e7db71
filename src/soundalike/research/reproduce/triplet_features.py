"""Features of triplets: Eq. 2 of the paper, part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from soundalike.preferences.triplets import Triplet
from soundalike.research.clips.clip_embedding import PartVectors
from soundalike.similarity.cosine import cosines

Float64 = NDArray[np.float64]


def features(triplets: Sequence[Triplet], vectors: Mapping[str, PartVectors], gate_db: float | None = None) -> Float64:
    """f_k = cos(X_k, A_k) - cos(X_k, B_k): (N, K) for `triplets`, whose clips all have `vectors` of the same parts.

    gate_db: level under the mix (dB, negative) below which a part is absent; f_k is 0 where X, A or B lacks the part.
    None: no gate, as in the paper.
    """
    if not triplets:
        parts = len(next(iter(vectors.values())).parts) if vectors else 0
        return np.zeros((0, parts))
    sides = [[vectors[name] for name in names] for names in zip(*map(_clips, triplets), strict=True)]
    x, a, b = (np.stack([one.vectors for one in side]) for side in sides)
    found = cosines(x, a) - cosines(x, b)
    if gate_db is not None:
        there = np.logical_and.reduce([np.stack([one.present(gate_db) for one in side]) for side in sides])
        found = np.where(there, found, 0.0)
    return found


def usable(triplets: Sequence[Triplet], there: Mapping[str, object]) -> list[Triplet]:
    """The triplets all of whose clips are `there`."""
    return [triplet for triplet in triplets if set(_clips(triplet)) <= there.keys()]


def _clips(triplet: Triplet) -> tuple[str, str, str]:
    return triplet.reference, triplet.a, triplet.b
