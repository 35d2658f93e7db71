"""Outlines of waveforms in a library: made at indexing, kept by content, gone with it; older libraries have none."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pyarrow as pa

from soundalike.library.maintenance.audit import audit
from soundalike.library.maintenance.parquet import export_parquet, import_parquet
from soundalike.library.maintenance.roots import remove
from soundalike.library.storage import schema as layout
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.store import Library, Tables
from tests.made_up_library import Shelf
from tests.made_up_rows import RECIPE


def forget_peaks(shelf: Shelf) -> None:
    """Make the library one of the time before there were peaks."""
    shutil.rmtree(generation_folder(shelf.path, Library.open(shelf.path).generation) / "peaks.lance")


def test_an_older_library_has_none_and_gets_them_with_the_next_file(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    version = Library.open(shelf.path).version
    forget_peaks(shelf)
    shelf.has_peaks = False
    old = Library.open(shelf.path)
    assert old.version == version
    assert old.pictured() == []
    assert old.peaks(["x"]).num_rows == 0
    shelf.index()
    assert Library.open(shelf.path).pictured() == []
    shelf.write(c="one-shot 3")
    shelf.index()
    library = Library.open(shelf.path)
    assert library.pictured() == [shelf.items()["c"]["content"]]
    assert audit(library).problems == ()


def test_a_copy_has_its_content_s_and_removal_takes_them_along(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", copy="song 3 1", b="loop 2")
    shelf.index()
    assert len(Library.open(shelf.path).pictured()) == 2
    remove(shelf.path, [shelf.file("a")])
    shelf.check()
    remove(shelf.path, [shelf.file("copy")])
    shelf.check()
    assert len(Library.open(shelf.path).pictured()) == 1


def test_what_a_kill_left_is_counted_and_swept(shelf: Shelf) -> None:
    shelf.write(a="song 3 1")
    shelf.index()
    tables = Tables(generation_folder(shelf.path, 1), RECIPE)
    row = {"content": "left", "duration": 1.0, "low": bytes(120), "high": bytes(120)}
    tables.append(layout.PEAKS, pa.Table.from_pylist([row], schema=layout.PEAKS_SCHEMA))
    assert audit(Library.open(shelf.path)).orphans == 1
    shelf.index()
    assert audit(Library.open(shelf.path)).orphans == 0


def test_a_content_with_two_outlines_is_a_fault(shelf: Shelf) -> None:
    shelf.write(a="song 3 1")
    shelf.index()
    tables = Tables(generation_folder(shelf.path, 1), RECIPE)
    tables.append(layout.PEAKS, tables.read(layout.PEAKS))
    (words,) = audit(Library.open(shelf.path)).problems
    assert "2 rows of peaks" in words


def test_an_upgrade_carries_them_along(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="loop 2", c="one-shot 3")
    shelf.index()
    shelf.index(recipe=replace(RECIPE, separator_version="2"), upgrade=True)  # loops and one-shots are copied
    assert shelf.analysed() == ["a.wav", "a.wav", "b.wav", "c.wav"]
    assert audit(Library.open(shelf.path)).problems == ()
    forget_peaks(shelf)
    shelf.has_peaks = False
    shelf.index(recipe=replace(RECIPE, separator_version="3"), upgrade=True)
    assert Library.open(shelf.path).pictured() == [shelf.items()["a"]["content"]]


def test_many_commits_are_tidied(shelf: Shelf) -> None:
    for number in range(20):
        shelf.write(**{f"n{number}": f"one-shot {number}"})
        shelf.index()
    tables = Tables(generation_folder(shelf.path, 1), RECIPE)
    assert tables.fragments(layout.PEAKS) < 20


def test_imported_vectors_have_none(shelf: Shelf) -> None:
    shelf.write(a="song 3 1")
    shelf.index()
    out = shelf.path.parent / "out.parquet"
    export_parquet(Library.open(shelf.path), out)
    other = shelf.path.parent / "other"
    import_parquet(other, out)
    import_parquet(other, out)
    library = Library.open(other)
    assert library.pictured() == []
    assert audit(library).problems == ()
