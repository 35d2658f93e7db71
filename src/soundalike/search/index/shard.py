"""One shard of a library: the rows of some of its contents, all of them in the memory of one process.

A content belongs to the shard that its name is hashed to, with all its rows. A shard is asked by a process that opened the
library at some moment (the client), and knows rows by their position among the rows of that client.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe
from soundalike.library.storage.location import Location, Remote
from soundalike.library.storage.store import Library
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.table_rows import (
    CLIPS,
    TABLES,
    WINDOWS,
    Float32,
    Indices,
    Mask,
    Table,
    VectorSource,
    encode_contents,
    read_columns,
)
from soundalike.search.index.vector_index import Match, Term


def shard_of(contents: pa.StringArray, count: int) -> Indices:
    """(C,) the shard, 0 <= shard < count, that each content belongs to: a function of its name alone."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in contents.to_pylist())
    return np.array([int.from_bytes(digest) % count for digest in digests], dtype=np.int64)


class ShardSource:
    """The rows of a library that belong to a shard, in stored order. See `table_rows.VectorSource`."""

    def __init__(self, library: VectorSource, number: int, count: int) -> None:
        self._library, self._number, self._count = library, number, count
        self._positions: dict[Table, Indices] = {}

    @property
    def recipe(self) -> Recipe:
        """How the vectors were made."""
        return self._library.recipe

    def windows(self, columns: Sequence[str]) -> pa.Table:
        """Some columns of the shard's windows."""
        return self._library.windows(columns).take(pa.array(self._positions_in(WINDOWS)))

    def clips(self, columns: Sequence[str]) -> pa.Table:
        """Some columns of the shard's clips."""
        return self._library.clips(columns).take(pa.array(self._positions_in(CLIPS)))

    def vectors(self, table: Table, part: str) -> NDArray[np.float16]:
        """All vectors (n, D) of a part."""
        return self._library.take(table, self._positions_in(table), [part])[part]

    def take(self, table: Table, positions: Indices, parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Vectors of some of the shard's rows."""
        return self._library.take(table, self._positions_in(table)[positions], parts)

    def _positions_in(self, table: Table) -> Indices:
        """The positions of the shard's rows in the stored table."""
        if table not in self._positions:
            encoded = encode_contents(read_columns(self._library, table, ["content"])["content"])
            own = shard_of(encoded.dictionary, self._count) == self._number
            codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
            self._positions[table] = np.flatnonzero(own[codes]) if len(codes) else np.empty(0, dtype=np.int64)
        return self._positions[table]


@dataclass(frozen=True)
class _View:
    """A table as the client sees it. contents: for each content of the client its index here; rows: for each row of the
    client its row here; positions: the inverse of `rows`, -1 for rows that came after the client opened the library."""

    contents: Indices
    rows: Indices
    positions: Indices


class Shard:
    """A shard, on any node. Rows that were added after the client opened the library are not in its results."""

    def __init__(self, place: Location | VectorSource, number: int, count: int) -> None:
        library = Library.open(place) if isinstance(place, Path | Remote) else place
        source = ShardSource(library, number, count)
        self._indexes = {table: FlatIndex(source, table) for table in TABLES}
        self._views: dict[Table, _View] = {}

    def load(self, contents: Mapping[Table, pa.StringArray], columns: Sequence[tuple[Table, str]] = ()) -> list[str]:
        """Get ready for the client's `contents` of this shard, by table in the client's order; columns: what to read now.

        Returns one content of each table that the library no longer has, if there are any.
        """
        gone = []
        for table, names in contents.items():
            rows = self._indexes[table].rows
            index = rows.index_of(names)
            gone += [str(names[int(place)].as_py()) for place in np.flatnonzero(index < 0)[:1]]
            own = rows.of_contents(index[index >= 0])
            positions = np.full(len(rows), -1, dtype=np.int64)
            positions[own] = np.arange(len(own))
            self._views[table] = _View(index, own, positions)
        for table, column in columns:
            self._indexes[table].column(column)
        return gone

    def load_columns(self, table: Table, columns: Sequence[str]) -> None:
        """Read some columns into memory."""
        for column in columns:
            self._indexes[table].column(column)

    def search(
        self, table: Table, terms: Sequence[Term], k: int, tie_order: Indices, present_only: bool
    ) -> list[tuple[int, Match]]:
        """`VectorIndex.search` among the client's contents; tie_order: of these. Each match with its position among the rows of
        the client, in place of its row."""
        index, view = self._indexes[table], self._views[table]
        if not len(index.rows):
            return []
        own_order = np.full(len(index.rows.contents), -1, dtype=np.int64)
        known = view.contents >= 0
        own_order[view.contents[known]] = tie_order[known]
        best = index.search(terms, k, own_order, present_only=present_only).best
        return [(int(view.positions[match.row]), match) for match in best]

    def scan(self, table: Table, terms: Sequence[Term]) -> Float32:
        """Scores of the client's rows, exact but for rounding."""
        return np.asarray(self._indexes[table].scan(terms).scores[self._views[table].rows])

    def take(self, table: Table, columns: Sequence[str], positions: Indices) -> Float32:
        """The vectors (M, K, D) of some of the client's rows."""
        return self._indexes[table].take(columns, self._views[table].rows[positions])

    def present(self, table: Table, column: str) -> Mask:
        """Which of the client's rows have a vector in `column`."""
        return np.asarray(self._indexes[table].present(column)[self._views[table].rows])
