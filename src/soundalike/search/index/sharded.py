"""The index of a library that is too large for one machine: its vectors in the memory of a Ray cluster.

The contents are spread over shards, actors of the cluster that each hold theirs in memory, search them exactly and return
their best. Every shard returns as many as were requested, so the best of all are among them, and scores are computed row by
row from the same stored values: the result is bit for bit that of one process. A lost shard is loaded again on another node;
until then results state the share of the rows that they come from.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from cachetools import LRUCache

from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.store import Library
from soundalike.search.index.exact_scoring import check_search, rounding_margin
from soundalike.search.index.flat import vector_bytes
from soundalike.search.index.shard import Shard, shard_of
from soundalike.search.index.table_rows import TABLES, Float32, Indices, Mask, Rows, Table, columns_of, read_rows
from soundalike.search.index.vector_index import Match, Matches, Method, Scan, Term, VectorIndex

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

ANSWER_SECONDS = 10.0
"""A shard that has not answered by then is left out of the result."""

LOAD_SECONDS = 600.0
"""How long shards may take to start, or to read columns."""

TIE_ORDERS = 16
"""Tie orders (one per filter) that stay in the memory of the cluster, so that they need not be sent again."""

_RETRY_SECONDS = 2.0


class ShardPool:
    """The actors of the shards of one state of a library. Safe to use from several threads.

    contents: by shard and table, those that belong to it; sizes: by table, how many rows each shard holds; count: how many
    shards there are.
    """

    def __init__(
        self,
        cluster: Machines,
        library: Library,
        contents: Sequence[Mapping[Table, pa.StringArray]],
        sizes: Mapping[Table, Indices],
        columns: Iterable[tuple[Table, str]] = (),
    ) -> None:
        """columns: (table, column) to read at the start, others when first needed. Raises LibraryError where shards do not
        start."""
        self._cluster, self._library = cluster, library
        self._contents, self._sizes = contents, sizes
        self.count = len(contents)
        self.columns = set(columns)
        self._lock = threading.RLock()
        self._loading = threading.Lock()
        self._actors = [self._start(number) for number in range(self.count)]
        self._await_all()

    def ask(
        self,
        method: str,
        table: Table,
        arguments: Callable[[int], tuple[Any, ...]],
        *,
        only: Collection[int] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> dict[int, Any]:
        """Call a method of `Shard` on all shards that have rows of `table`; the answers by shard, of those that gave one in time.

        arguments: of each shard, after the table; only: these shards. Raises LibraryError where the library is damaged or has
        lost what it had when it was opened.
        """
        import ray

        with self._lock:
            self._tend()
            asked = {
                getattr(actor.handle, method).remote(table, *arguments(number)): number
                for number, actor in enumerate(self._actors)
                if actor.serving and self._sizes[table][number] and (only is None or number in only)
            }
        ready, _ = ray.wait(list(asked), num_returns=len(asked), timeout=seconds) if asked else ([], [])
        answers = {}
        for answer in ready:
            try:
                answers[asked[answer]] = ray.get(answer)
            except ray.exceptions.RayTaskError as error:
                raise LibraryError(f"a shard cannot search: {str(error).splitlines()[-1][:300]}") from None
            except ray.exceptions.RayError:
                self._lost(asked[answer])
        return answers

    def load_columns(self, table: Table, columns: Iterable[str]) -> None:
        """Have shards read columns that they do not hold yet, which may take longer than an answer."""
        wanted = {(table, column) for column in columns}
        if wanted <= self.columns:
            return
        with self._loading:
            missing = [column for _, column in sorted(wanted - self.columns)]
            if missing:
                self.ask("load_columns", table, lambda _: (missing,), seconds=LOAD_SECONDS)
                self.columns |= wanted

    def put(self, value: Any) -> Any:
        """A value in the memory of the cluster, to be used as an argument more than once."""
        import ray

        return ray.put(value)

    @property
    def share(self) -> float:
        """The share (0..1) of all rows whose shards are serving."""
        with self._lock:
            self._tend()
            rows = sum(self._sizes.values())
            serving = np.array([actor.serving for actor in self._actors])
        return float(np.sum(rows * serving) / np.sum(rows)) if np.sum(rows) else 1.0

    def actors(self) -> list[Any]:
        """The actor of each shard."""
        return [actor.handle for actor in self._actors]

    def close(self) -> None:
        """End the shards. Those of a pool that nothing refers to any more end by themselves."""
        import ray

        for actor in self._actors:
            with suppress(ray.exceptions.RayError, ValueError):
                ray.kill(actor.handle, no_restart=True)

    def _start(self, number: int) -> _Actor:
        """A shard being loaded, on the next node in turn."""
        from soundalike.jobs.ray.ray_actors import on

        nodes = self._cluster.nodes()
        if not nodes:
            raise LibraryError("no node of the Ray cluster is left to hold a shard; start one with `ray start`")
        node = nodes[number % len(nodes)]
        actor = on(node.id, Shard, cpus=0, threads=node.cpus).remote(self._library.path, number, self.count)
        loading = actor.load.remote(dict(self._contents[number]), sorted(self.columns))
        return _Actor(actor, loading, time.monotonic())

    def _await_all(self) -> None:
        deadline = time.monotonic() + LOAD_SECONDS
        while not all(actor.serving for actor in self._actors):
            self._tend(raising=True)
            if time.monotonic() > deadline:
                raise LibraryError(f"the shards did not start within {LOAD_SECONDS:.0f} s; see `ray status`")
            time.sleep(0.02)

    def _tend(self, *, raising: bool = False) -> None:
        """Mark shards that have started as serving, and start lost ones again. raising: LibraryError where one fails."""
        import ray

        for number, actor in enumerate(self._actors):
            if actor.loading is None or not ray.wait([actor.loading], timeout=0)[0]:
                continue
            try:
                gone = ray.get(actor.loading)
            except ray.exceptions.RayError as error:
                if raising:
                    raise LibraryError(f"shard {number} does not load: {str(error).splitlines()[-1][:300]}") from None
                if time.monotonic() - actor.since > _RETRY_SECONDS:
                    self._lost(number)
                continue
            if gone:
                raise LibraryError(
                    f"the library {self._library.path} has changed since it was opened ({gone[0]} is gone); open it again"
                )
            actor.loading, actor.serving = None, True

    def _lost(self, number: int) -> None:
        with self._lock:
            actor = self._actors[number]
            if actor.serving or time.monotonic() - actor.since > _RETRY_SECONDS:
                with suppress(LibraryError):  # no node: the next search tries again
                    self._actors[number] = self._start(number)
                    return
                actor.serving = False


@dataclass
class _Actor:
    """The actor of a shard. loading: the pending answer of `Shard.load`, None once it came; serving: whether it can be
    asked."""

    handle: Any
    loading: Any
    since: float
    serving: bool = False


class ShardedIndex:
    """A table whose vectors are held by shards. See `vector_index.VectorIndex`."""

    method: Method = "shards"
    exact = True

    def __init__(self, library: Library, table: Table, rows: Rows, shards: Indices, pool: ShardPool) -> None:
        """shards (C,): the shard of each content."""
        self.table = table
        self.columns = columns_of(library, table)
        self.rows = rows
        self._library, self._pool = library, pool
        numbers = range(pool.count)
        self._contents_of = {number: np.flatnonzero(shards == number) for number in numbers}
        self._shard_of_row = shards[rows.of_row]
        self._rows_of = {number: np.flatnonzero(self._shard_of_row == number) for number in numbers}
        self._present: dict[str, Mask] = {}
        self._tie_orders: LRUCache[bytes, dict[int, Any]] = LRUCache(TIE_ORDERS)
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of all vectors as float32, over all shards."""
        return vector_bytes(self._library, self.table, self.rows)

    def search(self, terms: Sequence[Term], k: int, tie_order: Indices, *, present_only: bool = False) -> Matches:
        """See `VectorIndex.search`."""
        check_search(terms, k)
        if not (tie_order >= 0).any():
            return Matches()
        orders = self._sent(tie_order)
        answers = self._ask("search", terms, lambda number: (list(terms), k, orders[number], present_only))
        best: list[Match] = []
        for number, matches in answers.items():
            rows = self._rows_of[number]
            best += [replace(match, row=int(rows[position])) for position, match in matches]
        of_row = self.rows.of_row
        best.sort(key=lambda match: (-match.score, int(tie_order[of_row[match.row]]), match.start))
        return Matches(best[:k], self._share(answers))

    def scan(self, terms: Sequence[Term]) -> Scan:
        """See `VectorIndex.scan`."""
        scores = np.full(len(self.rows), -np.inf, dtype=np.float32)
        answers = self._ask("scan", terms, lambda _: (list(terms),))
        for number, of_shard in answers.items():
            scores[self._rows_of[number]] = of_shard
        return Scan(scores, 0.0, rounding_margin(terms), self._share(answers))

    def take(self, columns: Sequence[str], rows: Indices) -> Float32:
        """See `VectorIndex.take`. What shards cannot give now is read from the library."""
        vectors = np.empty((len(rows), len(columns), self._library.recipe.dimension), dtype=np.float32)
        shards = self._shard_of_row[rows]
        wanted = {number: np.flatnonzero(shards == number) for number in np.unique(shards).tolist()}

        def positions(number: int) -> tuple[Any, ...]:
            return list(columns), np.searchsorted(self._rows_of[number], rows[wanted[number]])

        self._pool.load_columns(self.table, columns)
        answers = self._pool.ask("take", self.table, positions, only=wanted)
        for number, here in wanted.items():
            if number in answers:
                vectors[here] = answers[number]
            else:
                stored = self._library.take(self.table, self.rows.order[rows[here]], columns)
                vectors[here] = np.stack([stored[column] for column in columns], axis=1)
        return vectors

    def present(self, column: str) -> Mask:
        """See `VectorIndex.present`."""
        with self._lock:
            if column in self._present:
                return self._present[column]
        self._pool.load_columns(self.table, [column])
        answers = self._pool.ask("present", self.table, lambda _: (column,))
        present = np.zeros(len(self.rows), dtype=bool)
        for number, of_shard in answers.items():
            present[self._rows_of[number]] = of_shard
        if self._share(answers) == 1.0:
            with self._lock:
                self._present[column] = present
        return present

    def _ask(self, method: str, terms: Sequence[Term], arguments: Callable[[int], tuple[Any, ...]]) -> dict[int, Any]:
        self._pool.load_columns(self.table, (term.column for term in terms))
        return self._pool.ask(method, self.table, arguments, only=self._contents_of)

    def _share(self, answers: Mapping[int, Any]) -> float:
        """The share (0..1) of the rows that belong to shards that answered."""
        if not len(self.rows):
            return 1.0
        return sum(len(self._rows_of[number]) for number in answers) / len(self.rows)

    def _sent(self, tie_order: Indices) -> dict[int, Any]:
        """For each shard the tie order of its contents, in the memory of the cluster."""
        key = hashlib.blake2b(tie_order.tobytes(), digest_size=16).digest()
        with self._lock:
            if key not in self._tie_orders:
                self._tie_orders[key] = {
                    number: self._pool.put(tie_order[contents]) for number, contents in self._contents_of.items()
                }
            return self._tie_orders[key]


