"""A folder of made-up files and a library of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.errors import AudioError
from soundalike.jobs.worker_pool import Done, Failure, Workers
from soundalike.library.indexing import library_update
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.library_update import index
from soundalike.library.storage.store import Library
from tests.made_up_rows import RECIPE, analysis, made_up_analyser, peaks


class Inline:
    """Stands in for `Workers` where processes are not what is tested: does its tasks here, one when it is waited
    for."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]], count: int, **_: Any) -> None:
        self._work = make()
        self._count = count
        self._tasks: list[tuple[Any, Any]] = []

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pending(self) -> int:
        return len(self._tasks)

    @property
    def full(self) -> bool:
        return len(self._tasks) >= 2 * self._count

    @property
    def current(self) -> list[Any]:
        return [key for key, _ in self._tasks[:1]]

    def submit(self, key: Any, argument: Any, seconds: float) -> None:
        self._tasks.append((key, argument))

    def wait(self, seconds: float) -> list[Done]:
        if not self._tasks:
            return []
        key, argument = self._tasks.pop(0)
        try:
            return [Done(key, self._work(argument))]
        except (AudioError, ZeroDivisionError) as error:
            return [Done(key, Failure(error, ""))]

    def end(self) -> None:
        self._tasks.clear()


@dataclass
class Shelf:
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

    def index(self, *paths: Path, **options: Any) -> IndexReport:
        """One run with one worker; by default over `music` (first) or all roots."""
        first = not (self.path / "library.json").exists()
        options = {"recipe": RECIPE, "jobs": 1, **options}
        in_workers = options.pop("in_workers", False)
        library_update.Workers = Workers if in_workers else Inline  # type: ignore[misc,assignment]
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
            read = library.windows if row["kind"] == "song" else library.wholes
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
            *library.wholes(["content"])["content"].to_pylist(),
        ]
        assert set(stored) == contents
        pictured = library.peaks(sorted(contents)).to_pylist()
        assert sorted(row["content"] for row in pictured) == sorted(library.pictured())
        if self.has_peaks:
            assert {row["content"] for row in pictured} == contents
        seeds = {row["content"]: int(str(row["artist"]).split()[-1]) for row in library.items().to_pylist()}
        for row in pictured:
            assert row["high"] == peaks(seeds[row["content"]])[1].tobytes()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setattr(library_update, "analyser", made_up_analyser)
    monkeypatch.setattr(library_update, "Workers", Inline)
    monkeypatch.setenv("ANALYSES", str(tmp_path / "analyses.log"))
    (tmp_path / "music").mkdir()
    return Shelf(tmp_path / "music", tmp_path / "library", tmp_path / "analyses.log")


@pytest.fixture
def touch_later() -> Callable[[Path], None]:
    """Gives a file a later time of change."""

    def later(path: Path) -> None:
        facts = path.stat()
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))

    return later
