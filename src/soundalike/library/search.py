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

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.library.vectors import Indices, Scan, Table, Term, Vectors, heard

Float64 = NDArray[np.float64]

CERTAINTY = 2.0
"""Standard deviations of an estimate's error that are allowed for: one row in 44 just at the edge is missed at 2."""

FEWEST_SCORED = 50
MOST_SCORED = 20_000
"""Rows that are scored at most where scores are estimates."""


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
    if not terms:
        raise InputError("a search needs at least one weighted part")
    if count < 1:
        raise InputError(f"{count} hits asked for; ask for 1 or more")
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
    return [match_of(vectors, table, terms, int(chosen[at]), cosines[at]) for at in order]


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
    floor = float(np.partition(best, -count)[-count])  # `count` contents reach this much
    if scan.error:
        # The best estimates flatter. What `count` contents really reach is known once somewhat more are scored.
        several = min(count + max(count, FEWEST_SCORED), int(may.sum()))
        likely = np.flatnonzero(fast >= np.partition(best, -several)[-several])
        likely = likely[may[rows.of_row[likely]] & (fast[likely] == best[rows.of_row[likely]])]
        scores = total(cosines_of(vectors, table, terms, likely), terms)
        reached = np.full(len(best), -np.inf)
        np.maximum.at(reached, rows.of_row[likely], scores)
        floor = float(np.partition(reached, -count)[-count])
    edge = floor - 2 * scan.margin - CERTAINTY * scan.error
    doubtful = np.flatnonzero(fast >= edge)
    doubtful = doubtful[may[rows.of_row[doubtful]]]
    if scan.error and len(doubtful) > MOST_SCORED:
        doubtful = doubtful[np.argpartition(fast[doubtful], -MOST_SCORED)[-MOST_SCORED:]]
    return doubtful


def cosines_of(vectors: Vectors, table: Table, terms: Sequence[Term], rows: Indices) -> Float64:
    """(M, T) the exact cosine of each term in some rows."""
    found = np.empty((len(rows), len(terms)))
    taken: dict[str, NDArray[np.float32]] = {}
    for number, term in enumerate(terms):
        if term.column not in taken:
            taken[term.column] = vectors.take(table, term.column, rows)
        # Row by row in the same order of sums, which a blocked product does not promise: equal rows score equal.
        found[:, number] = np.einsum("nd,d->n", taken[term.column].astype(np.float64), term.query)
    return found


def total(cosines: Float64, terms: Sequence[Term]) -> Float64:
    """(M,) scores from cosines (M, T)."""
    scores = np.zeros(len(cosines))
    for number, term in enumerate(terms):
        scores += term.weight * cosines[:, number]
    return scores


def match_of(vectors: Vectors, table: Table, terms: Sequence[Term], row: int, cosines: Float64) -> Match:
    """A row with its cosines (T,) as a match."""
    rows = vectors.rows(table)
    contributions = tuple(term.weight * float(cosine) for term, cosine in zip(terms, cosines, strict=True))
    return Match(
        table=table,
        row=row,
        content=rows.content(row),
        start=float(rows.starts[row]),
        end=float(rows.ends[row]),
        score=float(sum(contributions)),
        contributions=contributions,
        cosines=tuple(float(cosine) for cosine in cosines),
        present=tuple(bool(vectors.present(table, term.column)[row]) for term in terms),
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
        block = vectors.take(table, term.column, rows).astype(np.float64)
        alike += abs(term.weight) / total * (block @ block.T)
    scores = np.array([match.score for match in matches]) / total
    chosen = [0]
    while len(chosen) < min(count, len(matches)):
        gain = relevance * scores - (1 - relevance) * alike[:, chosen].max(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return [matches[index] for index in chosen]
