"""Waveform overviews in a library: made at indexing, stored by content, deleted with it; older libraries have none."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pyarrow as pa
import pytest

from soundalike.library.maintenance.audit import audit
from soundalike.library.maintenance.parquet import export_parquet, import_parquet
from soundalike.library.maintenance.roots import remove
from soundalike.library.storage import schema as layout
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.store import Library, Tables
from tests.made_up_library import LibraryFolder
from tests.made_up_rows import RECIPE


def forget_peaks(library_folder: LibraryFolder) -> None:
    """Make the library an old one, without peaks."""
    shutil.rmtree(generation_folder(library_folder.path, Library.open(library_folder.path).generation) / "peaks.lance")


def test_an_older_library_has_no_peaks_and_gets_them_with_the_next_file(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    version = Library.open(library_folder.path).version
    forget_peaks(library_folder)
    library_folder.has_peaks = False
    old = Library.open(library_folder.path)
    assert old.version == version
    assert old.contents_with_peaks() == []
    assert old.peaks(["x"]).num_rows == 0
    library_folder.index()
    assert Library.open(library_folder.path).contents_with_peaks() == []
    library_folder.write(c="one-shot 3")
    library_folder.index()
    library = Library.open(library_folder.path)
    assert library.contents_with_peaks() == [library_folder.items()["c"]["content"]]
    assert audit(library).problems == ()


def test_peaks_belong_to_a_content_and_are_removed_with_it(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", copy="song 3 1", b="loop 2")
    library_folder.index()
    assert len(Library.open(library_folder.path).contents_with_peaks()) == 2
    remove(library_folder.path, [library_folder.file("a")])
    library_folder.check()
    remove(library_folder.path, [library_folder.file("copy")])
    library_folder.check()
    assert len(Library.open(library_folder.path).contents_with_peaks()) == 1


def test_peaks_that_a_kill_left_are_counted_and_deleted(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    tables = Tables(generation_folder(library_folder.path, 1), RECIPE)
    row = {"content": "left", "duration": 1.0, "low": bytes(120), "high": bytes(120)}
    tables.append(layout.PEAKS, pa.Table.from_pylist([row], schema=layout.PEAKS_SCHEMA))
    assert audit(Library.open(library_folder.path)).orphans == 1
    library_folder.index()
    assert audit(Library.open(library_folder.path)).orphans == 0


def test_a_content_with_two_rows_of_peaks_is_a_problem(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    tables = Tables(generation_folder(library_folder.path, 1), RECIPE)
    tables.append(layout.PEAKS, tables.read(layout.PEAKS))
    (problem,) = audit(Library.open(library_folder.path)).problems
    assert "2 rows of peaks" in problem


def test_an_upgrade_copies_peaks(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2", c="one-shot 3")
    library_folder.index()
    library_folder.index(recipe=replace(RECIPE, separator_version="2"), upgrade=True)  # loops and one-shots are copied
    assert library_folder.analysed() == ["a.wav", "a.wav", "b.wav", "c.wav"]
    assert audit(Library.open(library_folder.path)).problems == ()
    forget_peaks(library_folder)
    library_folder.has_peaks = False
    library_folder.index(recipe=replace(RECIPE, separator_version="3"), upgrade=True)
    assert Library.open(library_folder.path).contents_with_peaks() == [library_folder.items()["a"]["content"]]


@pytest.mark.long
def test_many_commits_are_compacted(library_folder: LibraryFolder) -> None:
    for number in range(20):
        library_folder.write(**{f"n{number}": f"one-shot {number}"})
        library_folder.index()
    tables = Tables(generation_folder(library_folder.path, 1), RECIPE)
    assert tables.fragments(layout.PEAKS) < 20


def test_imported_vectors_have_no_peaks(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    out = library_folder.path.parent / "out.parquet"
    export_parquet(Library.open(library_folder.path), out)
    other = library_folder.path.parent / "other"
    import_parquet(other, out)
    import_parquet(other, out)
    library = Library.open(other)
    assert library.contents_with_peaks() == []
    assert audit(library).problems == ()
