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
from soundalike.finder import Finder, Question
from soundalike.library.search import Rows

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
    wholes = table == "wholes" or query.whole
    parts = (
        tuple(question.weighting.effective)
        if wholes
        else tuple(p for p in finder.library.recipe.parts if p in query.parts)
    )
    cosines = (
        np.stack(
            [
                finder.vectors.column(table, part if table == "windows" else "mix")
                @ query.direction(part).astype(np.float32)
                for part in parts
            ],
            axis=1,
        )
        if len(rows.starts)
        else np.zeros((0, len(parts)), np.float32)
    )
    now = np.array([question.weighting.effective.get(part, 0.0) for part in parts], dtype=np.float32)
    alone = np.eye(len(parts), dtype=np.float32)
    against = (1 - alone) / max(1, len(parts) - 1) - alone if len(parts) > 1 else -alone
    there = np.array([content in question.allowed for content in rows.contents], dtype=bool)
    wanted = [(now, most // 2), *((one, most // (4 * len(parts))) for one in np.concatenate([alone, against]))]
    best = [_best_rows(cosines @ weights, rows) for weights, _ in wanted]
    chosen: set[int] = set()
    for (weights, room), winners in zip(wanted, best, strict=True):
        scores = np.where(there, cosines[winners] @ weights, -np.inf)
        order = np.argsort(-scores, kind="stable")[:room]
        chosen.update(order[there[order]].tolist())
    contents = sorted(chosen)
    of_item = [
        (position, int(row))
        for position, content in enumerate(contents)
        for row in sorted({int(b[content]) for b in best})
    ]
    index = np.array([row for _, row in of_item], dtype=np.intp)
    return Candidates(
        parts,
        tuple(question.allowed[rows.contents[content]][0] for content in contents),
        np.array([position for position, _ in of_item], dtype=np.intp),
        rows.starts[index],
        rows.ends[index],
        cosines[index],
    )


def _best_rows(scores: Float32, rows: Rows) -> NDArray[np.intp]:
    """(C,) the row of the highest score of each content, the first of equals."""
    if not len(scores):
        return np.empty(0, dtype=np.intp)
    highest = np.maximum.reduceat(scores, rows.first)
    winners = np.flatnonzero(scores == highest[rows.of_row])
    _, first = np.unique(rows.of_row[winners], return_index=True)
    return np.asarray(winners[first], dtype=np.intp)


def provisional(found: Candidates, weights: Sequence[float]) -> list[tuple[int, int, float]]:
    """(item, row, score) under raw `weights` (K,), best first: what a page computes while a slider moves."""
    scores = found.cosines.astype(np.float64) @ np.asarray(weights, dtype=np.float64)
    order = np.argsort(-scores, kind="stable")
    seen: dict[int, tuple[int, float]] = {}
    for row in order.tolist():
        seen.setdefault(int(found.of_item[row]), (row, float(scores[row])))
    return [(item, row, score) for item, (row, score) in seen.items()]
