"""What searching by sketches misses, measured on the library's own vectors.

Recall@100: of the 100 best contents by an exact pass over all vectors, the share that the search returns; for equal
weights, the profile that fits the library's models, and every part alone, because what is good for one may miss much of
another. The worst of them is the figure to trust.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.library.storage import schema as layout
from soundalike.search.index.matching import best_matches
from soundalike.search.index.vectors import Float32, Indices, Rows, Table, Term, Vectors
from soundalike.similarity.weights import Weights, equal_weights, fitting_profile

COUNT = 100
QUERIES = 20
EQUAL = 1e-5
"""Scores that differ by less are equal: the exact pass is in float32."""
GROWN = 0.1
"""A measurement holds until the table has changed by this share."""

_CHUNK = 8_192
_SEED = 20_260


@dataclass(frozen=True)
class Recall:
    """Recall@`count` over `queries` windows of the library, by weights (0..1), when the table had `rows` rows."""

    rows: int
    count: int
    queries: int
    by_weights: Mapping[str, float]

    @property
    def worst(self) -> tuple[str, float]:
        """The weights that miss most, and their recall."""
        return min(self.by_weights.items(), key=lambda pair: pair[1])


def stored_recall(vectors: Vectors, table: Table) -> Recall | None:
    """The measurement that is kept beside the table, if there is one that still holds."""
    try:
        kept = Recall(**json.loads(_place(vectors, table).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return kept if abs(kept.rows - len(vectors.rows(table))) <= GROWN * kept.rows else None


def recall(vectors: Vectors, table: Table) -> Recall:
    """`stored_recall`, else measured now and kept where that is allowed. For a table that is past the memory budget."""
    found = stored_recall(vectors, table)
    if found is None:
        found = measure_recall(vectors, table)
        place = _place(vectors, table)
        temporary = place.with_suffix(f".{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
            os.replace(temporary, place)
        except OSError:
            temporary.unlink(missing_ok=True)  # a library that may only be read is measured all the same
    return found


def measure_recall(vectors: Vectors, table: Table, *, count: int = COUNT, queries: int = QUERIES) -> Recall:
    """Ask with random windows of the table itself, their own contents left out, and compare with an exact pass."""
    rows = vectors.rows(table)
    parts = vectors.parts(table)
    weightings = _weightings(vectors, table)
    if len(rows.contents) < 2:
        return Recall(len(rows), count, 0, dict.fromkeys(weightings, 1.0))
    asked = np.sort(np.random.default_rng(_SEED).choice(len(rows), min(queries, len(rows)), replace=False))
    queried = vectors.take(table, parts, asked)
    exact = _exact(vectors, table, queried, weightings, rows.of_row[asked], count)
    found = {}
    for (name, weights), best in zip(weightings.items(), exact, strict=True):
        shares = []
        for query, own, truth in zip(queried.astype(np.float64), rows.of_row[asked], best, strict=True):
            if not any(query[parts.index(part)].any() for part in weights):
                continue  # it has none of the parts that count: all are equal to it
            ranks = np.arange(len(rows.contents), dtype=np.int64)
            ranks[own] = -1
            terms = [Term(part, part, query[parts.index(part)], weight) for part, weight in weights.items()]
            # Whatever scores as much as the last of the best is one of them: which of equals is returned does not matter.
            hits = [match.score >= truth[-1] - EQUAL for match in best_matches(vectors, table, terms, count, ranks)]
            shares.append(sum(hits) / len(truth))
        found[name] = float(np.mean(shares)) if shares else 1.0
    return Recall(len(rows), count, len(asked), found)


def _weightings(vectors: Vectors, table: Table) -> dict[str, Weights]:
    parts = vectors.parts(table)
    recipe = vectors.library.recipe
    found = {f"only {part}": {part: 1.0} for part in parts}
    if len(parts) > 1:
        found["equal weights"] = equal_weights(parts)
    profile = fitting_profile(recipe.encoder, recipe.separator)
    if profile is not None and set(profile.weights) <= set(parts):
        found[f"profile {profile.name}"] = dict(profile.weights)
    return found


def _exact(
    vectors: Vectors, table: Table, queries: Float32, weightings: Mapping[str, Weights], own: Indices, count: int
) -> list[list[Float32]]:
    """By weights and query, the scores of the `count` best contents (all, where there are fewer) but the query's own, best
    first, in one pass."""
    parts = vectors.parts(table)
    rows = vectors.rows(table)
    table_of_weights = np.array(
        [[weights.get(part, 0.0) for part in parts] for weights in weightings.values()], dtype=np.float32
    )
    kept: list[list[list[tuple[Indices, Float32]]]] = [[[] for _ in queries] for _ in weightings]
    for of_row, chunk in _chunks(vectors, table, parts, rows):
        cosines = np.stack([chunk[part] @ queries[:, number].T for number, part in enumerate(parts)])
        first = np.flatnonzero(np.diff(of_row, prepend=-1))
        contents = of_row[first]
        for number, weights in enumerate(table_of_weights):
            best = np.maximum.reduceat(np.tensordot(weights, cosines, 1), first, axis=0)
            for query in range(len(queries)):
                scores = np.where(contents == own[query], -np.inf, best[:, query]).astype(np.float32)
                top = np.argpartition(scores, -min(count, len(scores)))[-count:]
                kept[number][query].append((contents[top], scores[top]))
    return [[_merged(pieces, count) for pieces in of_query] for of_query in kept]


def _merged(pieces: Sequence[tuple[Indices, Float32]], count: int) -> Float32:
    """The `count` highest scores of different contents, from the best of each chunk; a content may lie across two."""
    contents = np.concatenate([piece[0] for piece in pieces])
    scores = np.concatenate([piece[1] for piece in pieces])
    contents, scores = contents[np.isfinite(scores)], scores[np.isfinite(scores)]
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(contents[order], return_index=True)
    return np.asarray(scores[order[np.sort(first)[:count]]])


def _chunks(
    vectors: Vectors, table: Table, parts: Sequence[str], rows: Rows
) -> Iterator[tuple[Indices, dict[str, Float32]]]:
    """All vectors in stored order: the content of each row, rising, and its vectors by part."""
    content_at = np.empty(len(rows), dtype=np.int64)
    content_at[rows.order] = rows.of_row
    begin = 0
    for batch in vectors.library.stream(table, parts):
        for at in range(0, batch.num_rows, _CHUNK):
            piece = batch.slice(at, _CHUNK)
            of_row = content_at[begin : begin + piece.num_rows]
            order = np.argsort(of_row, kind="stable")
            yield of_row[order], {part: _as_vectors(piece.column(part))[order] for part in parts}
            begin += piece.num_rows


def _as_vectors(column: pa.Array) -> NDArray[np.float32]:
    return layout.vectors_of(column).astype(np.float32)


def _place(vectors: Vectors, table: Table) -> Path:
    return vectors.library.derived_path(f"recall-{table}.json")
