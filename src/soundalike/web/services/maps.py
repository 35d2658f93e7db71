"""Maps of the library, on which similar items are close together: songs by any part, or all kinds by their mix.

A map is computed once for each state of the library, in a worker process of low priority, and stored beside the tables.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from cachetools import LRUCache

from soundalike.config import TemporaryFolder, replacing
from soundalike.errors import LibraryError, SoundalikeError
from soundalike.jobs.worker_pool import PoolClosedError, WorkerLimits, WorkerLostError, WorkerPool
from soundalike.library.storage.store import Library
from soundalike.parts import MIX
from soundalike.search.filters import Filters
from soundalike.search.open_library import OpenLibrary
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.map_worker import ComputeMap, Points, make_map_worker, stamp

MAX_ITEMS = 50_000
"""Items on one map; a larger library shows a subset."""

MAX_SECONDS = 3_600.0
MAX_CACHED = 8

Key = tuple[str, str, str]
"""State of the library, part, kind."""


class Maps:
    """The maps of one library. Thread-safe; one is computed at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: LRUCache[Key, Points | SoundalikeError] = LRUCache(MAX_CACHED)
        self._computing: dict[Key, Path] = {}  # with the file that contains the progress
        self._folder: TemporaryFolder | None = None  # made for the first map
        # The process ends after each map: the next one may be requested hours later.
        self._pool = WorkerPool(
            make_map_worker, 1, answers=(Points,), tasks_per_worker=1, limits=WorkerLimits(max_tasks=1)
        )

    def get(self, snapshot: LibrarySnapshot, part: str, kind: schemas.MapKind) -> schemas.MapOut:
        """The map of songs by a part, or of another kind by the mix; while it is computed, the progress.

        Raises InputError for a part that the library does not have, and the error if computing the map failed.
        """
        snapshot.finder.check_parts([part])
        part = part if kind == "song" else MIX
        if not (snapshot.counts if kind == "all" else snapshot.counts.get(kind)):
            return schemas.MapOut.empty("none")
        key = (snapshot.state, part, kind)
        points = self._find(key, snapshot.library)
        if isinstance(points, SoundalikeError):
            raise points
        if points is None:
            return schemas.MapOut.empty("making", self._progress(key))
        return _map_out(snapshot.finder.opened, points, kind)

    def close(self) -> None:
        """Stop computing."""
        self._pool.close()
        if self._folder is not None:
            self._folder.close()

    def _find(self, key: Key, library: Library) -> Points | SoundalikeError | None:
        """A map that exists; None if it does not: then it will be computed."""
        with self._lock:
            if key in self._known:
                return self._known[key]
            if key in self._computing:
                return None
        stored = _read(_path(library, key), library)
        with self._lock:
            if stored is not None:
                self._known[key] = stored
                return stored
            if key in self._computing:
                return None
            self._folder = self._folder or TemporaryFolder()
            progress = self._computing[key] = self._folder.path / uuid.uuid4().hex
        self._compute(key, library, progress)
        return None

    def _compute(self, key: Key, library: Library, progress: Path) -> None:
        """Have the worker compute a map."""
        _, part, kind = key
        try:
            future = self._pool.submit(ComputeMap(library.path, part, kind, progress), MAX_SECONDS)
        except PoolClosedError:
            raise LibraryError("the server is shutting down") from None
        future.add_done_callback(lambda done: self._keep(key, library, done))

    def _keep(self, key: Key, library: Library, future: Future[Any]) -> None:
        """Store a map, or remember why it cannot be computed."""
        outcome = _outcome(future)
        if isinstance(outcome, Points) and outcome.stamp == stamp(library):
            _write(_path(library, key), outcome)
        with self._lock:
            self._known[key] = outcome
            self._computing.pop(key, None)

    def _progress(self, key: Key) -> float:
        with self._lock:
            progress = self._computing.get(key)
        with suppress(OSError, ValueError):
            if progress is not None:
                return min(1.0, max(0.0, float(progress.read_text(encoding="ascii"))))
        return 0.0


def _map_out(opened: OpenLibrary, points: Points, kind: schemas.MapKind) -> schemas.MapOut:
    """The map as the API returns it."""
    catalogue = opened.catalogue
    position = dict(zip(points.contents, points.points.round(4).tolist(), strict=True))
    numbers = np.flatnonzero(catalogue.admitted(Filters(kinds=() if kind == "all" else (kind,))))
    names = ("id", "root", "path", "content", "kind", "tempo")
    columns = [catalogue.column(name).take(pa.array(numbers)).to_pylist() for name in names]
    items = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    for item, sound_class in zip(items, opened.classes.of(numbers), strict=True):
        item["class"] = sound_class and sound_class.name
    shown = [item for item in items if item["content"] in position]
    if len(shown) > MAX_ITEMS:
        shown = shown[:: -(-len(shown) // MAX_ITEMS)]
    return schemas.MapOut.model_construct(
        state="ready",
        progress=1.0,
        total=len(items),
        ids=[item["id"] for item in shown],
        x=[position[item["content"]][0] for item in shown],
        y=[position[item["content"]][1] for item in shown],
        kind=[item["kind"] for item in shown],
        tempo=[item["tempo"] for item in shown],
        folder=["/".join(filter(None, (item["root"], item["path"].rpartition("/")[0]))) for item in shown],
        names=[item["path"].rpartition("/")[2] for item in shown],
        sound_class=[item["class"] for item in shown],
    )


def _outcome(future: Future[Points]) -> Points | SoundalikeError:
    """A map, or why it cannot be computed."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, WorkerLostError):
        return LibraryError(f"the map cannot be computed: the process that computes it {error}")
    if isinstance(error, SoundalikeError):
        return error
    return LibraryError(f"the map cannot be computed (unexpected {type(error).__name__})")


def _path(library: Library, key: Key) -> Path:
    return library.derived_path(f"map-{key[2]}-{key[1]}.npz")


def _read(path: Path, library: Library) -> Points | None:
    """The stored map of this state of the tables; None if there is none."""
    with (
        suppress(OSError, ValueError, KeyError, EOFError, BadZipFile),
        path.open("rb") as file,
        np.load(file) as stored,
    ):
        if str(stored["stamp"]) == stamp(library):
            points = np.asarray(stored["points"], dtype=np.float32)
            contents = tuple(stored["contents"].tolist())
            if points.shape == (len(contents), 2):
                return Points(stamp(library), contents, points)
    return None


def _write(path: Path, points: Points) -> None:
    """Store a map; if the library is read-only, each server computes its own."""
    with suppress(OSError), replacing(path) as temporary:
        np.savez(temporary, stamp=points.stamp, contents=np.array(points.contents, dtype=str), points=points.points)
