"""Search beyond one machine's memory: the vectors of a library in the memory of many, each asked, the best merged.

A content belongs to the shard that its name is hashed to, with all its rows; a shard holds those alone, scans them exactly
(`search.index.matching` on them as on a library of their own), and sends its best. Since every shard sends as many as are asked
for, the best of all are among them, and scores are computed row by row from the same stored values: the answer is that of
one process, to the last bit. A shard that is lost is loaded again elsewhere; until then answers say what share of the
rows they are from.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe
from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.location import Location, Remote
from soundalike.library.storage.store import Library
from soundalike.search.index.matching import Match, best_matches, check_asked
from soundalike.search.index.vectors import Indices, Table, Term, Vectors

if TYPE_CHECKING:
    from soundalike.jobs.ray.ray_cluster import Machines

ANSWER_SECONDS = 10.0
"""A shard that has not answered by then is left out of this answer."""

LOAD_SECONDS = 600.0
"""How long shards may take to come up at first."""

RANKS_KEPT = 16
"""Orders of ties and filters that lie in the machines' memory, so that asking again sends none."""

_RETRY_SECONDS = 2.0


def shard_of(contents: pa.StringArray, count: int) -> Indices:
    """(C,) the shard, 0 <= shard < count, that each content belongs to: the same everywhere and for ever."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in contents.to_pylist())
    return np.array([int.from_bytes(digest) % count for digest in digests], dtype=np.int64)


class Slice:
    """The part of a library that a shard holds, as `Vectors` asks for it: the rows of its contents, in stored order."""

    def __init__(self, library: Library, number: int, count: int) -> None:
        self._library, self._number, self._count = library, number, count
        self._mine: dict[str, Indices] = {}

    @property
    def recipe(self) -> Recipe:
        """How the vectors were made."""
        return self._library.recipe

    def windows(self, columns: Sequence[str]) -> pa.Table:
        """Some columns (none of vectors) of the shard's windows."""
        return self._library.windows(columns).take(pa.array(self._positions("windows")))

    def wholes(self, columns: Sequence[str]) -> pa.Table:
        """Some columns (none of vectors) of the shard's loops and one-shots."""
        return self._library.clips(columns).take(pa.array(self._positions("wholes")))

    def vectors(self, table: str, part: str) -> NDArray[np.float16]:
        """(n, D) the vectors of `part` in the shard's rows."""
        return self._library.take(table, self._positions(table), [part])[part]

    def take(self, table: str, positions: Indices, parts: Sequence[str]) -> dict[str, NDArray[np.float16]]:
        """Vectors of some of the shard's rows."""
        return self._library.take(table, self._positions(table)[positions], parts)

    def _positions(self, table: str) -> Indices:
        """Where the shard's rows stand in the stored table."""
        if table not in self._mine:
            read = self._library.windows if table == "windows" else self._library.clips
            encoded = read(["content"])["content"].combine_chunks().dictionary_encode()
            if isinstance(encoded, pa.ChunkedArray):
                encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
            mine = shard_of(encoded.dictionary, self._count) == self._number
            codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
            self._mine[table] = np.flatnonzero(mine[codes]) if len(codes) else np.empty(0, dtype=np.int64)
        return self._mine[table]


class Shard:
    """One shard, wherever it runs: the rows of its contents, all of them in memory once they are asked for."""

    def __init__(self, place: Location | Library, number: int, count: int) -> None:
        library = Library.open(place) if isinstance(place, Path | Remote) else place
        self._vectors = Vectors(cast(Library, Slice(library, number, count)), budget=sys.maxsize)
        self._index: dict[str, Indices] = {}
        self._back: dict[str, Indices] = {}

    def load(self, contents: dict[Table, pa.StringArray], columns: Sequence[tuple[Table, str]] = ()) -> list[str]:
        """Get ready for searches among `contents`, those of this shard by table, in the asker's order; columns: what to
        read now. The contents that the library has no more."""
        gone = []
        for table, names in contents.items():
            index = self._vectors.rows(table).index_of(names)
            gone += [str(names[int(at)].as_py()) for at in np.flatnonzero(index < 0)[:1]]
            self._index[table] = index
            self._back[table] = np.full(len(self._vectors.rows(table).contents), -1, dtype=np.int64)
            self._back[table][index[index >= 0]] = np.flatnonzero(index >= 0)
        for table, part in columns:
            self._vectors.column(table, part)
        return gone

    def best(
        self, table: Table, terms: Sequence[Term], count: int, ranks: Indices, heard_only: bool = False
    ) -> list[tuple[int, Match]]:
        """`best_matches` among the contents that it was made ready for, each with its place among these; ranks: of them."""
        rows, index = self._vectors.rows(table), self._index[table]
        here = np.full(
            len(rows.contents), -1, dtype=np.int64
        )  # what has come since the asker opened the library stays out
        here[index[index >= 0]] = ranks[index >= 0]
        if not len(rows):
            return []
        found = best_matches(self._vectors, table, terms, count, here, heard_only=heard_only)
        return [(int(self._back[table][rows.of_row[match.row]]), match) for match in found]


