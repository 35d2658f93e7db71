"""The rows of a table of vectors: which content each belongs to, and which seconds of it.

A library has two such tables: `windows` (songs, one vector per window and part) and `clips` (loops and one-shots, one `mix`
vector each).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe
from soundalike.parts import MIX

Table = Literal["windows", "clips"]
WINDOWS: Table = "windows"
CLIPS: Table = "clips"
TABLES: tuple[Table, ...] = (WINDOWS, CLIPS)

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


class VectorSource(Protocol):
    """What an index reads of a library (`library.storage.store.Library`, or the part of one that a shard holds)."""

    @property
    def recipe(self) -> Recipe:
        """How the vectors were made."""
        ...

    def windows(self, columns: Sequence[str]) -> pa.Table:
        """Some columns of the windows of songs, in stored order."""
        ...

    def clips(self, columns: Sequence[str]) -> pa.Table:
        """Some columns of clips, in stored order."""
        ...

    def vectors(self, table: Table, part: str) -> NDArray[np.float16]:
        """All vectors (N, D) of a part, in stored order."""
        ...

    def take(self, table: Table, positions: Indices, parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Vectors (M, D) by part of the rows at some positions of the stored order."""
        ...


class StreamedSource(VectorSource, Protocol):
    """A source that can be read batch by batch and has a place for files derived from it."""

    def stream(self, table: Table, columns: Sequence[str]) -> pa.RecordBatchReader:
        """Some columns, batch by batch, in stored order."""
        ...

    def derived_path(self, name: str) -> Path:
        """The path of a derived file or folder, which may be deleted at any time."""
        ...


@dataclass(frozen=True)
class Rows:
    """Rows of a table, grouped by content and ordered by start within each; contents in the order of their first rows.

    order (N,): positions in the stored table; contents (C,): the different contents; first (C,): row where each begins;
    of_row (N,): index into contents; starts, ends (N,): seconds.
    """

    order: Indices
    contents: pa.StringArray
    first: Indices
    of_row: Indices
    starts: Float64
    ends: Float64

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def last(self) -> Indices:
        """(C,) the last row of each content."""
        return np.append(self.first[1:], len(self)) - 1 if len(self) else np.empty(0, dtype=np.int64)

    def of_content(self, index: int) -> range:
        """The rows of a content."""
        last = self.first[index + 1] if index + 1 < len(self.first) else len(self.starts)
        return range(int(self.first[index]), int(last))

    def of_contents(self, indices: Indices) -> Indices:
        """The rows of several contents, content by content."""
        ranges = [np.arange(rows.start, rows.stop) for rows in (self.of_content(int(index)) for index in indices)]
        return np.concatenate([np.empty(0, dtype=np.int64), *ranges])

    def index_of(self, contents: pa.StringArray) -> Indices:
        """(M,) the index of each of `contents` in this table, -1 for those without rows here."""
        indices = pc.fill_null(pc.index_in(contents, value_set=self.contents), -1)
        return np.asarray(indices.to_numpy(), dtype=np.int64)

    def begin_with(self, earlier: Rows) -> bool:
        """Whether the rows of an earlier state of the table are the first of these."""
        count, contents = len(earlier), len(earlier.contents)
        return (
            len(self) >= count
            and bool((self.of_row[:count] == earlier.of_row).all())
            and bool((self.starts[:count] == earlier.starts).all())
            and bool((self.order[:count] == earlier.order).all())
            and bool(self.contents.slice(0, contents).equals(earlier.contents))
        )


def columns_of(source: VectorSource, table: Table) -> tuple[str, ...]:
    """The vector columns of a table."""
    return source.recipe.parts if table == WINDOWS else (MIX,)


def read_columns(source: VectorSource, table: Table, columns: Sequence[str]) -> pa.Table:
    """Some columns (none of vectors) of a table, in stored order."""
    return source.windows(columns) if table == WINDOWS else source.clips(columns)


def read_rows(source: VectorSource, table: Table) -> Rows:
    """The rows of a table, without their vectors."""
    stored = read_columns(source, table, ["content", "start", "end"])
    encoded = encode_contents(stored["content"])
    of_row = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.asarray(stored["start"].to_numpy(), dtype=np.float64)
    ends = np.asarray(stored["end"].to_numpy(), dtype=np.float64)
    order = np.arange(len(of_row))
    step = np.diff(of_row)
    # As they are written, the rows of a content are adjacent and ordered by start; anything else is sorted.
    if (step < 0).any() or ((step == 0) & (np.diff(starts) < 0)).any():
        order = np.lexsort((starts, of_row))
        of_row, starts, ends = of_row[order], starts[order], ends[order]
    first = np.flatnonzero(np.diff(of_row, prepend=-1))
    return Rows(order, encoded.dictionary, first, of_row, starts, ends)


def encode_contents(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A column of contents, dictionary-encoded in order of first appearance, in one piece."""
    encoded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        return encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    return encoded
