"""Which index a table gets on this machine, and how it follows its library."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.library.maintenance.roots import remove
from soundalike.library.storage.store import Library
from soundalike.search.finder import Finder
from soundalike.search.index.local_indexes import IndexSettings, LocalIndexes
from soundalike.search.index.table_rows import CLIPS, WINDOWS
from tests.search.index.growing_library import GrowingLibrary, growing_library

__all__ = ["growing_library"]


def test_a_table_beyond_the_budget_is_quantised(growing_library: GrowingLibrary) -> None:
    library = Library.open(growing_library.path)
    size = LocalIndexes(library)[WINDOWS].nbytes
    assert size == 4 * 8 * 3 * library.windows(["start"]).num_rows
    assert LocalIndexes(library, IndexSettings(memory=size))[WINDOWS].method == "memory"
    beyond = LocalIndexes(library, IndexSettings(memory=size - 1))
    assert (beyond[WINDOWS].method, beyond[WINDOWS].exact) == ("sketches", False)
    assert (beyond[CLIPS].method, beyond[CLIPS].exact) == ("memory", True)  # there are none


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_a_finder_follows_its_library(growing_library: GrowingLibrary, memory: int) -> None:
    finder = Finder.open(growing_library.path, memory=memory)
    reference = finder.items[0]["id"]
    before = finder.similar(reference, n=100)
    assert finder.refreshed() is finder
    growing_library.index(range(40, 60))
    later = finder.refreshed()
    fresh = Finder.open(growing_library.path, memory=memory)
    assert later is not finder
    assert later.similar(reference, n=100).hits == fresh.similar(reference, n=100).hits
    assert len(later.similar(reference, n=100).hits) == len(before.hits) + 20
    assert finder.similar(reference, n=100).hits == before.hits  # a picture of its moment
    (growing_library.music / "song-003.wav").unlink()
    growing_library.index(range(0))
    remove(growing_library.path, missing=True)
    last = later.refreshed()
    hits = last.similar(reference, n=100).hits
    assert len(hits) == 58
    assert [Path(hit.path).name for hit in hits].count("song-003.wav") == 0
    assert hits == Finder.open(growing_library.path, memory=memory).similar(reference, n=100).hits


def test_a_refreshed_finder_keeps_its_settings(growing_library: GrowingLibrary) -> None:
    messages: list[str] = []

    def coded() -> int:
        return sum(message.startswith("coding") for message in messages)

    finder = Finder.open(growing_library.path, memory=0, on_status=messages.append)
    reference = finder.items[0]["id"]
    finder.similar(reference)
    assert coded() == 1
    analyser = finder.analyser
    growing_library.index(range(40, 70))
    later = finder.refreshed()
    assert later.indexes[WINDOWS].method == "sketches"
    assert coded() == 2  # about the codes of the new rows, made while refreshing
    assert later.similar(reference).hits
    assert coded() == 2
    assert later.analyser is analyser
