"""A folder of made-up files and a library of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from soundalike.analysis.recipe import Recipe
from soundalike.config import Runtime
from soundalike.errors import AudioError
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.execution_backends import LocalBackend
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.library_update import index
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage.location import Location, ObjectRefusedError
from soundalike.library.storage.store import Library
from tests.made_up_rows import RECIPE, analysis, made_up_analyser, peaks


class InlinePool:
    """A `TaskPool` without processes: does each task when it is submitted."""

    capacity = 2

    def __init__(self, do_task: Callable[[Any], Any]) -> None:
        self._do_task = do_task

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def submit(self, task: Any, seconds: float) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(self._do_task(task))
        except (AudioError, ObjectRefusedError, ZeroDivisionError) as error:
            future.set_exception(error)
        return future

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class InlineBackend:
    """An `ExecutionBackend` for tests in which worker processes do not matter."""

    load: Callable[[Recipe, Runtime], Callable[[Any], Any]] = made_up_analyser
    readers: int = 1

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        return content_digest(place, sidecars)

    def start_pool(self, recipe: Recipe, runtime: Runtime, jobs: int | None, useful: int) -> InlinePool:
        return InlinePool(self.load(recipe, runtime))


@dataclass
class LibraryFolder:
    """Files under `music`, the library of them, and a log of what was analysed."""

    music: Path
    path: Path
    log: Path
    has_peaks: bool = True

    def write(self, **files: str) -> None:
        """Files by stem (`_` for `/`) with their text."""
        for stem, text in files.items():
            place = self.music / (stem.replace("__", "/") + ".wav")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)

    def file(self, name: str) -> Path:
        return self.music / f"{name}.wav"

    def index(self, *paths: Path, in_workers: bool = False, **options: Any) -> IndexReport:
        """One run; by default over `music` (first) or all roots. in_workers: in worker processes."""
        first = not (self.path / "library.json").exists()
        backend = LocalBackend(made_up_analyser) if in_workers else InlineBackend()
        options = {"recipe": RECIPE, "jobs": 1, "backend": backend, **options}
        report = index(self.path, paths or ([self.music] if first else []), **options)
        self.check()
        return report

    def analysed(self) -> list[str]:
        """Names of the files analysed since this was last asked, sorted."""
        names = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return sorted(names)

    def items(self) -> dict[str, dict[str, Any]]:
        """The items by path without suffix."""
        rows = Library.open(self.path).items().to_pylist()
        found = {row["path"].removesuffix(".wav"): row for row in rows}
        assert len(found) == len(rows) or len({row["root"] for row in rows}) > 1
        return found

    def check(self) -> None:
        """That the library holds what the texts of its files say, each content once, and nothing else."""
        library = Library.open(self.path)
        recipe = library.recipe
        contents: set[str] = set()
        for row in library.items().to_pylist():
            read = library.windows if row["kind"] == "song" else library.clips
            rows = read(["content", "start", "mix"], content=row["content"])
            assert rows.num_rows == row["windows"] > 0
            contents.add(row["content"])
            seed = int(str(row["artist"]).split()[-1])
            made = analysis(row["kind"], row["windows"], seed, recipe).vectors[:, -1].astype(np.float16)
            np.testing.assert_array_equal(library.as_vectors(rows["mix"]), made)
        ids = library.items()["id"].to_pylist()
        assert len(ids) == len(set(ids))
        stored = [
            *library.windows(["content"])["content"].to_pylist(),
            *library.clips(["content"])["content"].to_pylist(),
        ]
        assert set(stored) == contents
        pictured = library.peaks(sorted(contents)).to_pylist()
        assert sorted(row["content"] for row in pictured) == sorted(library.contents_with_peaks())
        if self.has_peaks:
            assert {row["content"] for row in pictured} == contents
        seeds = {row["content"]: int(str(row["artist"]).split()[-1]) for row in library.items().to_pylist()}
        for row in pictured:
            assert row["high"] == peaks(seeds[row["content"]])[1].tobytes()


@pytest.fixture
def library_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LibraryFolder:
    monkeypatch.setenv("ANALYSES", str(tmp_path / "analyses.log"))
    (tmp_path / "music").mkdir()
    return LibraryFolder(tmp_path / "music", tmp_path / "library", tmp_path / "analyses.log")


@pytest.fixture
def touch_later() -> Callable[[Path], None]:
    """Gives a file a later time of change."""

    def later(path: Path) -> None:
        facts = path.stat()
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))

    return later
