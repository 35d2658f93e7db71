"""The indexes of a library on this machine: exact while a table fits into memory, quantised beyond that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from soundalike.config import memory_budget
from soundalike.library.storage.store import Library
from soundalike.search.index.flat import FlatIndex, vector_bytes
from soundalike.search.index.quantised import QuantisedIndex
from soundalike.search.index.table_rows import Table, read_rows
from soundalike.search.index.vector_index import VectorIndex


@dataclass(frozen=True)
class IndexSettings:
    """memory: bytes of float32 vectors of a table that may be held in memory (None: `config.memory_budget`);
    cosine_cache_bytes: see `FlatIndex`; on_status: called with a message before something that takes long."""

    memory: int | None = None
    cosine_cache_bytes: int = 0
    on_status: Callable[[str], None] | None = None


class LocalIndexes:
    """See `vector_index.TableIndexes`. Safe to use from several threads."""

    def __init__(self, library: Library, settings: IndexSettings | None = None) -> None:
        """Raises InputError where SOUNDALIKE_MEMORY is set to something that is not a size."""
        self._library = library
        self._settings = settings or IndexSettings()
        self._budget = memory_budget() if self._settings.memory is None else self._settings.memory
        self._indexes: dict[Table, FlatIndex | QuantisedIndex] = {}
        self._lock = threading.RLock()

    def __getitem__(self, table: Table) -> VectorIndex:
        with self._lock:
            if table not in self._indexes:
                self._indexes[table] = self._open(table)
            return self._indexes[table]

    def _open(self, table: Table, earlier: FlatIndex | QuantisedIndex | None = None) -> FlatIndex | QuantisedIndex:
        """The index that a table of its size needs; from that of an earlier state of the table, if it is of the same type."""
        rows = read_rows(self._library, table)
        if vector_bytes(self._library, table, rows) <= self._budget:
            if isinstance(earlier, FlatIndex):
                return earlier.following(self._library, rows)
            return FlatIndex(self._library, table, rows, cosine_cache_bytes=self._settings.cosine_cache_bytes)
        if isinstance(earlier, QuantisedIndex):
            return earlier.following(self._library, rows)
        return QuantisedIndex(self._library, table, rows, on_status=self._settings.on_status)

    def following(self, library: Library) -> LocalIndexes:
        """See `TableIndexes.following`."""
        later = LocalIndexes(library, self._settings)
        if (library.generation, library.recipe) == (self._library.generation, self._library.recipe):
            with self._lock:
                opened = dict(self._indexes)
            for table, index in opened.items():
                later._indexes[table] = later._open(table, index)
        return later
