"""The vectors of an open library, to be scanned under any weights: in memory while they fit, from sketches past that.

- In memory: float32 columns, read when first asked for; every row's score is exact but for rounding.
- Past the budget: one-bit sketches (`sketches`) estimate every row's score with a known error, and rows are then taken
  from disk where that error leaves a doubt. Rows that no sketch has yet are scanned exactly.

Either way a row's score means the same: the sum of weight * <query, the float16 values on disk>.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from soundalike.config import memory_budget
from soundalike.library.storage.store import Library
from soundalike.parts import MIX
from soundalike.search.index.rabitq_segments import Sketches, open_sketches

Table = Literal["windows", "wholes"]
TABLES: tuple[Table, ...] = ("windows", "wholes")
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Indices = NDArray[np.int64]

ROUNDING = 1e-4
"""Bound on the error of a float32 product, for weights that sum to 1 in absolute value (observed: under 1e-6)."""

TAKEN_AT_ONCE = 16_384
"""Rows that are read together where a column is gone through piece by piece."""


@dataclass(frozen=True)
class Term:
    """One weighted comparison: `weight` * <query, row's `column`>.

    label: what its contribution is called; query: float64 (D,), the mean over the query's windows of their unit vectors
    (zero where absent), so that the product is the mean of the cosines.
    """

    label: str
    column: str
    query: Float64
    weight: float


@dataclass(frozen=True)
class Rows:
    """Rows of a table: those of one content lie together, by start; contents in the order of their first rows.

    order: positions in the stored table; contents: the C different contents; first: (C,) row where each begins; of_row:
    (N,) index into contents; starts, ends: (N,) s.
    """

    order: Indices
    contents: pa.StringArray
    first: Indices
    of_row: Indices
    starts: Float64
    ends: Float64

    def __len__(self) -> int:
        return len(self.starts)

    def content(self, row: int) -> str:
        """The content that a row belongs to."""
        return str(self.contents[int(self.of_row[row])].as_py())

    def of_content(self, index: int) -> range:
        """The rows of a content."""
        last = self.first[index + 1] if index + 1 < len(self.first) else len(self.starts)
        return range(int(self.first[index]), int(last))

    def index_of(self, contents: pa.StringArray) -> Indices:
        """(M,) where each of other contents stands in `contents`, -1 for those that have no rows here."""
        found = pc.fill_null(pc.index_in(contents, value_set=self.contents), -1)
        return np.asarray(found.to_numpy(), dtype=np.int64)


@dataclass(frozen=True)
class Scan:
    """(N,) scores of all rows; error: the standard deviation of an estimate, 0 where they are exact but for `margin`."""

    scores: Float32
    error: float
    margin: float


class Vectors:
    """The vectors of a library. Safe to use from several threads. budget: bytes of float32 that may be held in memory
    for each table (default: `config.memory_budget`); tell: told in words before something that takes long.

    kept_bytes: how much may be held of the cosines of former scans; a server sets it, so that the same reference under other
    weights is a sum of what is known.
    """

    def __init__(
        self, library: Library, *, budget: int | None = None, tell: Callable[[str], None] | None = None
    ) -> None:
        self.library = library
        self._tell = tell
        self.budget = memory_budget() if budget is None else budget
        self._rows: dict[Table, Rows] = {}
        self._columns: dict[tuple[Table, str], Float32] = {}
        self._present: dict[tuple[Table, str], NDArray[np.bool_]] = {}
        self._sketches: dict[Table, Sketches] = {}
        self._lock = threading.RLock()
        self.kept_bytes = 0
        self._cosines: OrderedDict[tuple[Table, str, bytes], Float32] = OrderedDict()

    def parts(self, table: Table) -> tuple[str, ...]:
        """The vector columns of a table."""
        return self.library.recipe.parts if table == "windows" else (MIX,)

    def rows(self, table: Table) -> Rows:
        """Contents and seconds of the rows of `table`."""
        with self._lock:
            if table not in self._rows:
                self._rows[table] = read_rows(self.library, table)
            return self._rows[table]

    def in_memory(self, table: Table) -> bool:
        """Whether the table is within the budget, so that it is scanned exactly."""
        return self.bytes_in_memory(table) <= self.budget

    def bytes_in_memory(self, table: Table) -> int:
        """Bytes that all vectors of the table take, or would take, in memory."""
        return len(self.rows(table)) * len(self.parts(table)) * self.library.recipe.dimension * 4

    def column(self, table: Table, part: str) -> Float32:
        """All vectors (N, D) of `part`, in the order of `rows(table)`; zero rows where absent. For tables in memory."""
        with self._lock:
            if (table, part) not in self._columns:
                stored = self.library.vectors(table, part)
                order = self.rows(table).order
                ordered = stored if _rising_by_one(order) else stored[order]
                self._columns[table, part] = ordered.astype(np.float32)
            return self._columns[table, part]

    def take(self, table: Table, parts: Sequence[str], rows: Indices) -> Float32:
        """The vectors (M, P, D) of some rows."""
        if not self.in_memory(table):
            return self.sketches(table).take(parts, rows)
        return np.stack([self.column(table, part)[rows] for part in parts], axis=1)

    def products(self, table: Table, terms: Sequence[Term], rows: Indices) -> Float32:
        """(M,) scores of some rows under `terms`, exact but for the rounding of float32."""
        weighted: dict[str, Float64] = {}
        for term in terms:
            weighted[term.column] = weighted.get(term.column, 0.0) + term.weight * term.query
        if not self.in_memory(table):
            return self.sketches(table).products(list(weighted.items()), rows)
        found = np.zeros(len(rows), dtype=np.float32)
        for part, query in weighted.items():
            found += self.column(table, part)[rows] @ query.astype(np.float32)
        return found

    def present(self, table: Table, part: str) -> NDArray[np.bool_]:
        """(N,) which rows have the part."""
        with self._lock:
            if (table, part) not in self._present:
                near = self.in_memory(table)
                there = self.column(table, part).any(axis=1) if near else self.sketches(table).present(part)
                self._present[table, part] = np.asarray(there)
            return self._present[table, part]

    def sketches(self, table: Table) -> Sketches:
        """What stands for a table that is past the budget; made if it is not there yet, which takes a while."""
        with self._lock:
            if table not in self._sketches:
                self._sketches[table] = open_sketches(
                    self.library, table, self.parts(table), self.rows(table), self._tell
                )
            return self._sketches[table]

    def scan(self, table: Table, terms: Sequence[Term]) -> Scan:
        """The score of every row under `terms`, at once."""
        length = sum(abs(term.weight) * float(np.linalg.norm(term.query)) for term in terms)
        if not self.in_memory(table):
            weighted = [(term.column, term.weight * term.query) for term in terms]
            scores, error = self.sketches(table).estimate(weighted)
            return Scan(scores, error, ROUNDING * length)
        scores = np.zeros(len(self.rows(table)), dtype=np.float32)
        for term in terms:
            scores += np.float32(term.weight) * self._of_all(table, term)
        return Scan(scores, 0.0, ROUNDING * length)

    def _of_all(self, table: Table, term: Term) -> Float32:
        """(N,) the product of every row with a term's query, whatever its weight."""
        key = (table, term.column, term.query.tobytes())
        with self._lock:
            if key in self._cosines:
                self._cosines.move_to_end(key)
                return self._cosines[key]
        found: Float32 = self.column(table, term.column) @ term.query.astype(np.float32)
        if found.nbytes <= self.kept_bytes:
            with self._lock:
                self._cosines[key] = found
                while sum(one.nbytes for one in self._cosines.values()) > self.kept_bytes:
                    self._cosines.popitem(last=False)
        return found

    def nbytes(self) -> int:
        """Memory that the columns take."""
        return sum(column.nbytes for column in self._columns.values())

    def following(self, library: Library) -> Vectors:
        """The vectors of a later state of the library, keeping what still holds: with rows appended, only those are read."""
        later = Vectors(library, budget=self.budget, tell=self._tell)
        later.kept_bytes = self.kept_bytes
        for table, rows in list(self._rows.items()):
            now = later.rows(table)
            if not _begins_with(now, rows):
                continue
            fresh = now.order[len(rows) :]
            for (of, part), column in list(self._columns.items()):
                if of != table or not later.in_memory(table):
                    continue
                if not len(fresh):
                    later._columns[table, part] = column
                elif len(fresh) <= TAKEN_AT_ONCE:
                    added = library.take(table, fresh, [part])[part].astype(np.float32)
                    later._columns[table, part] = np.concatenate([column, added])
        for table in list(self._sketches):
            if not later.in_memory(table):
                later.sketches(table)  # by whoever follows the library, so that no search has to wait for a new segment
        return later


