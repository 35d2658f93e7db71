"""What the search of a quantised index misses, measured on the library's own vectors.

Recall@100: of the 100 best contents by an exact pass over all vectors, the share that the search returns; for equal weights,
the profile that fits the library's models, and every part alone, because what is good for one may miss much of another. The
worst of them is the figure to trust.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from soundalike.library.storage import schema as layout
from soundalike.search.index.derived_json import read_derived, write_derived
from soundalike.search.index.table_rows import Float32, Float64, Indices, StreamedSource
from soundalike.search.index.vector_index import Term, VectorIndex
from soundalike.similarity.profiles import fitting_profile
from soundalike.similarity.weights import Weights, equal_weights

COUNT = 100
QUERIES = 20
EQUAL = 1e-5
"""Scores that differ by less count as equal: the exact pass is in float32."""
GROWN = 0.1
"""A measurement holds until the number of rows has changed by this share."""

_CHUNK = 8_192
_SEED = 20_260


@dataclass(frozen=True)
class Recall:
    """Recall@`count` (0..1) over `queries` windows of the library, for several weights, when the table had `rows` rows."""

    rows: int
    count: int
    queries: int
    by_weights: Mapping[str, float]

    @property
    def worst(self) -> tuple[str, float]:
        """The weights with the lowest recall, and that recall."""
        return min(self.by_weights.items(), key=lambda pair: pair[1])


def stored_recall(source: StreamedSource, index: VectorIndex) -> Recall | None:
    """The measurement stored beside the table, if there is one that still holds."""
    try:
        stored = Recall(**read_derived(_path(source, index)))
    except TypeError:
        return None
    return stored if abs(stored.rows - len(index.rows)) <= GROWN * stored.rows else None


def measure_if_missing(source: StreamedSource, index: VectorIndex) -> Recall:
    """`stored_recall`, else a new measurement, stored if that is allowed. For an index that is not exact."""
    recall = stored_recall(source, index)
    if recall is None:
        recall = measure_recall(source, index)
        write_derived(_path(source, index), asdict(recall))
    return recall


def measure_recall(source: StreamedSource, index: VectorIndex, *, count: int = COUNT, queries: int = QUERIES) -> Recall:
    """Search with random windows of the table itself, their own contents left out, and compare with an exact pass."""
    rows, columns = index.rows, index.columns
    weightings = _weightings(source, columns)
    if len(rows.contents) < 2:
        return Recall(len(rows), count, 0, dict.fromkeys(weightings, 1.0))
    chosen = np.sort(np.random.default_rng(_SEED).choice(len(rows), min(queries, len(rows)), replace=False))
    queried = index.take(columns, chosen)
    own = rows.of_row[chosen]
    exact = _exact_scores(source, index, queried, weightings, own, count)
    by_weights = {
        name: _share_found(index, queried.astype(np.float64), own, weights, best, count)
        for (name, weights), best in zip(weightings.items(), exact, strict=True)
    }
    return Recall(len(rows), count, len(chosen), by_weights)


def _share_found(
    index: VectorIndex,
    queries: Float64,
    own: Indices,
    weights: Weights,
    exact: Sequence[Float32],
    count: int,
) -> float:
    """The mean share (0..1) of the exact best that searches with `queries` (Q, K, D) return."""
    columns = index.columns
    shares = []
    for query, content, best in zip(queries, own, exact, strict=True):
        if not any(query[columns.index(part)].any() for part in weights):
            continue  # it has none of the weighted parts: all contents score the same
        tie_order = np.arange(len(index.rows.contents), dtype=np.int64)
        tie_order[content] = -1
        terms = [Term(part, part, query[columns.index(part)], weight) for part, weight in weights.items()]
        # A hit that scores as much as the last of the exact best counts: which of equals is returned does not matter.
        hits = [match.score >= best[-1] - EQUAL for match in index.search(terms, count, tie_order).best]
        shares.append(sum(hits) / len(best))
    return float(np.mean(shares)) if shares else 1.0


def _weightings(source: StreamedSource, parts: Sequence[str]) -> dict[str, Weights]:
    recipe = source.recipe
    weightings: dict[str, Weights] = {f"only {part}": {part: 1.0} for part in parts}
    if len(parts) > 1:
        weightings["equal weights"] = equal_weights(parts)
    profile = fitting_profile(recipe.encoder, recipe.separator)
    if profile is not None and set(profile.weights) <= set(parts):
        weightings[f"profile {profile.name}"] = dict(profile.weights)
    return weightings


def _exact_scores(
    source: StreamedSource,
    index: VectorIndex,
    queries: Float32,
    weightings: Mapping[str, Weights],
    own: Indices,
    count: int,
) -> list[list[Float32]]:
    """For each weighting and query, the scores of the `count` best contents (all, where there are fewer) but the query's own,
    best first, in one pass over all vectors."""
    parts = index.columns
    weight_table = np.array(
        [[weights.get(part, 0.0) for part in parts] for weights in weightings.values()], dtype=np.float32
    )
    kept: list[list[list[tuple[Indices, Float32]]]] = [[[] for _ in queries] for _ in weightings]
    for of_row, chunk in _chunks(source, index):
        cosines = np.stack([chunk[part] @ queries[:, number].T for number, part in enumerate(parts)])
        first = np.flatnonzero(np.diff(of_row, prepend=-1))
        contents = of_row[first]
        for number, weights in enumerate(weight_table):
            best = np.maximum.reduceat(np.tensordot(weights, cosines, 1), first, axis=0)
            for query in range(len(queries)):
                scores = np.where(contents == own[query], -np.inf, best[:, query]).astype(np.float32)
                top = np.argpartition(scores, -min(count, len(scores)))[-count:]
                kept[number][query].append((contents[top], scores[top]))
    return [[_merge(pieces, count) for pieces in of_query] for of_query in kept]


def _merge(pieces: Sequence[tuple[Indices, Float32]], count: int) -> Float32:
    """The `count` highest scores of different contents, from the best of each chunk; a content may span two chunks."""
    contents = np.concatenate([piece[0] for piece in pieces])
    scores = np.concatenate([piece[1] for piece in pieces])
    contents, scores = contents[np.isfinite(scores)], scores[np.isfinite(scores)]
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(contents[order], return_index=True)
    return np.asarray(scores[order[np.sort(first)[:count]]])


def _chunks(source: StreamedSource, index: VectorIndex) -> Iterator[tuple[Indices, dict[str, Float32]]]:
    """All vectors in stored order: the content of each row, ascending within a chunk, and its vectors by part."""
    rows = index.rows
    content_at = np.empty(len(rows), dtype=np.int64)
    content_at[rows.order] = rows.of_row
    begin = 0
    for batch in source.stream(index.table, index.columns):
        for at in range(0, batch.num_rows, _CHUNK):
            piece = batch.slice(at, _CHUNK)
            of_row = content_at[begin : begin + piece.num_rows]
            order = np.argsort(of_row, kind="stable")
            vectors = {part: layout.vectors_of(piece.column(part)).astype(np.float32) for part in index.columns}
            yield of_row[order], {part: column[order] for part, column in vectors.items()}
            begin += piece.num_rows


def _path(source: StreamedSource, index: VectorIndex) -> Path:
    return source.derived_path(f"recall-{index.table}.json")
