"""Exact re-ranking of candidates from the memory-mapped float16 file, as every approximate engine here uses it."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search.synthetic_vectors import PARTS

COUNT = 100
_FLOATS = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)  # the value of every float16


class Exact:
    """Re-ranks row numbers, over the rows (N, 7, D) of the file and those appended since."""

    def __init__(self, rows: NDArray[np.float16]) -> None:
        self.stored = rows.view(np.uint16)
        self.tail = np.zeros((0, *rows.shape[1:]), np.float16)

    def append(self, rows: NDArray[np.float16]) -> None:
        """Rows with the next numbers."""
        self.tail = np.concatenate([self.tail, rows])

    def __len__(self) -> int:
        return len(self.stored) + len(self.tail)

    def best(
        self, candidates: NDArray[np.int64], query: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """The best 100 of `search.candidates` (m,), best first; parts of weight zero are not read."""
        candidates = np.unique(candidates[candidates >= 0])  # ascending order reads faster
        used = np.flatnonzero(weights)
        weighted = weights[used, None] * query[used]
        scores = np.empty(len(candidates), np.float32)
        old = candidates < len(self.stored)
        _score(self.stored, candidates[old], used, weighted, _FLOATS, scores)
        if not old.all():
            tail = self.tail[candidates[~old] - len(self.stored)][:, used].astype(np.float32)
            scores[old.sum() :] = np.einsum("nkd,kd->n", tail, weighted)
        return candidates[np.argsort(-scores, kind="stable")[:COUNT]]


@numba.njit(parallel=True, fastmath=True, cache=True)
def _score(stored, candidates, used, weighted, floats, scores):  # type: ignore[no-untyped-def]
    for index in numba.prange(len(candidates)):
        total = np.float32(0)
        for k in range(len(used)):
            row = stored[candidates[index], used[k]]
            for j in range(row.shape[0]):
                total += floats[row[j]] * weighted[k, j]
        scores[index] = total


def top(scores: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """The indices of the `count` highest of `scores` (N,), in any order."""
    if count >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]


def concatenated(query: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The query (3584,) whose inner product with a concatenated row is the score."""
    assert query.shape[0] == len(PARTS)
    return np.ascontiguousarray((weights[:, None] * query).reshape(-1))
