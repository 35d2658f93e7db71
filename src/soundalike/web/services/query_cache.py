"""Queries of items and uploads, computed once."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cachetools import LRUCache

from soundalike.analysis.onset_groups import OnsetGroup
from soundalike.errors import InputError
from soundalike.library.storage.item_parts import digest_of
from soundalike.parts import MIX
from soundalike.search.onset_search import onset_query
from soundalike.search.query import Query, query_from_item
from soundalike.search.request import Region
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.media_tasks import FindOnsets, MakeQuery
from soundalike.web.services.served_library import ServedLibrary
from soundalike.web.services.uploads import Uploads

MAX_CACHED = 64


@dataclass(frozen=True)
class ReferenceKey:
    """Which sound a query is made of: an upload or an item, or a region (s) of it. few: only so many representative windows of
    an upload without a region; kind: what it is, instead of an estimate; part, group: a group of onsets in this part of it."""

    upload: str | None
    item: str | None
    region: Region | None
    few: int | None = None
    kind: str | None = None
    part: str | None = None
    group: int | None = None


class QueryCache:
    """Makes queries with all parts, and caches them. Thread-safe."""

    def __init__(self, library: ServedLibrary, uploads: Uploads) -> None:
        self._library = library
        self._uploads = uploads
        self._queries: LRUCache[Hashable, Query] = LRUCache(MAX_CACHED)
        self._onsets: LRUCache[Hashable, list[OnsetGroup]] = LRUCache(MAX_CACHED)
        self._lock = threading.Lock()

    def get(self, snapshot: LibrarySnapshot, reference: ReferenceKey) -> Query:
        """The query of a reference. Raises InputError if it does not exist, AudioError if it cannot be used."""
        if reference.region is not None or reference.upload is None or reference.part is not None:
            reference = replace(reference, few=None)
        key = (snapshot.state, reference)
        with self._lock:
            if key in self._queries:
                return self._queries[key]
        query = self._make(snapshot, reference)
        with self._lock:
            self._queries[key] = query
        return query

    def onset_groups(self, snapshot: LibrarySnapshot, reference: ReferenceKey) -> list[OnsetGroup]:
        """The groups of similar onsets in a part of a reference, the largest first; starts and ends in s of the file.

        Raises InputError for a part that the library does not have, AudioError if there are no onsets.
        """
        part = reference.part or MIX
        snapshot.finder.check_parts([part])
        reference = replace(reference, few=None, kind=None, group=None)
        key = (snapshot.state, reference)
        with self._lock:
            if key in self._onsets:
                return self._onsets[key]
        path, name = self._file(snapshot, reference)
        found = self._library.run_task(FindOnsets(path, part, reference.region), name)
        members = [np.flatnonzero(found["group"] == group) for group in range(int(found["group"].max()) + 1)]
        groups = [OnsetGroup(found["starts"][of], found["ends"][of], found["vectors"][of]) for of in members]
        with self._lock:
            self._onsets[key] = groups
        return groups

    def _make(self, snapshot: LibrarySnapshot, reference: ReferenceKey) -> Query:
        if reference.part is not None and reference.group is not None:
            groups = self.onset_groups(snapshot, reference)
            if reference.group >= len(groups):
                raise InputError(f"there is no group {reference.group}; this part has {len(groups)} groups of onsets")
            _, name = self._file(snapshot, reference)
            label = f"{name} {reference.part}"
            digests = [] if reference.item is None else [digest_of(snapshot.item(reference.item)["content"])]
            return onset_query(groups[reference.group], 0.0, label, snapshot.library.recipe, reference.part, digests)
        if reference.upload is None and reference.region is None:
            assert reference.item is not None  # checked by the caller
            item = snapshot.item(reference.item)
            if reference.kind in (None, item["kind"]):
                return query_from_item(snapshot.library, item)
        path, name = self._file(snapshot, reference)
        return self._run(MakeQuery(path, reference.region, reference.few, reference.kind), name)

    def _file(self, snapshot: LibrarySnapshot, reference: ReferenceKey) -> tuple[Path, str]:
        """The file of a reference, and what it is called."""
        if reference.upload is not None:
            upload = self._uploads.get(reference.upload)
            return upload.path, upload.name
        assert reference.item is not None  # checked by the caller
        path = snapshot.file_of(reference.item)
        return path, path.name

    def _run(self, task: MakeQuery, name: str) -> Query:
        query = self._library.run_task(task, name)
        assert isinstance(query, Query)
        return replace(query, label=query.label.replace(task.path.name, name)).called(name)
