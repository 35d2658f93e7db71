"""A picture of vectors: points in a plane that keep neighbours together.

Conventions: vectors (N, D) float32, unit rows; points (N, 2) float32 in 0..1, the same scale in both directions. PCA to few
dimensions, t-SNE of some landmarks (van der Maaten & Hinton 2008; Barnes-Hut: van der Maaten 2014), and every other point at the
weighted mean of the landmarks nearest to it. The same vectors give the same points.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Tell = Callable[[float], None]

LANDMARKS = 2_500
"""Points that t-SNE places: more take long and look the same."""

DIMENSIONS = 50
"""What PCA leaves for distances: the rest is noise, and costs time."""

PERPLEXITY = 30.0
ITERATIONS = 600
FEWEST = 12
"""Of fewer different points the plane of PCA is shown: they have no neighbourhoods to keep."""

NEAREST = 4
"""Landmarks that decide where another point lies."""

SEED = 20_260
_BLOCK = 2_000


def project(vectors: Float32, *, landmarks: int = LANDMARKS, tell: Tell | None = None) -> Float32:
    """Points (N, 2) of `vectors` (N, D); `tell` is told how much is done (0..1).

    Prints nothing, though t-SNE's progress is taken from its prints: run it where nobody else prints meanwhile.
    """
    from threadpoolctl import threadpool_limits

    tell = tell or (lambda _: None)
    with threadpool_limits(1):  # sums over several threads come in any order, and t-SNE magnifies the difference
        reduced = _reduced(np.asarray(vectors, dtype=np.float32))
        different, where = np.unique(reduced, axis=0, return_inverse=True)
        tell(0.05)
        if len(different) < FEWEST:
            return _fitted(_plane(reduced))
        rng = np.random.default_rng(SEED)
        count = min(len(different), landmarks)
        chosen = np.sort(rng.choice(len(different), count, replace=False))
        placed = _neighbours_kept(different[chosen], tell)
        points = _placed_among(different, different[chosen], placed)
        points[chosen] = placed
        tell(1.0)
        return _fitted(points[where.reshape(-1)])


def _reduced(vectors: Float32) -> Float32:
    """(N, d) principal components, rounded, so that equal vectors are equal however a product was blocked."""
    count, dimension = vectors.shape
    if count < 2:
        return np.zeros((count, 2), dtype=np.float32)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    kept = axes[:, ::-1][:, : min(DIMENSIONS, dimension)]
    signs = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
    return np.asarray(np.round(centred @ (kept * signs), 5), dtype=np.float32) + np.float32(0.0)


def _plane(reduced: Float32) -> Float32:
    """The first two components, as far as there are two."""
    points = np.zeros((len(reduced), 2), dtype=np.float32)
    width = min(2, reduced.shape[1])
    points[:, :width] = reduced[:, :width]
    return points


def _neighbours_kept(reduced: Float32, tell: Tell) -> Float32:
    from sklearn.manifold import TSNE

    start = _plane(reduced)
    start = start / max(1e-9, float(start[:, 0].std())) * 1e-4
    tsne = TSNE(
        perplexity=min(PERPLEXITY, (len(reduced) - 1) / 3),
        init=start,
        learning_rate="auto",
        max_iter=ITERATIONS,
        random_state=SEED,
        verbose=2,
    )
    with redirect_stdout(_Listener(lambda done: tell(0.05 + 0.9 * done))):
        return np.asarray(tsne.fit_transform(reduced), dtype=np.float32)


class _Listener(io.TextIOBase):
    """Hears how many iterations are done in what t-SNE prints."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, text: str) -> int:
        found = re.search(r"Iteration (\d+)", text)
        if found:
            self._tell(min(1.0, int(found[1]) / ITERATIONS))
        return len(text)


def _placed_among(points: Float32, landmarks: Float32, placed: Float32) -> Float32:
    """Each of `points` (N, d) at the mean of the nearest `landmarks` (L, d), weighted by closeness."""
    found = np.empty((len(points), 2), dtype=np.float32)
    squares = np.square(landmarks).sum(axis=1)
    count = min(NEAREST, len(landmarks))
    for begin in range(0, len(points), _BLOCK):
        block = points[begin : begin + _BLOCK]
        distances = np.maximum(0, np.square(block).sum(axis=1)[:, None] + squares - 2 * block @ landmarks.T)
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(distances, nearest, axis=1)
        weights = 1 / np.maximum(near, 1e-9)
        weights /= weights.sum(axis=1, keepdims=True)
        found[begin : begin + _BLOCK] = np.einsum("nk,nkd->nd", weights, placed[nearest])
    return found


def _fitted(points: Float32) -> Float32:
    """Points in 0..1 in the middle of the picture, the wider direction filling it."""
    if not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max())
    middle = (low + high) / 2
    scaled = (points - middle) / (extent if extent > 1e-9 else 1.0) + 0.5
    return np.asarray(np.clip(scaled, 0.0, 1.0), dtype=np.float32)
