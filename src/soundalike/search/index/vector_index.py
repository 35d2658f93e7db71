"""What a search needs from an index of vectors, whatever its format and location.

A search is a list of *terms*. A term compares one part of the query with one vector column of a table and has a weight:
(drums, column drums) in `windows`, (drums, column mix) for one part against clips. Columns that no term names are not read.

score = sum over terms of weight * <query, row's column>, on the float16 values as stored, summed in float64. So a score does
not depend on the index that returned it, nor on how a product was blocked. Equal scores are ordered by `tie_order`, then by
start.

| implementation | where the vectors are | which hits it returns |
|---|---|---|
| `flat.FlatIndex` | in memory, float32 | the exact ones |
| `quantised.QuantisedIndex` | on disk, with one-bit codes in front of them | nearly all of them; `recall` measures it |
| `sharded.ShardedIndex` | in the memory of a Ray cluster | the exact ones, of the shards that answer |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, Self

from soundalike.library.storage.store import Library
from soundalike.search.index.table_rows import Float32, Float64, Indices, Mask, Rows, Table

Method = Literal["memory", "sketches", "shards"]
"""How a table is searched, by the names that `status` and the API use."""


@dataclass(frozen=True)
class Term:
    """One weighted comparison: `weight` * <query, row's `column`>.

    label: the name of its contribution; query: float64 (D,), the mean of the unit vectors of the query's windows (zeros where
    absent), so that the product is the mean of the cosines.
    """

    label: str
    column: str
    query: Float64
    weight: float


@dataclass(frozen=True)
class Match:
    """A matching row: its content, seconds and score, and for each term its contribution, its cosine and whether the row has
    that part at all."""

    table: Table
    row: int
    content: str
    start: float
    end: float
    score: float
    contributions: tuple[float, ...]
    cosines: tuple[float, ...]
    present: tuple[bool, ...]


@dataclass(frozen=True)
class Matches:
    """Matches of one table, best first. share: of the table's rows that were searched (0..1), under 1 while a shard is down."""

    best: list[Match] = field(default_factory=list)
    share: float = 1.0


@dataclass(frozen=True)
class Scan:
    """Approximate scores (N,) of all rows, -inf for those that could not be searched.

    error: standard deviation of an estimate, 0 where scores are exact but for rounding; margin: bound on that rounding;
    share: of the rows that were searched (0..1).
    """

    scores: Float32
    error: float
    margin: float
    share: float = 1.0


class VectorIndex(Protocol):
    """The vectors of one table. Safe to use from several threads."""

    @property
    def table(self) -> Table:
        """The table."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Its vector columns: the parts of a song, or `mix`."""
        ...

    @property
    def rows(self) -> Rows:
        """Its rows, without vectors."""
        ...

    @property
    def method(self) -> Method:
        """How it is searched."""
        ...

    @property
    def exact(self) -> bool:
        """Whether a search returns the exact best, so that there is no recall to measure."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes of all vectors as float32."""
        ...

    def search(self, terms: Sequence[Term], k: int, tie_order: Indices, *, present_only: bool = False) -> Matches:
        """The `k` best contents, each by its best row, best first.

        tie_order (C,): for each content of `rows` its position among equal scores, negative to leave it out; present_only:
        leave out rows that have none of the columns that the terms compare, whose score of 0 says nothing. Raises InputError
        without terms or for k < 1.
        """
        ...

    def scan(self, terms: Sequence[Term]) -> Scan:
        """Approximate scores of all rows at once."""
        ...

    def take(self, columns: Sequence[str], rows: Indices) -> Float32:
        """The vectors (M, K, D) of some rows, exactly as stored."""
        ...

    def present(self, column: str) -> Mask:
        """(N,) which rows have a vector in `column`; False for rows that cannot be reached now."""
        ...


class TableIndexes(Protocol):
    """The index of each table of an open library, opened when first needed."""

    def __getitem__(self, table: Table) -> VectorIndex: ...

    def following(self, library: Library) -> Self:
        """The indexes of a later state of the library, opened with the same settings and keeping what still holds."""
        ...
