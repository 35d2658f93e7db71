"""Projection of vectors to points in a plane that keeps neighbours together.

Conventions: vectors (N, D) float32, unit rows; points (N, 2) float32 in 0..1, the same scale on both axes. PCA to a few
dimensions, t-SNE (van der Maaten & Hinton 2008) of some landmarks, and every other point at the weighted mean of its nearest
landmarks. Each landmark attracts its nearest neighbours, all of them equally: neighbourhoods of a chosen perplexity give much
the same picture (Böhm, Berens & Kobak 2022) for more neighbours and more time. t-SNE goes from coarse to fine, as in Kobak &
Berens (2019): a few landmarks from their principal components, then all of them from the places that those suggest, for a few
steps. The same vectors give the same points.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]
OnProgress = Callable[[float], None]

LANDMARKS = 2_500
"""Points placed by t-SNE: more take long and look the same."""

COARSE = 600
"""Landmarks that are placed first, from nothing."""

DIMENSIONS = 50
"""Components that PCA keeps for distances: the rest is noise, and costs time."""

NEIGHBOURS = 15
"""Landmarks that each attracts."""

COARSE_STEPS, MOST_STEPS = 150, 500
"""Of `COARSE` points, and of fewer, which take longer to part and less time for each step."""

FINE_STEPS = 30
EXAGGERATED = 1 / 3
"""The share of the coarse steps in which neighbours first attract one another `EXAGGERATION` times as much."""

EXAGGERATION = 12.0

FEWEST = 12
"""Fewer different points are projected by PCA alone: they have no neighbourhoods to keep."""

NEAREST = 4
"""Landmarks whose weighted mean is the position of another point."""

SEED = 20_260
_BLOCK = 2_000
_ROWS = 64  # of a product that stays in the processor's cache
_FAR = 1e5  # squared distance from the middle from which float32 rounds 1 + squared distances noticeably


def project(vectors: Float32, *, landmarks: int = LANDMARKS, on_progress: OnProgress | None = None) -> Float32:
    """Points (N, 2) of `vectors` (N, D); on_progress: called with the share done (0..1)."""
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
        placed = _tsne(different[chosen], rng, on_progress)
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


def _tsne(reduced: Float32, rng: np.random.Generator, on_progress: OnProgress) -> Float32:
    """(N, 2) t-SNE of points (N, d): of a few from their first two components, then of all."""
    count = len(reduced)
    first = np.sort(rng.choice(count, min(count, COARSE), replace=False))
    start = _plane(reduced[first])
    start = start / max(1e-9, float(start[:, 0].std())) * 1e-4
    coarse_steps = min(MOST_STEPS, COARSE_STEPS * COARSE // len(first))
    steps = coarse_steps + (FINE_STEPS if len(first) < count else 0)

    def report(step: int) -> None:
        on_progress(0.05 + 0.9 * step / steps)

    coarse = _descended(_neighbours(reduced[first]), start, coarse_steps, int(EXAGGERATED * coarse_steps), report)
    if len(first) == count:
        return coarse
    coarse *= np.float32(np.sqrt(count / len(first)))  # that each has as much room as before
    placed = _interpolated(reduced, reduced[first], coarse)
    placed[first] = coarse
    return _descended(_neighbours(reduced), placed, FINE_STEPS, 0, lambda step: report(coarse_steps + step))


def _neighbours(points: Float32) -> Int64:
    """Indices (N, k) of the nearest of points (N, d) to each: `NEIGHBOURS`, of few points a third."""
    count = min(NEIGHBOURS, max(1, (len(points) - 1) // 3))
    squares = np.square(points).sum(axis=1)
    nearest = np.empty((len(points), count), dtype=np.int64)
    for begin in range(0, len(points), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        distances = squares - 2 * points[rows] @ points.T  # less the square of each row, which orders nothing
        distances[np.arange(len(distances)), np.arange(begin, begin + len(distances))] = np.inf
        nearest[rows] = np.argpartition(distances, count - 1, axis=1)[:, :count]
    return nearest


def _descended(
    neighbours: Int64, start: Float32, steps: int, exaggerated: int, on_step: Callable[[int], None]
) -> Float32:
    """(N, 2) where points (N, 2) come to lie by gradient descent with momentum and gains (van der Maaten 2014)."""
    points = start.astype(np.float32)
    rate = max(len(points) / EXAGGERATION / 4, 50.0)
    velocity, gains = np.zeros_like(points), np.ones_like(points)
    for step in range(steps):
        exaggeration, momentum = (EXAGGERATION, 0.5) if step < exaggerated else (1.0, 0.8)
        gradient = 4 * (exaggeration * _pull(neighbours, points) - _push(points))
        gains = np.maximum(0.01, np.where(gradient * velocity < 0, gains + 0.2, gains * 0.8)).astype(np.float32)
        velocity = (momentum * velocity - rate * gains * gradient).astype(np.float32)
        points = points + velocity
        points -= points.mean(axis=0)
        if step % 10 == 9:
            on_step(step + 1)
    return points


def _pull(neighbours: Int64, points: Float32) -> Float32:
    """(N, 2) the attracting half of the gradient of t-SNE's loss at points (N, 2), by 4: the sum of p_ij q_ij (y_i - y_j).

    p_ij is 1 / 2Nk for each of the k `neighbours` (N, k) of i, and as much again if i is a neighbour of j.
    """
    count, k = neighbours.shape
    of = neighbours.ravel()
    apart = [points[:, axis, None] - points[:, axis][neighbours] for axis in (0, 1)]
    near = 1 / ((1 + np.square(apart[0]) + np.square(apart[1])) * (2 * count * k))
    pull = np.empty_like(points)
    for axis in (0, 1):
        forces = near * apart[axis]
        pull[:, axis] = forces.sum(axis=1) - np.bincount(of, forces.ravel(), count)
    return pull


def _push(points: Float32) -> Float32:
    """(N, 2) the repelling half of the gradient of t-SNE's loss at points (N, 2), by 4: the sum of q_ij² (y_i - y_j),
    divided by that of all q_ij."""
    squares = np.square(points).sum(axis=1)
    ones = np.ones_like(squares)
    left = np.stack([-2 * points[:, 0], -2 * points[:, 1], squares + 1, ones], axis=1)
    right = np.stack([points[:, 0], points[:, 1], ones, squares])
    moments = np.stack([ones, points[:, 0], points[:, 1]], axis=1)
    push = np.zeros_like(moments)
    total = -float(len(points))  # a point is near itself, and does not count
    far = float(squares.max()) > _FAR
    for begin in range(0, len(points), _ROWS):
        end = min(begin + _ROWS, len(points))
        near = left[begin:end] @ right[:, begin:]  # 1 + squared distance, of each pair once
        if far:
            np.maximum(near, 1, out=near)
        np.reciprocal(near, out=near)
        within, beyond = near[:, : end - begin], near[:, end - begin :]
        total += float(within.sum()) + 2 * float(beyond.sum())
        np.square(near, out=near)
        push[begin:end] += near @ moments[begin:]
        push[end:] += beyond.T @ moments[begin:end]
    return np.asarray((push[:, :1] * points - push[:, 1:]) / total, dtype=np.float32)


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