def merged(found: Sequence[tuple[int, Match]], ranks: Indices, count: int) -> list[tuple[int, Match]]:
    """The `count` best of what shards found, in the order of `best_matches`; each with the place of its content, whose rank
    breaks ties."""
    return sorted(found, key=lambda one: (-one[1].score, int(ranks[one[0]]), one[1].start))[:count]


@dataclass
class _Held:
    """A shard's actor. ready: the news that it is loaded, until that is there; alive: whether it can be asked."""

    handle: Any
    ready: Any
    since: float
    serving: bool = False


class Shards:
    """The shards of an open library on a cluster. Safe to use from several threads; `close` lets go of their memory."""

    def __init__(
        self, machines: Machines, library: Library, count: int, *, columns: Sequence[tuple[Table, str]] = ()
    ) -> None:
        """count: how many; columns: (table, part) to read before the first question, others when first asked for.

        Raises InputError for fewer than one, LibraryError where they do not come up.
        """
        if count < 1:
            raise InputError(f"{count} shards asked for; ask for 1 or more")
        self._machines, self._library, self._count, self._columns = machines, library, count, tuple(columns)
        self._lock = threading.RLock()
        self._vectors = Vectors(library, budget=0)
        self._places: dict[Table, list[Indices]] = {}
        self._rows_in: dict[Table, Indices] = {}
        self._sent: OrderedDict[tuple[Table, bytes], list[Any]] = OrderedDict()
        tables: tuple[Table, ...] = ("windows", "wholes")
        self._contents: list[dict[Table, pa.StringArray]] = [{} for _ in range(count)]
        for table in tables:
            rows = self._vectors.rows(table)
            of = shard_of(rows.contents, count)
            self._places[table] = [np.flatnonzero(of == number) for number in range(count)]
            for number, mine in enumerate(self._places[table]):
                self._contents[number][table] = rows.contents.take(pa.array(mine))
            sizes = np.bincount(of[rows.of_row], minlength=count) if len(rows) else np.zeros(count)
            self._rows_in[table] = sizes.astype(np.int64)
        self._held = [self._started(number) for number in range(count)]
        self._await_all()

    def best_matches(
        self,
        vectors: Vectors,
        table: Table,
        terms: Sequence[Term],
        count: int,
        ranks: Indices,
        *,
        heard_only: bool = False,
    ) -> tuple[list[Match], float]:
        """What `search.index.matching.best_matches` finds, and the share (0..1) of the table's rows that it was found among.

        vectors: of the same state of the library, by whose rows matches are numbered; ranks as there.
        """
        import ray

        check_asked(terms, count)
        if not (ranks >= 0).any():
            return [], 1.0
        with self._lock:
            self._tend()
            serving = [number for number in range(self._count) if self._held[number].serving]
            asked = self._ranks_at(table, ranks)
            answers = {
                self._held[number].handle.best.remote(table, list(terms), count, asked[number], heard_only): number
                for number in serving
                if self._rows_in[table][number]
            }
        found: list[tuple[int, Match]] = []
        searched = sum(int(self._rows_in[table][number]) for number in serving)
        ready, late = ray.wait(list(answers), num_returns=len(answers), timeout=ANSWER_SECONDS) if answers else ([], [])
        for answer in ready:
            try:
                mine = self._places[table][answers[answer]]
                found += [(int(mine[place]), match) for place, match in ray.get(answer)]
            except ray.exceptions.RayTaskError as error:
                raise LibraryError(f"a shard cannot search: {str(error).splitlines()[-1][:300]}") from None
            except ray.exceptions.RayError:
                late.append(answer)
        for answer in late:
            searched -= int(self._rows_in[table][answers[answer]])
            if answer in ready:
                self._lost(answers[answer])
        total = int(self._rows_in[table].sum())
        share = searched / total if total else 1.0
        return [_numbered(match, vectors, place) for place, match in merged(found, ranks, count)], share

    @property
    def share(self) -> float:
        """The share (0..1) of all rows whose shards can be asked now."""
        with self._lock:
            self._tend()
            total = sum(int(rows.sum()) for rows in self._rows_in.values())
            there = sum(
                int(rows[number])
                for rows in self._rows_in.values()
                for number in range(self._count)
                if self._held[number].serving
            )
        return there / total if total else 1.0

    def actors(self) -> list[Any]:
        """The actor of each shard."""
        return [held.handle for held in self._held]

    def close(self) -> None:
        """End the shards."""
        import ray

        for held in self._held:
            with suppress(ray.exceptions.RayError, ValueError):
                ray.kill(held.handle, no_restart=True)

    def _started(self, number: int) -> _Held:
        """A shard being loaded, on the next node in turn."""
        from soundalike.jobs.ray.ray_actors import on

        nodes = self._machines.nodes()
        if not nodes:
            raise LibraryError("no node of the Ray cluster is left to hold a shard; start one with `ray start`")
        node = nodes[number % len(nodes)]
        handle = on(node.id, Shard, cpus=0).remote(self._library.path, number, self._count)
        return _Held(handle, handle.load.remote(self._contents[number], self._columns), time.monotonic())

    def _await_all(self) -> None:
        deadline = time.monotonic() + LOAD_SECONDS
        while not all(held.serving for held in self._held):
            self._tend(raising=True)
            if time.monotonic() > deadline:
                raise LibraryError(f"the shards did not come up within {LOAD_SECONDS:.0f} s; see `ray status`")
            time.sleep(0.02)

    def _tend(self, *, raising: bool = False) -> None:
        """Take note of shards that have come up, and load those again that are lost."""
        import ray

        for number, held in enumerate(self._held):
            if held.ready is None or not ray.wait([held.ready], timeout=0)[0]:
                continue
            try:
                gone = ray.get(held.ready)
            except ray.exceptions.RayError as error:
                if raising:
                    raise LibraryError(f"shard {number} does not load: {str(error).splitlines()[-1][:300]}") from None
                if time.monotonic() - held.since > _RETRY_SECONDS:
                    self._lost(number)
                continue
            if gone:
                raise LibraryError(
                    f"the library {self._library.path} has changed since it was opened ({gone[0]} is gone); open it again"
                )
            held.ready, held.serving = None, True

    def _lost(self, number: int) -> None:
        with self._lock:
            held = self._held[number]
            if held.serving or time.monotonic() - held.since > _RETRY_SECONDS:
                with suppress(LibraryError):  # no node: it is tried again at the next question
                    self._held[number] = self._started(number)
                    return
                held.serving = False

    def _ranks_at(self, table: Table, ranks: Indices) -> list[Any]:
        """For each shard the ranks of its contents, in the machines' memory."""
        import ray

        key = (table, hashlib.blake2b(ranks.tobytes(), digest_size=16).digest())
        if key not in self._sent:
            self._sent[key] = [ray.put(ranks[mine]) for mine in self._places[table]]
            while len(self._sent) > RANKS_KEPT:
                self._sent.popitem(last=False)
        self._sent.move_to_end(key)
        return self._sent[key]


def _numbered(match: Match, vectors: Vectors, content: int) -> Match:
    """A shard's match with the number of its row in the whole library."""
    rows = vectors.rows(match.table)
    for row in rows.of_content(content):
        if rows.starts[row] == match.start:
            return replace(match, row=row)
    raise LibraryError(f"a shard found a row of {match.content} that the library has not; open it again")
