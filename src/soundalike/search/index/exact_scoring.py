"""From fast scores of all rows to the exact best: which rows to score exactly, and their scores.

An index scans all rows fast (a float32 product, or an estimate from one-bit codes), decides from that which rows may be
among the best (its shortlist), and these are scored exactly here. Every score that is returned is that of the stored float16
values, summed in float64, so the order never depends on how a product was blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.search.index.table_rows import Float32, Float64, Indices, Mask, Rows
from soundalike.search.index.vector_index import Match, Matches, Scan, Term, VectorIndex

ROUNDING = 1e-4
"""Bound on the error of a float32 product, for weights that sum to 1 in absolute value (observed: under 1e-6)."""

_PIECE = 4_096
"""Rows whose vectors are taken together."""


@dataclass(frozen=True)
class FastScores:
    """Fast scores of a search. scores (N,); best (C,): the highest of each content, -inf where it is not eligible; eligible
    (C,): the contents that may be returned; k: how many of them are."""

    rows: Rows
    scores: Float32
    best: Float32
    eligible: Mask
    k: int

    def kth_best(self, k: int) -> float:
        """The k-th highest score of a content."""
        return kth_highest(self.best, k)

    def reaching(self, floor: float) -> Indices:
        """The rows of eligible contents with a score of at least `floor`."""
        rows = np.flatnonzero(self.scores >= floor)
        return rows[self.eligible[self.rows.of_row[rows]]]


Shortlist = Callable[[Scan, FastScores], Indices]
"""Which rows may be the best row of one of the k best contents."""


def search_exactly(
    index: VectorIndex, terms: Sequence[Term], k: int, tie_order: Indices, shortlist: Shortlist, *, present_only: bool
) -> Matches:
    """`VectorIndex.search` by a scan of all rows, a shortlist from it, and exact scores of the shortlist."""
    check_search(terms, k)
    if not (tie_order >= 0).any():
        return Matches()
    scan = index.scan(terms)
    scores = scan.scores
    if present_only:
        scores = np.where(has_any_column(index, terms), scores, -np.inf).astype(np.float32)
    best = np.maximum.reduceat(scores, index.rows.first)
    eligible = np.logical_and(tie_order >= 0, np.isfinite(best))
    k = min(k, int(eligible.sum()))
    if not k:
        return Matches()
    best[~eligible] = -np.inf
    rows = shortlist(scan, FastScores(index.rows, scores, best, eligible, k))
    return Matches(_best_matches(index, terms, rows, k, tie_order))


def _best_matches(index: VectorIndex, terms: Sequence[Term], rows: Indices, k: int, tie_order: Indices) -> list[Match]:
    """The `k` best contents of some rows by their exact scores, each by its best row."""
    cosines = exact_cosines(index, terms, rows)
    content = index.rows.of_row[rows]
    order = np.lexsort((index.rows.starts[rows], tie_order[content], -_totals(cosines, terms)))
    _, firsts = np.unique(content[order], return_index=True)
    order = order[np.sort(firsts)][:k]
    return _matches(index, terms, rows[order], cosines[order])


def check_search(terms: Sequence[Term], k: int) -> None:
    """Raise InputError for a search without terms, or for fewer than one hit."""
    if not terms:
        raise InputError("a search needs at least one weighted part")
    if k < 1:
        raise InputError(f"{k} hits requested; request 1 or more")


def compared_columns(terms: Sequence[Term]) -> list[str]:
    """The columns of terms whose part sounds in the query: a silent one is compared with nothing."""
    return list(dict.fromkeys(term.column for term in terms if term.query.any()))


def has_any_column(index: VectorIndex, terms: Sequence[Term]) -> Mask:
    """(N,) which rows have at least one of the columns that `terms` compare."""
    columns = compared_columns(terms) or [term.column for term in terms]
    return np.asarray(np.any([index.present(column) for column in columns], axis=0), dtype=bool)


def rounding_margin(terms: Sequence[Term]) -> float:
    """Bound on the rounding of float32 scores under `terms`."""
    return ROUNDING * sum(abs(term.weight) * float(np.linalg.norm(term.query)) for term in terms)


def kth_highest(values: NDArray[np.floating[Any]], k: int) -> float:
    """The k-th highest value."""
    return float(np.partition(values, -k)[-k])


def kth_content_score(rows: Rows, some: Indices, scores: Float32, k: int) -> float:
    """The k-th highest score of a content, from the scores of some rows (ascending); the lowest where there are fewer."""
    first = np.flatnonzero(np.diff(rows.of_row[some], prepend=-1))
    return kth_highest(np.maximum.reduceat(scores, first), min(k, len(first)))


def exact_cosines(index: VectorIndex, terms: Sequence[Term], rows: Indices) -> Float64:
    """(M, T) the exact cosine of each term in some rows."""
    columns = list(dict.fromkeys(term.column for term in terms))
    cosines = np.empty((len(rows), len(terms)))
    for begin in range(0, len(rows), _PIECE):
        taken = index.take(columns, rows[begin : begin + _PIECE]).astype(np.float64)
        for number, term in enumerate(terms):
            # Row by row in one order of summation, which a blocked product does not promise: equal rows get equal scores.
            column = taken[:, columns.index(term.column)]
            cosines[begin : begin + _PIECE, number] = np.einsum("nd,d->n", column, term.query)
    return cosines


def _totals(cosines: Float64, terms: Sequence[Term]) -> Float64:
    """(M,) scores from cosines (M, T)."""
    scores = np.zeros(len(cosines))
    for number, term in enumerate(terms):
        scores += term.weight * cosines[:, number]
    return scores


def _matches(index: VectorIndex, terms: Sequence[Term], chosen: Indices, cosines: Float64) -> list[Match]:
    """Rows (M,) with their cosines (M, T) as matches."""
    rows = index.rows
    weights = np.array([term.weight for term in terms])
    contents = rows.contents.take(pa.array(rows.of_row[chosen])).to_pylist()
    present = np.stack([index.present(term.column)[chosen] for term in terms], axis=1)
    return [
        Match(
            table=index.table,
            row=row,
            content=content,
            start=start,
            end=end,
            score=float(sum(contributions)),
            contributions=tuple(contributions),
            cosines=tuple(of_row),
            present=tuple(there),
        )
        for row, content, start, end, contributions, of_row, there in zip(
            chosen.tolist(),
            contents,
            rows.starts[chosen].tolist(),
            rows.ends[chosen].tolist(),
            (weights * cosines).tolist(),
            cosines.tolist(),
            present.tolist(),
            strict=True,
        )
    ]
