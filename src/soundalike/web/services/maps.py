"""Maps of the library, on which similar items are close together: songs by any part, or all kinds by their mix.

A map is computed once for each state of the library, in a worker process of low priority, and stored beside the tables.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from cachetools import LRUCache
from numpy.typing import NDArray

from soundalike.analysis.kinds import KINDS
from soundalike.config import TemporaryFolder, replacing
from soundalike.errors import LibraryError, SoundalikeError
from soundalike.jobs.worker_pool import PoolClosedError, WorkerLimits, WorkerLostError, WorkerPool
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library
from soundalike.parts import MIX
from soundalike.search.filters import Filters
from soundalike.search.open_library import OpenLibrary
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import LibrarySnapshot

METHOD = "2"
"""Increased when the same vectors give another map."""

MAX_ITEMS = 50_000
"""Items on one map; a larger library shows a subset."""

MAX_SECONDS = 3_600.0
MAX_CACHED = 8
_BLOCK = 20_000

Key = tuple[str, str, str]
"""State of the library, part, kind."""


@dataclass(frozen=True)
class Points:
    """stamp: identifies the state of the tables; contents: those on the map, ascending; points: (C, 2) in 0..1."""

    stamp: str
    contents: tuple[str, ...]
    points: NDArray[np.float32]


@dataclass(frozen=True)
class ComputeMap:
    """The task of the worker. progress: a file to which it writes the completed share."""

    library: Location
    part: str
    kind: str
    progress: Path


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
        if isinstance(outcome, Points) and outcome.stamp == _stamp(library):
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


def make_map_worker() -> Callable[[ComputeMap], Points]:
    """Inside the worker process: the function that computes maps."""
    if hasattr(os, "nice"):
        os.nice(10)
    return _compute_map


def _compute_map(task: ComputeMap) -> Points:
    from soundalike.similarity.projection import project

    library = Library.open(task.library)
    contents, vectors = means(library, task.part, task.kind)

    def report(done: float) -> None:
        with suppress(OSError), replacing(task.progress) as temporary:
            temporary.write_text(f"{done:.3f}", encoding="ascii")

    return Points(_stamp(library), contents, project(vectors, on_progress=report))


def means(library: Library, part: str, kind: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Contents of a kind, or of `all`, that have `part`, ascending, and the mean over the windows of each, normalised (C, D)."""
    if kind != "all":
        return _means_of(library, part, kind)
    contents: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    for one in KINDS:
        kind_contents, kind_vectors = _means_of(library, part, one)
        contents += kind_contents
        vectors.append(kind_vectors)
    order = sorted(range(len(contents)), key=contents.__getitem__)
    return tuple(contents[n] for n in order), np.concatenate(vectors)[order]


def _means_of(library: Library, part: str, kind: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    from scipy.sparse import csr_array

    items = library.items().select(["content", "kind"])
    wanted = {row["content"] for row in items.to_pylist() if row["kind"] == kind}
    table = "windows" if kind == "song" else "clips"
    read = library.windows if kind == "song" else library.clips
    stored = np.asarray(read(["content"])["content"].to_pylist(), dtype=str)
    vectors = library.vectors(table, part)
    contents, of_row = np.unique(stored, return_inverse=True)
    sums = np.zeros((len(contents), library.recipe.dimension), dtype=np.float32)
    for begin in range(0, len(vectors), _BLOCK):
        block = vectors[begin : begin + _BLOCK].astype(np.float32)
        rows = of_row[begin : begin + _BLOCK]
        sums += (
            csr_array((np.ones(len(block), np.float32), (rows, np.arange(len(block)))), (len(contents), len(block)))
            @ block
        )
    norms = np.linalg.norm(sums, axis=1)
    kept = (norms > 1e-6) & np.array([content in wanted for content in contents], dtype=bool)
    return tuple(contents[kept].tolist()), sums[kept] / norms[kept, np.newaxis]


def _stamp(library: Library) -> str:
    return f"{METHOD} {library.version}"


def _path(library: Library, key: Key) -> Path:
    return library.derived_path(f"map-{key[2]}-{key[1]}.npz")


def _read(path: Path, library: Library) -> Points | None:
    """The stored map of this state of the tables; None if there is none."""
    with (
        suppress(OSError, ValueError, KeyError, EOFError, BadZipFile),
        path.open("rb") as file,
        np.load(file) as stored,
    ):
        if str(stored["stamp"]) == _stamp(library):
            points = np.asarray(stored["points"], dtype=np.float32)
            contents = tuple(stored["contents"].tolist())
            if points.shape == (len(contents), 2):
                return Points(_stamp(library), contents, points)
    return None


def _write(path: Path, points: Points) -> None:
    """Store a map; if the library is read-only, each server computes its own."""
    with suppress(OSError), replacing(path) as temporary:
        np.savez(temporary, stamp=points.stamp, contents=np.array(points.contents, dtype=str), points=points.points)
