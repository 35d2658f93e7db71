"""Candidates: what whoever drags a slider needs to order hits anew without asking the library again.

For a query, the items that are best under the present weights, under each part alone, and under all parts against one,
with the cosines of every part in the few windows of each that may be its best. Scores computed from these are exact for
the windows sent; an order made from them is provisional, because a window or an item that was not sent may be better under
other weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.search.finder import Finder, Question
from soundalike.search.index.matching import cosines_of
from soundalike.search.index.vectors import Indices, Rows, Term

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """parts (K,); items (M,): those that may be hits; of_item (R,): the item that each row is a window of; starts, ends (R,)
    s; cosines (R, K), 0 where a part is absent in the query or the row."""

    parts: tuple[str, ...]
    items: tuple[Mapping[str, Any], ...]
    of_item: NDArray[np.intp]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    cosines: Float32


def candidates(finder: Finder, question: Question, most: int = 2_000) -> Candidates:
    """Up to `most` items of the question that are best under its weights, one part alone, or the others against one.

    Half the room is for the present weights, the rest is shared by the extremes. Raises InputError where songs and whole
    sounds are searched together, or the question has texts or a negative reference: those have no sliders.
    """
    if question.against is not None or question.query.texts or len(question.tables) != 1:
        raise InputError(
            "candidates are of one reference among songs, or among loops and one-shots; ask for hits instead"
        )
    (table,) = question.tables
    query, rows = question.query, finder.vectors.rows(table)
    parts = (
        tuple(question.weighting.effective)
        if table == "wholes" or query.whole
        else tuple(part for part in finder.library.recipe.parts if part in query.parts)
    )
    terms = [Term(part, part if table == "windows" else MIX, query.direction(part), 1.0) for part in parts]
    scans = [finder.vectors.scan(table, [term]) for term in terms]
    cosines = np.stack([scan.scores for scan in scans], axis=1)
    now = np.array([question.weighting.effective.get(part, 0.0) for part in parts], dtype=np.float32)
    alone = np.eye(len(parts), dtype=np.float32)
    against = (1 - alone) / max(1, len(parts) - 1) - alone if len(parts) > 1 else -alone
    ranks = finder.ranks(table, question.admitted)
    wanted = [(now, most // 2), *((one, most // (4 * len(parts))) for one in np.concatenate([alone, against]))]
    chosen = _best_contents(cosines, wanted, rows, ranks >= 0)
    # Of these contents, the windows that are best under one of the weights.
    inside = np.concatenate([np.array(rows.of_content(int(one))) for one in chosen] or [np.empty(0)]).astype(np.int64)
    best = np.unique([_best_rows(cosines[inside] @ weights, rows.of_row[inside]) for weights, _ in wanted])
    index = inside[best.astype(np.int64)]
    exact = cosines_of(finder.vectors, table, terms, index) if any(scan.error for scan in scans) else cosines[index]
    items = finder.catalogue.items(ranks[chosen])
    return Candidates(
        parts,
        tuple(items),
        np.searchsorted(chosen, rows.of_row[index]),
        rows.starts[index],
        rows.ends[index],
        np.asarray(exact, dtype=np.float32),
    )


def _best_contents(
    cosines: Float32, wanted: Sequence[tuple[Float32, int]], rows: Rows, may: NDArray[np.bool_]
) -> Indices:
    """Contents that may be candidates and are, by their best windows, among the first `room` under some weights,
    ascending; wanted: (weights, room)."""
    if not may.any():
        return np.empty(0, dtype=np.int64)
    found = []
    for weights, room in wanted:
        best = np.maximum.reduceat(cosines @ weights, rows.first)
        best[~may] = -np.inf
        room = min(max(room, 1), int(may.sum()))
        found.append(np.argpartition(best, -room)[-room:])
    return np.unique(np.concatenate(found)).astype(np.int64)


def _best_rows(scores: Float32, of_row: Indices) -> Indices:
    """The row of the highest score of each content, the first of equals; of_row: the content of each row, rising."""
    if not len(scores):
        return np.empty(0, dtype=np.int64)
    first = np.flatnonzero(np.diff(of_row, prepend=-1))
    highest = np.maximum.reduceat(scores, first)
    nth = np.cumsum(np.diff(of_row, prepend=-1) != 0) - 1
    winners = np.flatnonzero(scores == highest[nth])
    _, unique = np.unique(of_row[winners], return_index=True)
    return np.asarray(winners[unique], dtype=np.int64)


def provisional(found: Candidates, weights: Sequence[float]) -> list[tuple[int, int, float]]:
    """(item, row, score) under raw `weights` (K,), best first: what a page computes while a slider moves."""
    scores = found.cosines.astype(np.float64) @ np.asarray(weights, dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    seen: dict[int, tuple[int, float]] = {}
    for row in order.tolist():
        seen.setdefault(int(found.of_item[row]), (row, float(scores[row])))
    return [(item, row, score) for item, (row, score) in seen.items()]
