"""Candidates: what a page needs to reorder hits while a slider moves, without another request.

For a plan, the items that are best under the current weights, under each part alone, and under the others against one, with the
cosines of every part in the few windows of each that may be its best. Scores computed from these are exact for the windows
sent; an order made from them is provisional, because a window or an item that was not sent may be better under other weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.search.finder import Finder
from soundalike.search.index.exact_scoring import exact_cosines
from soundalike.search.index.table_rows import WINDOWS, Float32, Indices, Mask, Rows
from soundalike.search.index.vector_index import Term
from soundalike.search.plan import SearchPlan


@dataclass(frozen=True)
class Candidates:
    """parts (K,); items (M,): those that may be hits; of_item (R,): the item that each row is a window of; starts, ends (R,)
    s; cosines (R, K), 0 where a part is absent in the query or the row; share: of the table's rows that were searched (0..1)."""

    parts: tuple[str, ...]
    items: tuple[Mapping[str, Any], ...]
    of_item: NDArray[np.intp]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    cosines: Float32
    share: float = 1.0


def candidates(finder: Finder, plan: SearchPlan, most: int = 2_000) -> Candidates:
    """Up to `most` items of a plan that are best under its weights, under one part alone, or under the others against one.

    Half the room is for the current weights, the rest is shared by the extremes. Raises InputError where songs and clips are
    searched together, or the plan has texts or a negative reference: those have no sliders.
    """
    if plan.negative is not None or plan.query.texts or len(plan.tables) != 1:
        raise InputError(
            "candidates are of one reference among songs, or among loops and one-shots; ask for hits instead"
        )
    (table,) = plan.tables
    index, query = finder.indexes[table], plan.query
    parts = (
        tuple(plan.weighting.effective)
        if table != WINDOWS or query.is_clip
        else tuple(part for part in finder.library.recipe.parts if part in query.parts)
    )
    terms = [Term(part, part if table == WINDOWS else MIX, query.among(table, part), 1.0) for part in parts]
    scans = [index.scan([term]) for term in terms]
    cosines = np.stack([scan.scores for scan in scans], axis=1)
    reachable: Mask = np.asarray(np.isfinite(cosines).all(axis=1))
    cosines[~reachable] = 0
    settings = _weight_settings(np.array([plan.weighting.effective.get(part, 0.0) for part in parts]), most)
    tie_order = finder.opened.tie_order(table, plan.admitted)
    chosen = _best_contents(cosines, settings, index.rows, (tie_order >= 0) & reachable[index.rows.first])
    rows = _best_rows(cosines, settings, index.rows, chosen)
    exact = exact_cosines(index, terms, rows) if any(scan.error for scan in scans) else cosines[rows]
    return Candidates(
        parts,
        tuple(finder.catalogue.items(tie_order[chosen])),
        np.searchsorted(chosen, index.rows.of_row[rows]),
        index.rows.starts[rows],
        index.rows.ends[rows],
        np.asarray(exact, dtype=np.float32),
        min((scan.share for scan in scans), default=1.0),
    )


def _weight_settings(now: NDArray[np.float64], most: int) -> list[tuple[Float32, int]]:
    """(weights (K,), room for items) of the current weights, each part alone, and each part against the others."""
    count = len(now)
    alone = np.eye(count, dtype=np.float32)
    against = (1 - alone) / max(1, count - 1) - alone if count > 1 else -alone
    extremes = [(weights, most // (4 * count)) for weights in np.concatenate([alone, against])]
    return [(now.astype(np.float32), most // 2), *extremes]


def _scores(cosines: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """(R,) the scores under weights (K,) of rows with cosines (R, K); -inf for rows that have none of the weighted parts."""
    scores: NDArray[np.floating[Any]] = cosines @ weights
    zero = np.flatnonzero(scores == 0)
    scores[zero[~cosines[zero][:, weights != 0].any(axis=1)]] = -np.inf
    return scores


def _best_contents(cosines: Float32, settings: Sequence[tuple[Float32, int]], rows: Rows, eligible: Mask) -> Indices:
    """The eligible contents that are, by their best windows, among the best under one of the weights, ascending."""
    if not eligible.any():
        return np.empty(0, dtype=np.int64)
    chosen = []
    for weights, room in settings:
        best = np.maximum.reduceat(_scores(cosines, weights), rows.first)
        best[~eligible] = -np.inf
        room = min(max(room, 1), int(np.isfinite(best).sum()))
        if room:
            chosen.append(np.argpartition(best, -room)[-room:])
    return np.unique(np.concatenate([np.empty(0, dtype=np.intp), *chosen])).astype(np.int64)


def _best_rows(cosines: Float32, settings: Sequence[tuple[Float32, int]], rows: Rows, contents: Indices) -> Indices:
    """The rows of some contents that are the best of their content under one of the weights, ascending."""
    inside = rows.of_contents(contents)
    best = [_best_of_each(_scores(cosines[inside], weights), rows.of_row[inside]) for weights, _ in settings]
    return inside[np.unique(best).astype(np.int64)]


def _best_of_each(scores: Float32, of_row: Indices) -> Indices:
    """The position of the highest score of each content, the first of equals; of_row: the content of each row, ascending."""
    if not len(scores):
        return np.empty(0, dtype=np.int64)
    first = np.flatnonzero(np.diff(of_row, prepend=-1))
    highest = np.maximum.reduceat(scores, first)
    nth = np.cumsum(np.diff(of_row, prepend=-1) != 0) - 1
    winners = np.flatnonzero(scores == highest[nth])
    _, unique = np.unique(of_row[winners], return_index=True)
    return np.asarray(winners[unique], dtype=np.int64)


def provisional(sent: Candidates, weights: Sequence[float]) -> list[tuple[int, int, float]]:
    """(item, row, score) under raw `weights` (K,), best first: what a page computes while a slider moves. Without rows that have
    none of the weighted parts."""
    scores = _scores(sent.cosines.astype(np.float64), np.asarray(weights, dtype=np.float64))
    best: dict[int, tuple[int, float]] = {}
    for row in np.argsort(-scores, kind="stable")[: np.isfinite(scores).sum()].tolist():
        best.setdefault(int(sent.of_item[row]), (row, float(scores[row])))
    return [(item, row, score) for item, (row, score) in best.items()]
