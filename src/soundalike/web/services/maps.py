"""Pictures of the library: where each item lies among those that sound alike, songs by any part, all kinds together by their
mix. Made once for a state of the library, in a worker process of low priority, and kept in a file beside the tables.
"""

from __future__ import annotations

import os
import tempfile
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
from soundalike.config import replacing
from soundalike.errors import LibraryError, SoundalikeError
from soundalike.jobs.worker_pool import PoolClosedError, WorkerLimits, WorkerLostError, WorkerPool
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library
from soundalike.parts import MIX
from soundalike.search.filters import Filters
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import Shelf

METHOD = "1"
"""Changes when the same vectors give other pictures."""

MOST = 50_000
"""Items on one map; of more, so many are shown."""

SECONDS = 3_600.0
KEPT = 8
_BLOCK = 20_000

Key = tuple[str, str, str]
"""State of the library, part, kind."""


@dataclass(frozen=True)
class Points:
    """stamp: of the state of the tables; contents: those of the kind that have the part, ascending; points: (C, 2) in 0..1."""

    stamp: str
    contents: tuple[str, ...]
    points: NDArray[np.float32]


@dataclass(frozen=True)
class Draw:
    """The task of the worker. progress: a file that is told how much is done."""

    library: Location
    part: str
    kind: str
    progress: Path


class Maps:
    """The maps of one library. Thread-safe; one is made at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: LRUCache[Key, Points | SoundalikeError] = LRUCache(KEPT)
        self._making: dict[Key, Path] = {}  # with the file that tells the progress
        self._folder = tempfile.TemporaryDirectory(prefix="soundalike-map-")
        # Its process ends with each map: the next one may come in hours.
        self._pool = WorkerPool(_maker, 1, tasks_per_worker=1, limits=WorkerLimits(max_tasks=1))

    def get(self, shelf: Shelf, part: str, kind: schemas.MapKind) -> schemas.MapOut:
        """The map of a part of songs, or else of the mix, or how far it is. Raises InputError for a part that the library has
        not, and what went wrong when it was made."""
        shelf.finder.check_parts([part])
        part = part if kind == "song" else MIX
        if not (shelf.counts if kind == "all" else shelf.counts.get(kind)):
            return schemas.MapOut.empty("none")
        key = (shelf.state, part, kind)
        found = self._find(key, shelf.finder.library)
        if isinstance(found, SoundalikeError):
            raise found
        if found is None:
            return schemas.MapOut.empty("making", self._progress(key))
        place = dict(zip(found.contents, found.points.round(4).tolist(), strict=True))
        catalogue = shelf.catalogue
        numbers = np.flatnonzero(catalogue.admitted(Filters(kinds=() if kind == "all" else (kind,))))
        names = ("id", "path", "content", "kind", "tempo")
        columns = [catalogue.column(name).take(pa.array(numbers)).to_pylist() for name in names]
        items = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        shown = [item for item in items if item["content"] in place]
        if len(shown) > MOST:
            shown = shown[:: -(-len(shown) // MOST)]
        return schemas.MapOut.model_construct(
            state="ready",
            progress=1.0,
            total=len(items),
            ids=[item["id"] for item in shown],
            x=[place[item["content"]][0] for item in shown],
            y=[place[item["content"]][1] for item in shown],
            kind=[item["kind"] for item in shown],
            tempo=[item["tempo"] for item in shown],
            folder=[item["path"].rpartition("/")[0] for item in shown],
            names=[item["path"].rpartition("/")[2] for item in shown],
        )

    def close(self) -> None:
        """End what is being made."""
        self._pool.close()
        self._folder.cleanup()

    def _find(self, key: Key, library: Library) -> Points | SoundalikeError | None:
        """A map that exists; None if it does not, and it will be made."""
        with self._lock:
            if key in self._made:
                return self._made[key]
            if key in self._making:
                return None
        stored = _read(_place(library, key), library)
        with self._lock:
            if stored is not None:
                self._made[key] = stored
                return stored
            if key in self._making:
                return None
            progress = self._making[key] = Path(self._folder.name) / uuid.uuid4().hex
        self._make(key, library, progress)
        return None

    def _make(self, key: Key, library: Library, progress: Path) -> None:
        """Have a map made."""
        _, part, kind = key
        try:
            future = self._pool.submit(Draw(library.path, part, kind, progress), SECONDS)
        except PoolClosedError:
            raise LibraryError("the server is ending") from None
        future.add_done_callback(lambda done: self._take(key, library, done))

    def _take(self, key: Key, library: Library, future: Future[Any]) -> None:
        """Keep a map, or why it cannot be made."""
        made = _outcome(future)
        if isinstance(made, Points) and made.stamp == _stamp(library):
            _write(_place(library, key), made)
        with self._lock:
            self._made[key] = made
            self._making.pop(key, None)

    def _progress(self, key: Key) -> float:
        with self._lock:
            progress = self._making.get(key)
        with suppress(OSError, ValueError):
            if progress is not None:
                return min(1.0, max(0.0, float(progress.read_text(encoding="ascii"))))
        return 0.0


def _outcome(future: Future[Points]) -> Points | SoundalikeError:
    """A map, or why it cannot be made."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, WorkerLostError):
        return LibraryError(f"the map cannot be made: the process that makes it {error}")
    if isinstance(error, SoundalikeError):
        return error
    return LibraryError(f"the map cannot be made (unexpected {type(error).__name__})")


def _maker() -> Callable[[Draw], Points]:
    """Inside the worker: draws maps."""
    if hasattr(os, "nice"):
        os.nice(10)
    return _draw


def _draw(task: Draw) -> Points:
    from soundalike.similarity.projection import project

    library = Library.open(task.library)
    contents, vectors = means(library, task.part, task.kind)

    def tell(done: float) -> None:
        with suppress(OSError), replacing(task.progress) as temporary:
            temporary.write_text(f"{done:.3f}", encoding="ascii")

    return Points(_stamp(library), contents, project(vectors, tell=tell))


def means(library: Library, part: str, kind: str) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Contents of a kind, or of `all`, that have `part`, ascending, and for each the mean over its windows (C, D), of unit
    length."""
    if kind != "all":
        return _means_of(library, part, kind)
    contents: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    for one in KINDS:
        some, theirs = _means_of(library, part, one)
        contents += some
        vectors.append(theirs)
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


def _place(library: Library, key: Key) -> Path:
    return library.derived_path(f"map-{key[2]}-{key[1]}.npz")


def _read(place: Path, library: Library) -> Points | None:
    """A kept map of this state of the tables; None where there is none."""
    with suppress(OSError, ValueError, KeyError, EOFError, BadZipFile), place.open("rb") as file, np.load(file) as kept:
        if str(kept["stamp"]) == _stamp(library):
            points = np.asarray(kept["points"], dtype=np.float32)
            contents = tuple(kept["contents"].tolist())
            if points.shape == (len(contents), 2):
                return Points(_stamp(library), contents, points)
    return None


def _write(place: Path, found: Points) -> None:
    """Keep a map; in a library that may only be read, each server makes its own."""
    with suppress(OSError), replacing(place) as temporary:
        np.savez(temporary, stamp=found.stamp, contents=np.array(found.contents, dtype=str), points=found.points)
