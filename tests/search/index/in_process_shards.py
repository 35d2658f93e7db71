"""A sharded index whose shards are objects of this process in place of actors of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, cast

import pyarrow as pa

from soundalike.library.storage.store import Library
from soundalike.search.index.shard import Shard, shard_of
from soundalike.search.index.sharded import ShardedIndex, ShardPool
from soundalike.search.index.table_rows import WINDOWS, Table, read_rows
from tests.search.index.made_up_vectors import StoredVectors


class InProcessPool:
    """Stands in for `ShardPool`. lost: numbers of shards that do not answer."""

    def __init__(self, shards: list[Shard]) -> None:
        self.shards = shards
        self.count = len(shards)
        self.lost: set[int] = set()
        self.columns: set[tuple[Table, str]] = set()

    def ask(
        self,
        method: str,
        table: Table,
        arguments: Callable[[int], tuple[Any, ...]],
        *,
        only: Collection[int] | None = None,
    ) -> dict[int, Any]:
        return {
            number: getattr(shard, method)(table, *arguments(number))
            for number, shard in enumerate(self.shards)
            if number not in self.lost and (only is None or number in only)
        }

    def load_columns(self, table: Table, columns: Iterable[str]) -> None:
        self.columns |= {(table, column) for column in columns}

    def put(self, value: Any) -> Any:
        return value


def sharded(library: StoredVectors, count: int = 3) -> ShardedIndex:
    """The sharded index of the made-up windows."""
    rows = read_rows(library, WINDOWS)
    shards = shard_of(rows.contents, count)
    pool = InProcessPool([Shard(library, number, count) for number in range(count)])
    for number, shard in enumerate(pool.shards):
        assert shard.load({WINDOWS: rows.contents.filter(pa.array(shards == number))}, [(WINDOWS, "mix")]) == []
    return ShardedIndex(cast(Library, library), WINDOWS, rows, shards, cast(ShardPool, pool))


def pool_of(index: ShardedIndex) -> InProcessPool:
    """The pool of an index made by `sharded`."""
    return cast(InProcessPool, index._pool)
