"""Pictures of the library: where each item lies among those that sound alike, songs by any part, all kinds together by their
mix. Made once for a state of the library, in a worker process of low priority, and kept in a file beside the tables.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.analysis.kinds import KINDS
from soundalike.errors import LibraryError, SoundalikeError
from soundalike.jobs.worker_pool import Failure, Lost, Workers
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
    """contents: those of the kind that have the part, ascending; points: (C, 2) in 0..1."""

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
        self._made: OrderedDict[Key, Points | SoundalikeError] = OrderedDict()
        self._waiting: deque[tuple[Key, Library]] = deque()
        self._current: tuple[Key, Path] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

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
        self._closed = True
        thread = self._thread
        if thread is not None:
            thread.join(5)

    def _find(self, key: Key, library: Library) -> Points | SoundalikeError | None:
        """A map that is there; None where it is not, and it will be made."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            running = self._current is not None or bool(self._waiting)
            known = (self._current is not None and self._current[0] == key) or any(
                key == one for one, _ in self._waiting
            )
        if known:
            return None
        read = _read(_place(library, key), library)
        with self._lock:
            if read is not None:
                self._keep(key, read)
            elif not self._closed:
                self._waiting.append((key, library))
                if not running:
                    self._thread = threading.Thread(target=self._make_all, name="maps", daemon=True)
                    self._thread.start()
        return read

    def _keep(self, key: Key, found: Points | SoundalikeError) -> None:
        self._made[key] = found
        while len(self._made) > KEPT:
            self._made.popitem(last=False)

    def _progress(self, key: Key) -> float:
        with self._lock:
            current = self._current
        if current is None or current[0] != key:
            return 0.0
        with suppress(OSError, ValueError):
            return min(1.0, max(0.0, float(current[1].read_text(encoding="ascii"))))
        return 0.0

    def _make_all(self) -> None:
        """The life of the thread: make what is waited for, one after the other."""
        with tempfile.TemporaryDirectory(prefix="soundalike-map-") as folder:
            while True:
                with self._lock:
                    if not self._waiting or self._closed:
                        self._current = None
                        return
                    key, library = self._waiting.popleft()
                    progress = Path(folder) / "progress"
                    progress.unlink(missing_ok=True)
                    self._current = key, progress
                try:
                    found: Points | SoundalikeError = self._make(key, library, progress)
                except SoundalikeError as error:
                    found = error
                with self._lock:
                    self._keep(key, found)

    def _make(self, key: Key, library: Library, progress: Path) -> Points:
        _, part, kind = key
        with Workers(_maker, 1) as workers:
            workers.submit(key, Draw(library.path, part, kind, progress), SECONDS)
            while not self._closed:
                for done in workers.wait(0.5):
                    return self._taken(key, library, done.outcome)
        raise LibraryError("the server is ending")

    def _taken(self, key: Key, library: Library, outcome: Any) -> Points:
        if isinstance(outcome, Lost):
            raise LibraryError(f"the map cannot be made: the process that makes it {outcome.reason}")
        if isinstance(outcome, Failure):
            if isinstance(outcome.error, SoundalikeError):
                raise outcome.error
            raise LibraryError(f"the map cannot be made (unexpected {type(outcome.error).__name__})")
        version, contents, points = outcome
        found = Points(contents, points)
        if version == _stamp(library):
            _write(_place(library, key), library, found)
        return found


def _maker() -> Callable[[Draw], tuple[str, tuple[str, ...], NDArray[np.float32]]]:
    """Inside the worker: draws maps."""
    if hasattr(os, "nice"):
        os.nice(10)
    return _draw


def _draw(task: Draw) -> tuple[str, tuple[str, ...], NDArray[np.float32]]:
    from soundalike.similarity.projection import project

    library = Library.open(task.library)
    contents, vectors = means(library, task.part, task.kind)

    def tell(done: float) -> None:
        with suppress(OSError):
            half = task.progress.with_suffix(".half")
            half.write_text(f"{done:.3f}", encoding="ascii")
            half.replace(task.progress)

    return _stamp(library), contents, project(vectors, tell=tell)


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
    table = "windows" if kind == "song" else "wholes"
    read = library.windows if kind == "song" else library.wholes
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
                return Points(contents, points)
    return None


def _write(place: Path, library: Library, found: Points) -> None:
    """Keep a map; a library that may only be read has it made by each server."""
    temporary = place.with_name(f"{place.stem}.{os.getpid()}.tmp.npz")
    try:
        np.savez(temporary, stamp=_stamp(library), contents=np.array(found.contents, dtype=str), points=found.points)
        os.replace(temporary, place)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
