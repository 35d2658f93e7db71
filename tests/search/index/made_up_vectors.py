"""Made-up vectors, the indexes of them, and a plain oracle of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe
from soundalike.library.storage.schema import vector_array
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.quantised import QuantisedIndex
from soundalike.search.index.table_rows import WINDOWS, Indices
from soundalike.search.index.vector_index import Match, Term, VectorIndex
from soundalike.similarity.cosine import unit

PARTS = ("bass", "drums", "mix")
DIMENSION = 8


@dataclass
class StoredVectors:
    """What an index reads of a library, from arrays, with no clips; `read`: the columns that were read."""

    contents: list[str]
    starts: list[float]
    columns: dict[str, NDArray[np.float16]]
    read: list[str] = field(default_factory=list)
    folder: Path | None = None

    @property
    def recipe(self) -> Recipe:
        dimension = next(iter(self.columns.values())).shape[1]
        return Recipe("made-up", "1", "made-up", "1", tuple(self.columns), dimension)

    def derived_path(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / name

    def take(self, table: str, positions: Indices, parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        return {part: self.columns[part][positions] for part in parts}

    def stream(self, table: str, columns: Sequence[str]) -> Any:
        pieces = pa.table({part: vector_array(self.columns[part]) for part in columns})
        return pa.RecordBatchReader.from_batches(pieces.schema, pieces.to_batches(max_chunksize=1_000))

    def windows(self, columns: Sequence[str]) -> pa.Table:
        ends = [start + 10 for start in self.starts]
        rows = {
            "content": pa.array(self.contents, pa.string()),
            "start": pa.array(self.starts, pa.float64()),
            "end": ends,
        }
        return pa.table(rows).select(columns)

    def clips(self, columns: Sequence[str]) -> pa.Table:
        return self.windows(columns).slice(0, 0)

    def vectors(self, table: str, part: str) -> NDArray[np.float16]:
        self.read.append(part)
        return self.columns[part]


def stored(rng: np.random.Generator, rows: int, contents: int, absent: float = 0.2) -> StoredVectors:
    columns = {}
    for part in PARTS:
        values = unit(rng.normal(size=(rows, DIMENSION)))
        values[rng.random(rows) < absent] = 0
        columns[part] = values.astype(np.float16)
    names = [f"c{rng.integers(contents):03}" for _ in range(rows)]
    return StoredVectors(names, [float(10 * row) for row in range(rows)], columns)


def flat(library: StoredVectors, **settings: Any) -> FlatIndex:
    """The exact index of the made-up windows."""
    return FlatIndex(library, WINDOWS, **settings)


def quantised(library: StoredVectors) -> QuantisedIndex:
    """The quantised index of the made-up windows."""
    return QuantisedIndex(library, WINDOWS)


def tie_order_of(index: VectorIndex, ids: Mapping[str, str]) -> Indices:
    """The tie order by ids; contents without one are left out."""
    order = sorted(ids.values())
    contents = index.rows.contents.to_pylist()
    return np.array([order.index(ids[content]) if content in ids else -1 for content in contents], dtype=np.int64)


def best_matches(index: VectorIndex, terms: list[Term], k: int, ids: Mapping[str, str], **options: Any) -> list[Match]:
    """The matches of a search whose ties are broken by ids; contents without one are left out."""
    return index.search(terms, k, tie_order_of(index, ids), **options).best


def terms_of(query: NDArray[Any], weights: dict[str, float]) -> list[Term]:
    """Terms of a query (N, K, D)."""
    mean = query.astype(np.float64).mean(axis=0)
    return [Term(part, part, mean[PARTS.index(part)], weight) for part, weight in weights.items()]


def oracle(
    library: StoredVectors, query: NDArray[Any], weights: dict[str, float], ids: dict[str, str]
) -> list[tuple[str, float, float]]:
    """(content, start, score), best first: of each content its best window by the mean over the query's windows of
    sum_k w_k cos_k."""
    best: dict[str, tuple[float, float]] = {}
    for row, content in enumerate(library.contents):
        if content not in ids:
            continue
        score = 0.0
        for part, weight in weights.items():
            stored_row = library.columns[part][row].astype(np.float64)
            score += weight * float(
                np.mean([window[PARTS.index(part)].astype(np.float64) @ stored_row for window in query])
            )
        start = library.starts[row]
        if content not in best or (-score, start) < (-best[content][0], best[content][1]):
            best[content] = (score, start)
    ranked = sorted(best.items(), key=lambda pair: (-pair[1][0], ids[pair[0]], pair[1][1]))
    return [(content, start, score) for content, (score, start) in ranked]
