"""The index of tables that are larger than the memory budget: one-bit codes with exact re-scoring.

One-bit codes (`rabitq`) estimate every row's score with a known error; the vectors of rows that may be among the best are then
read from disk and scored exactly. Returned scores are exact; a row whose estimate is far too low is missed, and `recall`
measures how often that happens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from soundalike.search.index.exact_scoring import FastScores, kth_content_score, rounding_margin, search_exactly
from soundalike.search.index.flat import vector_bytes
from soundalike.search.index.rabitq_segments import RabitqSegments, open_segments
from soundalike.search.index.table_rows import (
    Float32,
    Float64,
    Indices,
    Mask,
    Rows,
    StreamedSource,
    Table,
    columns_of,
    read_rows,
)
from soundalike.search.index.vector_index import Matches, Method, Scan, Term

CERTAINTY = 1.5
"""Standard deviations of an estimate's error that are allowed for: of the rows just at the edge 1 in 15 is missed."""

FEWEST_SCORED = 50
MOST_SCORED = 20_000
"""Rows that are scored exactly at most."""


class QuantisedIndex:
    """A table's vectors on disk, with one-bit codes that are built when first needed. See `vector_index.VectorIndex`."""

    method: Method = "sketches"
    exact = False

    def __init__(
        self,
        source: StreamedSource,
        table: Table,
        rows: Rows | None = None,
        *,
        on_status: Callable[[str], None] | None = None,
    ) -> None:
        """rows: of the table (read if None); on_status: called with a message before codes are built, which takes long."""
        self.table = table
        self.columns = columns_of(source, table)
        self.rows = read_rows(source, table) if rows is None else rows
        self._source, self._on_status = source, on_status
        self._segments: RabitqSegments | None = None
        self._present: dict[str, Mask] = {}
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """Bytes of all vectors as float32."""
        return vector_bytes(self._source, self.table, self.rows)

    @property
    def segments(self) -> RabitqSegments:
        """The codes and vectors on disk; built if they are not there yet. Raises LibraryError where they cannot be written."""
        with self._lock:
            if self._segments is None:
                self._segments = open_segments(self._source, self.table, self.columns, self.rows, self._on_status)
            return self._segments

    def search(self, terms: Sequence[Term], k: int, tie_order: Indices, *, present_only: bool = False) -> Matches:
        """See `VectorIndex.search`."""

        def shortlist(scan: Scan, fast: FastScores) -> Indices:
            return self._shortlist(terms, scan, fast)

        return search_exactly(self, terms, k, tie_order, shortlist, present_only=present_only)

    def _shortlist(self, terms: Sequence[Term], scan: Scan, fast: FastScores) -> Indices:
        """The rows that may be the best row of one of the k best contents."""
        rows, k = fast.rows, fast.k
        if not scan.error:  # no row has a code yet: all were scanned exactly
            return fast.reaching(fast.kth_best(k) - 2 * scan.margin)
        # The best estimates are too high. What k contents really reach is known once somewhat more are scored.
        several = min(k + max(k, FEWEST_SCORED), int(fast.eligible.sum()))
        likely = fast.reaching(fast.kth_best(several))
        likely = likely[fast.scores[likely] == fast.best[rows.of_row[likely]]]
        floor = kth_content_score(rows, likely, self.products(terms, likely), k)
        near = fast.reaching(floor - CERTAINTY * scan.error)
        if len(near) > MOST_SCORED:
            near = near[np.argpartition(fast.scores[near], -MOST_SCORED)[-MOST_SCORED:]]
        near = np.union1d(near, likely)  # so that there are k contents, however low their estimates are
        products = self.products(terms, near)
        return near[products >= kth_content_score(rows, near, products, k) - 2 * scan.margin]

    def scan(self, terms: Sequence[Term]) -> Scan:
        """See `VectorIndex.scan`."""
        weighted = [(term.column, term.weight * term.query) for term in terms]
        scores, error = self.segments.estimate(weighted)
        return Scan(scores, error, rounding_margin(terms))

    def products(self, terms: Sequence[Term], rows: Indices) -> Float32:
        """(M,) scores of some rows under `terms`, exact but for the rounding of float32."""
        weighted: dict[str, Float64] = {}
        for term in terms:
            weighted[term.column] = weighted.get(term.column, 0.0) + term.weight * term.query
        return self.segments.products(list(weighted.items()), rows)

    def take(self, columns: Sequence[str], rows: Indices) -> Float32:
        """See `VectorIndex.take`."""
        return self.segments.take(columns, rows)

    def present(self, column: str) -> Mask:
        """See `VectorIndex.present`."""
        with self._lock:
            if column not in self._present:
                self._present[column] = self.segments.present(column)
            return self._present[column]

    def following(self, source: StreamedSource, rows: Rows) -> QuantisedIndex:
        """The index of a later state of the table. New codes are built now, not in the next search."""
        later = QuantisedIndex(source, self.table, rows, on_status=self._on_status)
        if self._segments is not None:
            _ = later.segments
        return later
