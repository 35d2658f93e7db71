"""Exact scans of quantised columns: NumKong int8 and bits per part, usearch int8 on the concatenation; then re-ranking.

python -m benchmarks.vector_search.trial_numkong --rows 100000
"""

from __future__ import annotations

from pathlib import Path

import numkong
import numpy as np

from benchmarks.vector_search.rerank import Exact, concatenated, top
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS
from benchmarks.vector_search.trial import main, pieces

THREADS = 2


class Columns:
    """One array per part; the scores of the parts are summed with the weights. Subclasses define the encoding."""

    def __init__(self, width: int, kind: type, reranks=(500, 1000, 4000, 10_000)) -> None:
        self.width, self.kind, self.rerank = width, kind, 1000
        self.variants = {f"re-rank {count}": {"rerank": count} for count in reranks}

    def build(self, rows, place: Path) -> None:
        self.prepare(rows, place)
        files = [
            np.lib.format.open_memmap(place / f"{part}.npy", "w+", self.kind, (len(rows), self.width)) for part in PARTS
        ]
        for begin, piece in pieces(rows):
            for index, file in enumerate(files):
                file[begin : begin + len(piece)] = self.code(piece[:, index], index)

    def open(self, rows, place: Path) -> None:
        self.columns = [[np.load(place / f"{part}.npy")] for part in PARTS]
        self.means = np.load(place / "means.npy")
        self.exact = Exact(rows)

    def prepare(self, rows, place: Path) -> None:
        """Mean of each part over the rows that have it."""
        sample = rows[:: max(1, len(rows) // 10_000)].astype(np.float32)
        present = sample.any(axis=2)
        self.means = np.stack([sample[present[:, k], k].mean(axis=0) for k in range(len(PARTS))])
        np.save(place / "means.npy", self.means)

    def search(self, query, weights):
        scores = []
        used = np.flatnonzero(weights)
        wanted = {k: self.ask(query[k], k) for k in used}
        for piece in range(len(self.columns[0])):
            total = np.zeros(self.size(self.columns[0][piece]), np.float32)
            for k in used:
                total += weights[k] * self.score(self.columns[k][piece], wanted[k])
            scores.append(total)
        return self.exact.best(top(np.concatenate(scores), self.rerank), query, weights)

    def size(self, piece):
        """Number of rows in a piece of a column."""
        return len(piece)

    def append(self, rows) -> None:
        self.exact.append(rows)
        for index, column in enumerate(self.columns):
            column.append(self.code(rows[:, index].astype(np.float32), index))


class Int8(Columns):
    """A fixed scale: coordinates of unit vectors of 512 are about .044 in size, and are clipped at .22."""

    SCALE = 127 / 0.22

    def __init__(self) -> None:
        super().__init__(DIMENSION, np.int8, reranks=(200, 1000))

    def code(self, vectors, part):
        return np.clip(np.rint(vectors * self.SCALE), -127, 127).astype(np.int8)

    def ask(self, query, part):
        return self.code(query[None], part)

    def score(self, column, wanted):
        found = numkong.cdist(column, wanted, "dot", threads=THREADS)
        return np.asarray(found).reshape(-1).astype(np.float32) / self.SCALE**2


class Bits(Columns):
    """The signs of r = x - mean, with two numbers that turn an angle into an inner product.

    <q, x> = <q, mean> + <mean, r_x> + |r_q| |r_x| cos(angle of r_q and r_x). |r_x| and <mean, r_x> are stored as
    float32, the angle follows from the share of signs that differ. The query is reduced to signs as well: NumKong has no product
    of floats with bits.
    """

    def __init__(self) -> None:
        super().__init__(DIMENSION // 8 + 8, np.uint8)

    def code(self, vectors, part):
        rest = vectors - self.means[part]
        numbers = np.column_stack([np.linalg.norm(rest, axis=1), rest @ self.means[part]]).astype(np.float32)
        return np.concatenate([np.packbits(rest > 0, axis=1), numbers.view(np.uint8)], axis=1)

    def open(self, rows, place: Path) -> None:
        super().open(rows, place)
        self.columns = [[self.halves(piece) for piece in column] for column in self.columns]

    @staticmethod
    def halves(codes):
        """The signs and the two numbers."""
        split = DIMENSION // 8
        return np.ascontiguousarray(codes[:, :split]), np.ascontiguousarray(codes[:, split:]).view(np.float32).T.copy()

    def append(self, rows) -> None:
        super().append(rows)
        for column in self.columns:
            column[-1] = self.halves(column[-1])

    def size(self, piece):
        return len(piece[0])

    def ask(self, query, part):
        return self.halves(self.code(query[None], part)), float(query @ self.means[part])

    def score(self, column, wanted):
        (signs, (norms, along)), ((asked, numbers), middle) = column, wanted
        differ = numkong.cdist(signs, asked, "hamming", dtype="uint1", threads=THREADS)
        angle = np.asarray(differ).reshape(-1).astype(np.float32) * np.float32(np.pi / DIMENSION)
        return middle + along + numbers[0, 0] * norms * np.cos(angle)


class Usearch:
    """Exact search of int8 rows (N, 3584) in usearch; the weights are in the query, which is int8 as well."""

    def __init__(self) -> None:
        self.rerank = 1000
        self.variants = {"re-rank 1000": {"rerank": 1000}}

    def build(self, rows, place: Path) -> None:
        file = np.lib.format.open_memmap(place / "rows.npy", "w+", np.int8, (len(rows), len(PARTS) * DIMENSION))
        for begin, piece in pieces(rows):
            flat = piece.reshape(len(piece), -1)
            file[begin : begin + len(piece)] = np.clip(np.rint(flat * Int8.SCALE), -127, 127).astype(np.int8)

    def open(self, rows, place: Path) -> None:
        self.rows = [np.load(place / "rows.npy")]
        self.exact = Exact(rows)

    def search(self, query, weights):
        from usearch.index import MetricKind, search

        wanted = concatenated(query, weights)
        wanted = np.rint(wanted * (127 / np.abs(wanted).max())).astype(np.int8)
        found, begin = [], 0
        for piece in self.rows:
            matches = search(piece, wanted, min(self.rerank, len(piece)), MetricKind.IP, exact=True, threads=THREADS)
            found.append(np.asarray(matches.keys, dtype=np.int64) + begin)
            begin += len(piece)
        return self.exact.best(np.concatenate(found), query, weights)

    def append(self, rows) -> None:
        self.exact.append(rows)
        flat = rows.reshape(len(rows), -1).astype(np.float32)
        self.rows.append(np.clip(np.rint(flat * Int8.SCALE), -127, 127).astype(np.int8))


ENGINES = {"NumKong int8 columns": Int8, "NumKong bits columns": Bits, "usearch int8 exact": Usearch}

if __name__ == "__main__":
    main(__doc__, ENGINES)