class ShardedIndexes:
    """The indexes of a library on a cluster. See `vector_index.TableIndexes`."""

    def __init__(
        self,
        cluster: Machines,
        library: Library,
        count: int | None = None,
        *,
        columns: Iterable[tuple[Table, str]] = (),
        on_status: Callable[[str], None] | None = None,
    ) -> None:
        """count: how many shards (None: one per node); columns: (table, column) to read at the start, others when first
        needed; on_status: called with a message before shards are loaded.

        Raises InputError for fewer than one shard, LibraryError where they do not start.
        """
        if count is not None and count < 1:
            raise InputError(f"{count} shards requested; request 1 or more")
        self._cluster, self._count, self._on_status = cluster, count, on_status
        number_of_shards = count or max(1, len(cluster.nodes()))
        if on_status is not None:
            on_status(f"loading the library into {number_of_shards} shard{'s' * (number_of_shards > 1)} ...")
        rows = {table: read_rows(library, table) for table in TABLES}
        shards = {table: shard_of(rows[table].contents, number_of_shards) for table in TABLES}
        contents = [
            {table: rows[table].contents.filter(pa.array(shards[table] == number)) for table in TABLES}
            for number in range(number_of_shards)
        ]
        sizes = {table: np.bincount(shards[table][rows[table].of_row], minlength=number_of_shards) for table in TABLES}
        self.pool = ShardPool(cluster, library, contents, sizes, columns)
        self._indexes = {table: ShardedIndex(library, table, rows[table], shards[table], self.pool) for table in TABLES}

    def __getitem__(self, table: Table) -> VectorIndex:
        return self._indexes[table]

    def following(self, library: Library) -> ShardedIndexes:
        """See `TableIndexes.following`: shards of the later state, which hold what these hold."""
        columns = {(table, column) for table, column in self.pool.columns if column in columns_of(library, table)}
        return ShardedIndexes(self._cluster, library, self._count, columns=columns, on_status=self._on_status)