def heard(vectors: Vectors, table: Table, terms: Sequence[Term]) -> NDArray[np.bool_]:
    """Which rows (N,) have at least one of the parts that `terms` name."""
    columns = dict.fromkeys(term.column for term in terms)
    return np.asarray(np.any([vectors.present(table, column) for column in columns], axis=0), dtype=bool)


def read_rows(library: Library, table: Table) -> Rows:
    """The rows of a table, without their vectors."""
    read = library.windows if table == "windows" else library.clips
    stored = read(["content", "start", "end"])
    encoded = pc.dictionary_encode(stored["content"].combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    of_row = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.asarray(stored["start"].to_numpy(), dtype=np.float64)
    ends = np.asarray(stored["end"].to_numpy(), dtype=np.float64)
    order = np.arange(len(of_row))
    step = np.diff(of_row)
    # As they are written, a content's rows lie together by start; whatever else is brought to that.
    if (step < 0).any() or ((step == 0) & (np.diff(starts) < 0)).any():
        order = np.lexsort((starts, of_row))
        of_row, starts, ends = of_row[order], starts[order], ends[order]
    first = np.flatnonzero(np.diff(of_row, prepend=-1))
    return Rows(order, encoded.dictionary, first, of_row, starts, ends)


def _rising_by_one(order: Indices) -> bool:
    return bool((order == np.arange(len(order))).all())


def _begins_with(later: Rows, earlier: Rows) -> bool:
    """Whether the rows of an earlier state are the first of a later one."""
    count, contents = len(earlier), len(earlier.contents)
    return (
        len(later) >= count
        and bool((later.of_row[:count] == earlier.of_row).all())
        and bool((later.starts[:count] == earlier.starts).all())
        and bool((later.order[:count] == earlier.order).all())
        and bool(later.contents.slice(0, contents).equals(earlier.contents))
    )
