"""Projection of vectors to points in a plane that keeps neighbours together.

Conventions: vectors (N, D) float32, unit rows; points (N, 2) float32 in 0..1, the same scale on both axes. PCA to a few
dimensions, t-SNE of some landmarks (van der Maaten & Hinton 2008; Barnes-Hut: van der Maaten 2014), and every other point at
the weighted mean of its nearest landmarks. The same vectors give the same points.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
OnProgress = Callable[[float], None]

LANDMARKS = 2_500
"""Points placed by t-SNE: more take long and look the same."""

DIMENSIONS = 50
"""Components that PCA keeps for distances: the rest is noise, and costs time."""

PERPLEXITY = 30.0
ITERATIONS = 600
FEWEST = 12
"""Fewer different points are projected by PCA alone: they have no neighbourhoods to keep."""

NEAREST = 4
"""Landmarks whose weighted mean is the position of another point."""

SEED = 20_260
_BLOCK = 2_000


def project(vectors: Float32, *, landmarks: int = LANDMARKS, on_progress: OnProgress | None = None) -> Float32:
    """Points (N, 2) of `vectors` (N, D); on_progress: called with the share done (0..1).

    Prints nothing, but reads t-SNE's progress from what that prints: run it in a process where nothing else prints.
    """
    from threadpoolctl import threadpool_limits

    on_progress = on_progress or (lambda _: None)
    with threadpool_limits(1):  # several threads sum in varying order, and t-SNE magnifies the difference
        reduced = _reduced(np.asarray(vectors, dtype=np.float32))
        different, where = np.unique(reduced, axis=0, return_inverse=True)
        on_progress(0.05)
        if len(different) < FEWEST:
            return _fitted(_plane(reduced))
        rng = np.random.default_rng(SEED)
        count = min(len(different), landmarks)
        chosen = np.sort(rng.choice(len(different), count, replace=False))
        placed = _tsne(different[chosen], on_progress)
        points = _interpolated(different, different[chosen], placed)
        points[chosen] = placed
        on_progress(1.0)
        return _fitted(points[where.reshape(-1)])


def _reduced(vectors: Float32) -> Float32:
    """(N, d) principal components, rounded, so that equal vectors stay equal however a product was blocked."""
    count, dimension = vectors.shape
    if count < 2:
        return np.zeros((count, 2), dtype=np.float32)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    kept = axes[:, ::-1][:, : min(DIMENSIONS, dimension)]
    signs = np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
    return np.asarray(np.round(centred @ (kept * signs), 5), dtype=np.float32) + np.float32(0.0)


def _plane(reduced: Float32) -> Float32:
    """(N, 2) the first two components; zeros where there are fewer."""
    points = np.zeros((len(reduced), 2), dtype=np.float32)
    width = min(2, reduced.shape[1])
    points[:, :width] = reduced[:, :width]
    return points


def _tsne(reduced: Float32, on_progress: OnProgress) -> Float32:
    """(N, 2) t-SNE of points (N, d), started from their first two components."""
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
    with redirect_stdout(_ProgressReader(lambda done: on_progress(0.05 + 0.9 * done))):
        return np.asarray(tsne.fit_transform(reduced), dtype=np.float32)


class _ProgressReader(io.TextIOBase):
    """Reads the number of iterations from what t-SNE prints."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress

    def write(self, text: str) -> int:
        match = re.search(r"Iteration (\d+)", text)
        if match:
            self._on_progress(min(1.0, int(match[1]) / ITERATIONS))
        return len(text)


def _interpolated(points: Float32, landmarks: Float32, placed: Float32) -> Float32:
    """(N, 2) each of `points` (N, d) at the mean position of its nearest `landmarks` (L, d), weighted by inverse distance."""
    positions = np.empty((len(points), 2), dtype=np.float32)
    squares = np.square(landmarks).sum(axis=1)
    count = min(NEAREST, len(landmarks))
    for begin in range(0, len(points), _BLOCK):
        block = points[begin : begin + _BLOCK]
        distances = np.maximum(0, np.square(block).sum(axis=1)[:, None] + squares - 2 * block @ landmarks.T)
        nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(distances, nearest, axis=1)
        weights = 1 / np.maximum(near, 1e-9)
        weights /= weights.sum(axis=1, keepdims=True)
        positions[begin : begin + _BLOCK] = np.einsum("nk,nkd->nd", weights, placed[nearest])
    return positions


def _fitted(points: Float32) -> Float32:
    """Points in 0..1, centred, the wider axis filling the range."""
    if not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max())
    middle = (low + high) / 2
    scaled = (points - middle) / (extent if extent > 1e-9 else 1.0) + 0.5
    return np.asarray(np.clip(scaled, 0.0, 1.0), dtype=np.float32)
