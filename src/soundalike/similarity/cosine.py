"""Similarity of part vectors: the cosine of Eq. 1, the weighted sum of Eq. 3, and what each part contributes.

Conventions: part vectors are arrays (..., K, D), K parts in the order of `soundalike.parts.PARTS`, D dimensions, each
of unit norm, or all zero where the part is absent. So the dot product of two part vectors is their cosine, and an
absent part contributes exactly 0. Pure array functions; nothing here loads a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


def unit(vectors: NDArray[np.floating]) -> Float32:
    """`vectors` (..., D) scaled to unit norm, float32; zero vectors stay zero.

    Raises InputError for values that are not finite: they would poison every similarity.
    """
    wide = np.asarray(vectors, dtype=np.float64)
    if not np.isfinite(wide).all():
        raise InputError("a vector holds NaN or infinite values and has no direction; leave it out")
    # Squares of tiny and huge numbers leave the range of floats. Powers of two change no digits.
    _, exponents = np.frexp(np.abs(wide).max(axis=-1, keepdims=True, initial=0))
    wide = np.ldexp(wide, -exponents)
    norms = np.linalg.norm(wide, axis=-1, keepdims=True)
    scaled: Float64 = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)
    return scaled.astype(np.float32)


def cosines(a: Float32, b: Float32) -> Float64:
    """Cosine of each part of `a` (..., K, D) with the same part of `b` (..., K, D): (..., K). Eq. 1, part by part."""
    return np.asarray(np.einsum("...kd,...kd->...k", a, b, dtype=np.float64), dtype=np.float64)


def contributions(cosine: Float64, parts: Sequence[str], weights: Mapping[str, float]) -> Float64:
    """w_k cos_k of each part: (..., K), from cosines (..., K) of `parts`. Parts without a weight give 0."""
    factors: Float64 = np.array([weights.get(part, 0.0) for part in parts])
    return np.asarray(cosine * factors)


def weighted_similarity(a: Float32, b: Float32, parts: Sequence[str], weights: Mapping[str, float]) -> Float64:
    """score = sum_k w_k cos(a_k, b_k) of part vectors (..., K, D): (...). The retrieval form of Eq. 3."""
    return np.asarray(contributions(cosines(a, b), parts, weights).sum(axis=-1), dtype=np.float64)
