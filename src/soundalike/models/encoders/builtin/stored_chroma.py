"""The chroma that a vector of version 2 of the built-in encoder holds: which pitch classes sound, in absolute pitch.

A vector holds the features of `builtin_features`, whitened, and each block scaled to its own length. Whitening mixes the blocks
and can be undone once the blocks have their lengths again; those are not stored, so `LENGTHS`, which are typical, stand for them.
(That a chroma minus its mean sums to zero would determine them better, but not from float16, in which vectors are stored.)
The cosine with the true chroma is measured by `python -m benchmarks.song_versions --chroma`.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from soundalike.errors import InputError
from soundalike.models.encoders.builtin.builtin_encoder import CONSTANTS, BuiltinEncoder
from soundalike.models.encoders.builtin.builtin_features import BLOCKS
from soundalike.models.encoders.builtin.builtin_spectra import Array

LENGTHS: dict[str, float] = {
    "spectrum": 2.8,
    "attack": 4.1,
    "evolution": 5.8,
    "dynamics": 6.7,
    "modulation": 10.1,
    "bands": 8.8,
    "motion": 3.1,
    "roughness": 4.0,
    "tonality": 2.7,
    "register": 5.6,
    "chroma": 3.9,
    "rhythm": 15.0,
}
"""Of the whitened blocks of features: medians over windows of 10 s of real songs."""


def chroma(vectors: Array) -> Array:
    """(N, 12) about the share of each pitch class, C first, minus the mean, of vectors (N, D); zeros for zeros.

    Raises InputError for another D.
    """
    if vectors.ndim != 2 or vectors.shape[1] != BuiltinEncoder.dimension:
        raise InputError(
            f"vectors have the shape {vectors.shape}; those of version 2 of the built-in encoder have "
            f"{BuiltinEncoder.dimension} numbers each"
        )
    unwhitening, mean = _constants()
    values = np.tile(mean, (len(vectors), 1))
    first = 0
    for block, size in BLOCKS.items():
        own = vectors[:, first : first + size].astype(np.float32)
        directions = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9)
        values += LENGTHS[block] * directions @ unwhitening[first : first + size]
        first += size
    values -= values.mean(axis=1, keepdims=True)
    values[~vectors.any(axis=1)] = 0.0
    return np.asarray(values, dtype=np.float32)


@cache
def _constants() -> tuple[Array, Array]:
    """(D, 12) from whitened features to the chroma, and (12,) its mean, which whitening has subtracted."""
    first = sum(size for block, size in list(BLOCKS.items())[: list(BLOCKS).index("chroma")])
    own = slice(first, first + BLOCKS["chroma"])
    with np.load(CONSTANTS) as constants:
        inverse = np.linalg.inv(constants["whitening"].astype(np.float64))
        mean = constants["mean"].astype(np.float32)
    return inverse[:, own].astype(np.float32), mean[own]
