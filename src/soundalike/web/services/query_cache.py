"""Queries of items and uploads, computed once."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, replace

from cachetools import LRUCache

from soundalike.search.query import Query, query_from_item
from soundalike.search.request import Region
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.media_tasks import MakeQuery
from soundalike.web.services.served_library import ServedLibrary
from soundalike.web.services.uploads import Uploads

MAX_CACHED = 64


@dataclass(frozen=True)
class ReferenceKey:
    """Which sound a query is made of: an upload or an item, or a region (s) of it. few: only so many representative windows of
    an upload without a region."""

    upload: str | None
    item: str | None
    region: Region | None
    few: int | None = None


class QueryCache:
    """Makes queries with all parts, and caches them. Thread-safe."""

    def __init__(self, library: ServedLibrary, uploads: Uploads) -> None:
        self._library = library
        self._uploads = uploads
        self._queries: LRUCache[Hashable, Query] = LRUCache(MAX_CACHED)
        self._lock = threading.Lock()

    def get(self, snapshot: LibrarySnapshot, reference: ReferenceKey) -> Query:
        """The query of a reference. Raises InputError if it does not exist, AudioError if it cannot be used."""
        if reference.region is not None or reference.upload is None:
            reference = replace(reference, few=None)
        key = (snapshot.state, reference)
        with self._lock:
            if key in self._queries:
                return self._queries[key]
        query = self._make(snapshot, reference)
        with self._lock:
            self._queries[key] = query
        return query

    def _make(self, snapshot: LibrarySnapshot, reference: ReferenceKey) -> Query:
        if reference.upload is not None:
            upload = self._uploads.get(reference.upload)
            return self._run(MakeQuery(upload.path, reference.region, reference.few), upload.name)
        assert reference.item is not None  # checked by the caller
        if reference.region is None:
            return query_from_item(snapshot.library, snapshot.item(reference.item))
        path = snapshot.file_of(reference.item)
        return self._run(MakeQuery(path, reference.region), path.name)

    def _run(self, task: MakeQuery, name: str) -> Query:
        query = self._library.run_task(task, name)
        assert isinstance(query, Query)
        return replace(query, label=query.label.replace(task.path.name, name)).called(name)
