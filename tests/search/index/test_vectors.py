"""Vectors of an open library, and of what it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from soundalike.search.index.vectors import Vectors

from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.roots import remove
from soundalike.library.storage.store import Library
from soundalike.search.finder import Finder
from soundalike.search.index import rabitq_segments
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE
from tests.search.index.test_matching import PARTS, StoredVectors, vectors_of


class Made:
    """A library of made-up songs that grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "music").mkdir()

    def index(self, numbers: range) -> None:
        for number in numbers:
            (self.folder / "music" / f"song-{number:03}.wav").write_text(f"song {1 + number % 4} {number}")
        index(self.folder / "library", [self.folder / "music"], recipe=RECIPE, backend=InlineBackend())


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setattr(rabitq_segments, "LOOSE", 20)
    found = Made(tmp_path)
    found.index(range(40))
    return found


def test_rows_are_grouped_by_content_whatever_their_order() -> None:
    column = np.arange(6, dtype=np.float16)[:, np.newaxis].repeat(8, axis=1)
    library = StoredVectors(["b", "a", "b", "c", "a", "b"], [20, 0, 0, 0, 10, 10], dict.fromkeys(PARTS, column))
    vectors = vectors_of(library)
    rows = vectors.rows("windows")
    assert rows.contents.to_pylist() == ["b", "a", "c"]
    assert rows.order.tolist() == [2, 5, 0, 1, 4, 3]
    assert rows.first.tolist() == [0, 3, 5]
    assert [list(rows.of_content(index)) for index in range(3)] == [[0, 1, 2], [3, 4], [5]]
    assert vectors.column("windows", "mix")[:, 0].tolist() == [2, 5, 0, 1, 4, 3]
    assert vectors.take("windows", ["mix", "bass"], np.array([1, 5]))[:, :, 0].tolist() == [[5, 5], [3, 3]]
    assert [rows.content(row) for row in (0, 4, 5)] == ["b", "a", "c"]


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_a_finder_follows_its_library(made: Made, memory: int) -> None:
    finder = Finder.open(made.folder / "library", memory=memory)
    reference = finder.items[0]["id"]
    before = finder.similar(reference, n=100)
    assert finder.refreshed() is finder
    made.index(range(40, 60))
    later = finder.refreshed()
    fresh = Finder.open(made.folder / "library", memory=memory)
    assert later is not finder
    assert later.similar(reference, n=100).hits == fresh.similar(reference, n=100).hits
    assert len(later.similar(reference, n=100).hits) == len(before.hits) + 20
    assert finder.similar(reference, n=100).hits == before.hits  # a picture of its moment
    (made.folder / "music" / "song-003.wav").unlink()
    made.index(range(0))
    remove(made.folder / "library", missing=True)
    last = later.refreshed()
    hits = last.similar(reference, n=100).hits
    assert [Path(hit.path).name for hit in hits].count("song-003.wav") == 0
    assert hits == Finder.open(made.folder / "library", memory=memory).similar(reference, n=100).hits


def test_only_rows_that_are_new_are_read(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = Vectors(Library.open(made.folder / "library"), budget=1 << 30)
    for part in RECIPE.parts:
        vectors.column("windows", part)
    made.index(range(40, 43))
    library = Library.open(made.folder / "library")
    read: list[str] = []
    whole = Library.vectors
    monkeypatch.setattr(Library, "vectors", lambda self, table, part: read.append(part) or whole(self, table, part))
    later = vectors.following(library)
    for part in RECIPE.parts:
        expected = whole(library, "windows", part)[later.rows("windows").order].astype(np.float32)
        np.testing.assert_array_equal(later.column("windows", part), expected)
    assert read == []


def test_past_the_budget_indexing_makes_the_sketches(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_MEMORY", "1k")
    made.index(range(40, 60))
    library = Library.open(made.folder / "library")
    assert (library.derived_path("sketch-windows") / "000001" / "about.json").exists()
    assert library.derived_path("recall-windows.json").exists()
    told: list[Any] = []
    assert not Vectors(library, tell=told.append).in_memory("windows")
    assert Vectors(library, tell=told.append).sketches("windows").sketched == 0
    assert told == []
