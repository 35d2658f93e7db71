"""Indexing prepares the search of libraries that are larger than the memory budget."""

from __future__ import annotations

import inspect

import pytest

from soundalike.library.indexing import library_update
from soundalike.library.storage.store import Library
from soundalike.search.after_indexing import index, prepare_search
from soundalike.search.finder import Finder
from soundalike.search.index.table_rows import WINDOWS
from tests.made_up_library import InlineBackend
from tests.search.index.growing_library import GrowingLibrary, growing_library

__all__ = ["growing_library"]


def test_beyond_the_budget_codes_are_built_and_recall_is_measured(
    growing_library: GrowingLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_MEMORY", "1k")
    report = index(growing_library.path, backend=InlineBackend())
    library = Library.open(growing_library.path)
    assert report.sketched == library.windows(["start"]).num_rows > 0
    assert (library.derived_path("sketch-windows") / "000001" / "about.json").exists()
    assert library.derived_path("recall-windows.json").exists()
    messages: list[str] = []
    finder = Finder.open(growing_library.path, on_status=messages.append)
    assert finder.indexes[WINDOWS].method == "sketches"
    assert finder.similar(finder.items[0]["id"]).hits
    assert messages == []
    assert prepare_search(str(growing_library.path)) == 0


def test_within_the_budget_nothing_is_built(growing_library: GrowingLibrary) -> None:
    assert index(library=growing_library.path, backend=InlineBackend()).sketched == 0
    assert not Library.open(growing_library.path).derived_path("sketch-windows").exists()


def test_it_takes_the_arguments_of_indexing() -> None:
    assert inspect.signature(index) == inspect.signature(library_update.index)
    assert index.__doc__ == library_update.index.__doc__
