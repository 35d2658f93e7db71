"""The exact index: all vectors of a table in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from cachetools import LRUCache

from soundalike.search.index.exact_scoring import FastScores, rounding_margin, search_exactly
from soundalike.search.index.table_rows import Float32, Indices, Mask, Rows, Table, VectorSource, columns_of, read_rows
from soundalike.search.index.vector_index import Matches, Method, Scan, Term

APPENDED_AT_MOST = 16_384
"""Rows that are read one by one and appended when a library has grown; more are cheaper to read with the whole column."""


class FlatIndex:
    """A table's vectors as float32 columns, read when first needed. See `vector_index.VectorIndex`."""

    method: Method = "memory"
    exact = True

    def __init__(
        self, source: VectorSource, table: Table, rows: Rows | None = None, *, cosine_cache_bytes: int = 0
    ) -> None:
        """rows: of the table (read if None); cosine_cache_bytes: size of a cache of the cosines of earlier queries, so that the
        same reference under other weights is a weighted sum of what is known."""
        self.table = table
        self.columns = columns_of(source, table)
        self.rows = read_rows(source, table) if rows is None else rows
        self._source = source
        self._vectors: dict[str, Float32] = {}
        self._present: dict[str, Mask] = {}
        self._cosines: LRUCache[tuple[str, bytes], Float32] = LRUCache(cosine_cache_bytes, lambda array: array.nbytes)
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """Bytes of all vectors as float32, loaded or not."""
        return vector_bytes(self._source, self.table, self.rows)

    @property
    def cosine_bytes(self) -> int:
        """Bytes of cached cosines."""
        return int(self._cosines.currsize)

    def column(self, part: str) -> Float32:
        """All vectors (N, D) of `part`, in the order of `rows`; zeros where absent."""
        with self._lock:
            if part not in self._vectors:
                stored = self._source.vectors(self.table, part)
                order = self.rows.order
                in_order = stored if (order == np.arange(len(order))).all() else stored[order]
                self._vectors[part] = in_order.astype(np.float32)
            return self._vectors[part]

    def search(self, terms: Sequence[Term], k: int, tie_order: Indices, *, present_only: bool = False) -> Matches:
        """See `VectorIndex.search`."""
        return search_exactly(self, terms, k, tie_order, _within_rounding, present_only=present_only)

    def scan(self, terms: Sequence[Term]) -> Scan:
        """See `VectorIndex.scan`."""
        scores = np.zeros(len(self.rows), dtype=np.float32)
        for term in terms:
            scores += np.float32(term.weight) * self._cosines_of(term)
        return Scan(scores, 0.0, rounding_margin(terms))

    def _cosines_of(self, term: Term) -> Float32:
        """(N,) the product of every row with a term's query, whatever its weight."""
        key = (term.column, term.query.tobytes())
        with self._lock:
            cached = self._cosines.get(key)
        if cached is not None:
            return cached
        cosines: Float32 = self.column(term.column) @ term.query.astype(np.float32)
        if cosines.nbytes <= self._cosines.maxsize:
            with self._lock:
                self._cosines[key] = cosines
        return cosines

    def take(self, columns: Sequence[str], rows: Indices) -> Float32:
        """See `VectorIndex.take`."""
        return np.stack([self.column(column)[rows] for column in columns], axis=1)

    def present(self, column: str) -> Mask:
        """See `VectorIndex.present`."""
        with self._lock:
            if column not in self._present:
                self._present[column] = np.asarray(self.column(column).any(axis=1))
            return self._present[column]

    def following(self, source: VectorSource, rows: Rows) -> FlatIndex:
        """The index of a later state of the table; where rows were only appended, only those are read."""
        later = FlatIndex(source, self.table, rows, cosine_cache_bytes=int(self._cosines.maxsize))
        if not rows.begin_with(self.rows):
            return later
        added = rows.order[len(self.rows) :]
        with self._lock:
            loaded = list(self._vectors.items())
        for part, column in loaded:
            if not len(added):
                later._vectors[part] = column
            elif len(added) <= APPENDED_AT_MOST:
                appended = source.take(self.table, added, [part])[part].astype(np.float32)
                later._vectors[part] = np.concatenate([column, appended])
        return later


def vector_bytes(source: VectorSource, table: Table, rows: Rows) -> int:
    """Bytes of all vectors of a table as float32."""
    return len(rows) * len(columns_of(source, table)) * source.recipe.dimension * 4


def _within_rounding(scan: Scan, fast: FastScores) -> Indices:
    """The rows that may be the best row of one of the k best contents, whatever rounding did."""
    return fast.reaching(fast.kth_best(fast.k) - 2 * scan.margin)
