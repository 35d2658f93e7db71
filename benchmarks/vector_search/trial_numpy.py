"""Exact search: NumPy's float32 product in memory, and NumKong's float16 product on the memory-mapped file.

python -m benchmarks.vector_search.trial_numpy --rows 100000
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmarks.vector_search.rerank import COUNT, Exact, top
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS
from benchmarks.vector_search.trial import main, pieces


class InMemory:
    """One array (N, D) float32 per part; parts of weight zero are not read."""

    variants: ClassVar = {"columns, float32": {}}

    def build(self, rows, place: Path) -> None:
        columns = [
            np.lib.format.open_memmap(place / f"{part}.npy", "w+", np.float32, (len(rows), DIMENSION)) for part in PARTS
        ]
        for begin, piece in pieces(rows):
            for index, column in enumerate(columns):
                column[begin : begin + len(piece)] = piece[:, index]

    def open(self, rows, place: Path) -> None:
        self.columns = [[np.load(place / f"{part}.npy")] for part in PARTS]

    def search(self, query, weights):
        used = np.flatnonzero(weights)
        scores = np.concatenate(
            [
                sum(self.columns[k][piece] @ (weights[k] * query[k]) for k in used)
                for piece in range(len(self.columns[0]))
            ]
        )
        best = top(scores, COUNT)
        return best[np.argsort(-scores[best], kind="stable")]

    def append(self, rows) -> None:
        for index, column in enumerate(self.columns):
            column.append(rows[:, index].astype(np.float32))


class Mapped:
    """NumKong on the float16 rows in the file, with float32 sums and without a copy; then float32 re-ranking."""

    variants: ClassVar = {"re-rank 200, mapped float16": {}}

    def build(self, rows, place: Path) -> None:
        pass

    def open(self, rows, place: Path) -> None:
        self.columns = [[np.lib.stride_tricks.as_strided(rows[:, k], writeable=False)] for k in range(len(PARTS))]
        self.exact = Exact(rows)

    def search(self, query, weights):
        import numkong

        scores = []
        for piece in range(len(self.columns[0])):
            total = np.zeros(len(self.columns[0][piece]), np.float32)
            for k in np.flatnonzero(weights):
                wanted = query[k].astype(np.float16)[None]
                found = numkong.cdist(self.columns[k][piece], wanted, "dot", threads=2)
                total += weights[k] * np.asarray(found, dtype=np.float32).reshape(-1)
            scores.append(total)
        return self.exact.best(top(np.concatenate(scores), 200), query, weights)

    def append(self, rows) -> None:
        self.exact.append(rows)
        for index, column in enumerate(self.columns):
            column.append(np.ascontiguousarray(rows[:, index]))


ENGINES = {"NumPy exact": InMemory, "NumKong float16 exact": Mapped}

if __name__ == "__main__":
    main(__doc__, ENGINES)
