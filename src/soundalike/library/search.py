"""Exact search: score = sum_k w_k cos_k, on the vectors as stored, under any weights.

A search is a list of *terms*. A term compares one part of the query with one vector column of the library and has a
weight; part against same part is the term (drums, `windows`, drums), one part against whole loops and one-shots is
(drums, `wholes`, mix). Columns that no term names are not read.

Exact means: the float16 values on disk, summed in float64. A fast float32 product finds the candidates, with a margin
that covers its rounding; those are scored again in float64, so the order never depends on how a product was blocked.
Ties are broken by item id, then by start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.library.store import Library

Table = Literal["windows", "wholes"]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

ROUNDING = 1e-4
"""Bound on the error of the fast product, for weights that sum to 1 in absolute value (observed: under 1e-6)."""


@dataclass(frozen=True)
class Term:
    """One weighted comparison: `weight` * <query, row's `column`>.

    label: what its contribution is called; query: float64 (D,), the mean over the query's windows of their unit vectors
    (zero where absent), so that the product is the mean of the cosines.
    """

    label: str
    column: str
    query: Float64
    weight: float


@dataclass(frozen=True)
class Match:
    """A row of a table that was found: its content, seconds, score, and per term its contribution and cosine.

    `present` tells per term whether the row has that part at all.
    """

    table: Table
    row: int
    content: str
    start: float
    end: float
    score: float
    contributions: tuple[float, ...]
    cosines: tuple[float, ...]
    present: tuple[bool, ...]


@dataclass
class Vectors:
    """The library's vectors in memory, column by column, read when first asked for."""

    library: Library
    _rows: dict[Table, Rows] = field(default_factory=dict)
    _columns: dict[tuple[Table, str], Float32] = field(default_factory=dict)

    def rows(self, table: Table) -> Rows:
        """Contents and seconds of the rows of `table`, sorted by content, then start."""
        if table not in self._rows:
            self._rows[table] = _read_rows(self.library, table)
        return self._rows[table]

    def column(self, table: Table, part: str) -> Float32:
        """Vectors (N, D) float32 of `part`, in the order of `rows(table)`; zero rows where absent."""
        if (table, part) not in self._columns:
            stored = self.library.vectors(table, part)
            self._columns[table, part] = stored[self.rows(table).order].astype(np.float32)
        return self._columns[table, part]

    def nbytes(self) -> int:
        """Memory that the columns take."""
        return sum(column.nbytes for column in self._columns.values())


@dataclass(frozen=True)
class Rows:
    """Rows of a table, sorted by content then start.

    order: positions in the stored table; contents: the C different contents, ascending; first: (C,) row where each
    begins; of_row: (N,) index into contents; starts, ends: (N,) s.
    """

    order: NDArray[np.int64]
    contents: tuple[str, ...]
    first: NDArray[np.int64]
    of_row: NDArray[np.int64]
    starts: Float64
    ends: Float64

    def of_content(self, index: int) -> range:
        """The rows of a content."""
        last = self.first[index + 1] if index + 1 < len(self.first) else len(self.starts)
        return range(int(self.first[index]), int(last))


def _read_rows(library: Library, table: Table) -> Rows:
    read = library.windows if table == "windows" else library.wholes
    stored = read(["content", "start", "end"])
    contents = np.asarray(stored["content"].to_pylist(), dtype=str)
    starts = np.asarray(stored["start"].to_numpy(), dtype=np.float64)
    order = np.lexsort((starts, contents))
    unique, first, of_row = np.unique(contents[order], return_index=True, return_inverse=True)
    return Rows(
        order=order,
        contents=tuple(str(content) for content in unique),
        first=first.astype(np.int64),
        of_row=of_row.reshape(-1).astype(np.int64),
        starts=starts[order],
        ends=np.asarray(stored["end"].to_numpy(), dtype=np.float64)[order],
    )


def row_scores(vectors: Vectors, table: Table, terms: Sequence[Term]) -> Float32:
    """The score (N,) of every row under `terms` by the fast product: within `ROUNDING` of the exact one for weights that
    sum to 1 in absolute value."""
    scores = np.zeros(len(vectors.rows(table).starts), dtype=np.float32)
    for term in terms:
        scores += vectors.column(table, term.column) @ (term.weight * term.query).astype(np.float32)
    return scores


