"""Search: score = sum_k w_k cos_k, on the vectors as stored, under any weights.

A search is a list of *terms*. A term compares one part of the query with one vector column of the library and has a
weight; part against same part is the term (drums, `windows`, drums), one part against whole loops and one-shots is
(drums, `wholes`, mix). Columns that no term names are not read.

Every score that is returned is that of the float16 values on disk, summed in float64, so the order never depends on how a
product was blocked. Ties are broken by rank (the item id), then by start. A fast scan of all rows says which rows have to
be scored so: in memory it is a float32 product, and a margin that covers its rounding makes the search exact; past the
memory budget it is an estimate, and rows are scored down to where `CERTAINTY` standard deviations of its error leave no
doubt. What that misses is measured by `recall`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.search.index.vectors import Indices, Rows, Scan, Table, Term, Vectors, heard

Float64 = NDArray[np.float64]

CERTAINTY = 1.5
"""Standard deviations of an estimate's error that are allowed for: of the rows just at the edge one in 15 is missed."""

FEWEST_SCORED = 50
MOST_SCORED = 20_000
"""Rows that are scored at most where scores are estimates."""

_PIECE = 4_096
"""Rows whose vectors are taken together."""


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


def best_matches(
    vectors: Vectors, table: Table, terms: Sequence[Term], count: int, ranks: Indices, *, heard_only: bool = False
) -> list[Match]:
    """The `count` best contents of `table`, each by its best window, best first.

    ranks: (C,) one a content of `vectors.rows(table)`: which of two equals comes first, negative for those that may not be
    returned; heard_only: leave out windows that have none of the parts asked for, whose score of 0 would be better than a
    poor one. Raises InputError without terms or for a count under 1.
    """
    check_asked(terms, count)
    rows = vectors.rows(table)
    if not (ranks >= 0).any():
        return []
    scan = vectors.scan(table, terms)
    fast = scan.scores
    if heard_only:
        fast = np.where(heard(vectors, table, terms), fast, -np.inf).astype(np.float32)
    best = np.maximum.reduceat(fast, rows.first)
    may = np.logical_and(ranks >= 0, np.isfinite(best))
    count = min(count, int(may.sum()))
    if not count:
        return []
    best[~may] = -np.inf
    chosen = _doubtful(vectors, table, terms, scan, fast, best, may, count)
    cosines = cosines_of(vectors, table, terms, chosen)
    scores = total(cosines, terms)
    content = rows.of_row[chosen]
    order = np.lexsort((rows.starts[chosen], ranks[content], -scores))
    _, firsts = np.unique(content[order], return_index=True)
    order = order[np.sort(firsts)][:count]
    return matches_of(vectors, table, terms, chosen[order], cosines[order])


def check_asked(terms: Sequence[Term], count: int) -> None:
    """Raise InputError for a search without terms, or for fewer hits than one."""
    if not terms:
        raise InputError("a search needs at least one weighted part")
    if count < 1:
        raise InputError(f"{count} hits asked for; ask for 1 or more")


def _doubtful(
    vectors: Vectors,
    table: Table,
    terms: Sequence[Term],
    scan: Scan,
    fast: NDArray[np.float32],
    best: NDArray[np.float32],
    may: NDArray[np.bool_],
    count: int,
) -> Indices:
    """The rows that may be the best window of one of the `count` best contents."""
    rows = vectors.rows(table)
    if not scan.error:
        return _reaching(rows, fast, may, _highest(best, count) - 2 * scan.margin)
    # The best estimates flatter. What `count` contents really reach is known once somewhat more are scored.
    several = min(count + max(count, FEWEST_SCORED), int(may.sum()))
    likely = _reaching(rows, fast, may, _highest(best, several))
    likely = likely[fast[likely] == best[rows.of_row[likely]]]
    floor = _reached(rows, likely, vectors.products(table, terms, likely), count)
    near = _reaching(rows, fast, may, floor - CERTAINTY * scan.error)
    if len(near) > MOST_SCORED:
        near = near[np.argpartition(fast[near], -MOST_SCORED)[-MOST_SCORED:]]
    near = np.union1d(near, likely)  # so that there are `count` contents, however far off their estimates are
    products = vectors.products(table, terms, near)
    return near[products >= _reached(rows, near, products, count) - 2 * scan.margin]


def _highest(values: NDArray[np.floating[Any]], count: int) -> float:
    """The `count`-th highest."""
    return float(np.partition(values, -count)[-count])


def _reaching(rows: Rows, fast: NDArray[np.float32], may: NDArray[np.bool_], floor: float) -> Indices:
    """The rows of contents that may be returned with a fast score of at least `floor`."""
    found = np.flatnonzero(fast >= floor)
    return found[may[rows.of_row[found]]]


def _reached(rows: Rows, some: Indices, scores: NDArray[np.float32], count: int) -> float:
    """What `count` contents reach by the scores of some rows (ascending); the least there is where they are fewer."""
    first = np.flatnonzero(np.diff(rows.of_row[some], prepend=-1))
    return _highest(np.maximum.reduceat(scores, first), min(count, len(first)))


def cosines_of(vectors: Vectors, table: Table, terms: Sequence[Term], rows: Indices) -> Float64:
    """(M, T) the exact cosine of each term in some rows."""
    columns = list(dict.fromkeys(term.column for term in terms))
    found = np.empty((len(rows), len(terms)))
    for begin in range(0, len(rows), _PIECE):
        taken = vectors.take(table, columns, rows[begin : begin + _PIECE]).astype(np.float64)
        for number, term in enumerate(terms):
            # Row by row in the same order of sums, which a blocked product does not promise: equal rows score equal.
            some = taken[:, columns.index(term.column)]
            found[begin : begin + _PIECE, number] = np.einsum("nd,d->n", some, term.query)
    return found


def total(cosines: Float64, terms: Sequence[Term]) -> Float64:
    """(M,) scores from cosines (M, T)."""
    scores = np.zeros(len(cosines))
    for number, term in enumerate(terms):
        scores += term.weight * cosines[:, number]
    return scores


def matches_of(vectors: Vectors, table: Table, terms: Sequence[Term], chosen: Indices, cosines: Float64) -> list[Match]:
    """Rows (M,) with their cosines (M, T) as matches."""
    rows = vectors.rows(table)
    weights = np.array([term.weight for term in terms])
    contents = rows.contents.take(pa.array(rows.of_row[chosen])).to_pylist()
    present = np.stack([vectors.present(table, term.column)[chosen] for term in terms], axis=1)
    return [
        Match(
            table=table,
            row=row,
            content=content,
            start=start,
            end=end,
            score=float(sum(contributions)),
            contributions=tuple(contributions),
            cosines=tuple(found),
            present=tuple(there),
        )
        for row, content, start, end, contributions, found, there in zip(
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
        block = vectors.take(table, [term.column], np.array(rows))[:, 0].astype(np.float64)
        alike += abs(term.weight) / total * (block @ block.T)
    scores = np.array([match.score for match in matches]) / total
    chosen = [0]
    while len(chosen) < min(count, len(matches)):
        gain = relevance * scores - (1 - relevance) * alike[:, chosen].max(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return [matches[index] for index in chosen]
