"""soundalike's own indexes, searched for rows (each row is a content of its own, as for the other engines).

python -m benchmarks.vector_search.trial_soundalike --rows 100000        (in the environment of soundalike)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from benchmarks.vector_search.rerank import COUNT
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS
from benchmarks.vector_search.trial import main
from soundalike.analysis.recipe import Recipe
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.quantised import QuantisedIndex
from soundalike.search.index.table_rows import WINDOWS, read_rows
from soundalike.search.index.vector_index import Term


class Stored:
    """A `StreamedSource`: what an index reads of a library, from an array (N, 7, 512) of rows."""

    recipe = Recipe("synthetic", "1", "synthetic", "1", PARTS, DIMENSION)

    def __init__(self, rows: Any, place: Path) -> None:
        self.rows, self.place = rows, place

    def windows(self, columns: list[str]) -> pa.Table:
        start = np.zeros(len(self.rows))
        contents = [f"{row:08d}" for row in range(len(self.rows))]
        return pa.table({"content": contents, "start": start, "end": start + 10}).select(columns)

    def take(self, table: str, positions: Any, parts: list[str]) -> dict[str, Any]:
        taken = self.rows[positions]
        return {part: taken[:, PARTS.index(part)] for part in parts}

    def stream(self, table: str, parts: list[str]) -> Any:
        def batches() -> Any:
            for begin in range(0, len(self.rows), 8_192):
                piece = np.asarray(self.rows[begin : begin + 8_192])
                columns = [
                    pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(piece[:, k]).ravel()), DIMENSION)
                    for k in range(len(PARTS))
                ]
                yield pa.record_batch(columns, names=list(PARTS)).select(list(parts))

        return batches()

    def vectors(self, table: str, part: str) -> Any:
        return np.ascontiguousarray(self.rows[:, PARTS.index(part)])

    def derived_path(self, name: str) -> Path:
        return self.place / name


class Quantised:
    """The quantised index."""

    variants: ClassVar = {"as it ships": {}}

    def build(self, rows, place: Path) -> None:
        self.open(rows, place)

    def open(self, rows, place: Path) -> None:
        self.stored = Stored(rows, place)
        self._use(self._index())

    def _index(self) -> Any:
        return QuantisedIndex(self.stored, WINDOWS)

    def _load(self) -> None:
        _ = self.index.segments

    def _use(self, index: Any) -> None:
        self.index = index
        self.tie_order = np.arange(len(index.rows.contents), dtype=np.int64)
        self._load()

    def search(self, query, weights):
        terms = [
            Term(part, part, query[k].astype(np.float64), float(weights[k]))
            for k, part in enumerate(PARTS)
            if weights[k]
        ]
        matches = self.index.search(terms, COUNT, self.tie_order).best
        return np.array([match.row for match in matches], dtype=np.int64)

    def append(self, rows) -> None:
        added = [*getattr(self.stored.rows, "pieces", [self.stored.rows]), np.asarray(rows)]
        self.stored = Stored(_Joined(added), self.stored.place)
        self._use(self.index.following(self.stored, read_rows(self.stored, WINDOWS)))


class Flat(Quantised):
    """The flat index: exact."""

    def _index(self) -> Any:
        return FlatIndex(self.stored, WINDOWS)

    def _load(self) -> None:
        for part in PARTS:
            self.index.column(part)

    def build(self, rows, place: Path) -> None:
        pass


class _Joined:
    """Concatenated arrays of rows that are not copied."""

    def __init__(self, pieces: list[Any]) -> None:
        self.pieces = pieces
        self.ends = np.cumsum([len(piece) for piece in pieces])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, asked: Any) -> Any:
        numbers = np.arange(len(self))[asked] if isinstance(asked, slice) else np.asarray(asked)
        which = np.searchsorted(self.ends, numbers, side="right")
        begins = self.ends - [len(piece) for piece in self.pieces]
        return np.stack([self.pieces[w][number - begins[w]] for w, number in zip(which, numbers, strict=True)])


ENGINES = {"soundalike quantised": Quantised, "soundalike flat": Flat}

if __name__ == "__main__":
    main(__doc__, ENGINES)