def heard(vectors: Vectors, table: Table, terms: Sequence[Term]) -> NDArray[np.bool_]:
    """Which rows (N,) have at least one of the parts that `terms` name."""
    found = np.zeros(len(vectors.rows(table).starts), dtype=bool)
    for column in dict.fromkeys(term.column for term in terms):
        found |= np.any(vectors.column(table, column), axis=1)
    return found


def best_matches(
    vectors: Vectors,
    table: Table,
    terms: Sequence[Term],
    count: int,
    allowed: dict[str, str],
    *,
    heard_only: bool = False,
) -> list[Match]:
    """The `count` best contents of `table`, each by its best window, best first.

    allowed: contents that may be returned -> the key that breaks ties (the item id); heard_only: leave out windows that
    have none of the parts asked for, whose score of 0 would be better than a poor one. Raises InputError without terms
    or for a count under 1.
    """
    if not terms:
        raise InputError("a search needs at least one weighted part")
    if count < 1:
        raise InputError(f"{count} hits asked for; ask for 1 or more")
    rows = vectors.rows(table)
    may = np.array([content in allowed for content in rows.contents], dtype=bool)
    if not may.any():
        return []
    fast = row_scores(vectors, table, terms)
    if heard_only:
        fast[~heard(vectors, table, terms)] = -np.inf
    best = np.maximum.reduceat(fast, rows.first)
    may &= np.isfinite(best)
    if not may.any():
        return []
    best[~may] = -np.inf
    count = min(count, int(may.sum()))
    margin = 2 * ROUNDING * sum(abs(term.weight) * float(np.linalg.norm(term.query)) for term in terms)
    floor = np.partition(best, -count)[-count] - margin
    candidates = np.flatnonzero((best >= floor) & may)
    found = [_best_window(vectors, table, terms, int(index), margin, fast) for index in candidates]
    found.sort(key=lambda match: (-match.score, allowed[match.content], match.start))
    return found[:count]


def _best_window(
    vectors: Vectors, table: Table, terms: Sequence[Term], content: int, margin: float, fast: Float32
) -> Match:
    """The best window of a content, scored in float64; the earliest of equals."""
    rows = vectors.rows(table)
    inside = rows.of_content(content)
    span = fast[inside.start : inside.stop]
    near = [row for row, value in zip(inside, span, strict=True) if value >= span.max() - margin]
    return max((score_row(vectors, table, terms, row) for row in near), key=lambda match: (match.score, -match.start))


def score_row(vectors: Vectors, table: Table, terms: Sequence[Term], row: int) -> Match:
    """The exact score of one row under `terms`."""
    rows = vectors.rows(table)
    cosines, contributions, present = [], [], []
    for term in terms:
        stored = vectors.column(table, term.column)[row].astype(np.float64)
        cosine = float(np.dot(stored, term.query))
        cosines.append(cosine)
        contributions.append(term.weight * cosine)
        present.append(bool(stored.any()))
    return Match(
        table=table,
        row=row,
        content=rows.contents[rows.of_row[row]],
        start=float(rows.starts[row]),
        end=float(rows.ends[row]),
        score=float(sum(contributions)),
        contributions=tuple(contributions),
        cosines=tuple(cosines),
        present=tuple(present),
    )


def diversify(
    vectors: Vectors, matches: Sequence[Match], terms: Sequence[Term], count: int, *, relevance: float = 0.7
) -> list[Match]:
    """`count` of `matches` (of one table) that are good and unlike each other: maximal marginal relevance.

    Greedy: the next is the one with the highest relevance * score - (1 - relevance) * (its highest similarity to one
    chosen already), both in units of the weights' absolute sum; the similarity is that of the search itself.
    Carbonell & Goldstein 1998.
    """
    if len(matches) <= 1:
        return list(matches)
    table = matches[0].table
    rows = [match.row for match in matches]
    total = sum(abs(term.weight) for term in terms)
    alike = np.zeros((len(rows), len(rows)))
    for term in terms:
        block = vectors.column(table, term.column)[rows].astype(np.float64)
        alike += abs(term.weight) / total * (block @ block.T)
    scores = np.array([match.score for match in matches]) / total
    chosen = [0]
    while len(chosen) < min(count, len(matches)):
        gain = relevance * scores - (1 - relevance) * alike[:, chosen].max(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return [matches[index] for index in chosen]
