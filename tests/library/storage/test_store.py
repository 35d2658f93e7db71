from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import LibraryError
from soundalike.library.storage import schema as layout
from soundalike.library.storage import store
from soundalike.library.storage.manifest import FILE_NAME, generation_folder
from soundalike.library.storage.store import Library, Tables
from tests.made_up_rows import RECIPE, analysis


def _tables(library: Library) -> Tables:
    return Tables(generation_folder(library.path, 1), RECIPE)


def _song(number: int, windows: int = 3) -> layout.pa.Table:
    return layout.vector_rows(analysis("song", windows, seed=number), f"song{number:04d}", RECIPE)


def test_a_new_library_is_empty_and_opens_again(tmp_path: Path) -> None:
    made = Library.create(tmp_path / "lib", RECIPE)
    for library in (made, Library.open(tmp_path / "lib")):
        assert library.recipe == RECIPE
        assert library.roots == {}
        assert library.items().num_rows == 0
        assert library.items().schema == layout.ITEMS_SCHEMA
        assert library.vectors("windows", "bass").shape == (0, RECIPE.dimension)
        assert library.as_vectors(library.clips(["mix"])["mix"]).shape == (0, RECIPE.dimension)


def test_a_library_is_not_made_twice_nor_among_other_things(tmp_path: Path) -> None:
    Library.create(tmp_path / "lib", RECIPE)
    with pytest.raises(LibraryError, match="a library already"):
        Library.create(tmp_path / "lib", RECIPE)
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.mp3").touch()
    with pytest.raises(LibraryError, match=r"other files \(song.mp3\)"):
        Library.create(tmp_path / "music", RECIPE)


def test_an_incomplete_library_is_created_again(tmp_path: Path) -> None:
    library = Library.create(tmp_path / "lib", RECIPE)
    (library.path / FILE_NAME).unlink()  # a kill just before the end of making it
    with pytest.raises(LibraryError, match="no library at"):
        Library.open(library.path)
    assert Library.create(library.path, RECIPE).items().num_rows == 0


def test_columns_read_apart_are_in_the_same_order(tmp_path: Path) -> None:
    tables = _tables(Library.create(tmp_path, RECIPE))
    rng = np.random.default_rng(1)
    for number in rng.permutation(70):
        tables.append(layout.WINDOWS, _song(int(number), windows=int(rng.integers(1, 5))))
    for tidy in (False, True):
        if tidy:
            tables.compact(at_end=True)
        library = Library.open(tmp_path)
        rows = library.windows(["content", "start", "drums"])
        np.testing.assert_array_equal(library.vectors("windows", "drums"), library.as_vectors(rows["drums"]))
        assert library.windows(["content", "start"]) == rows.select(["content", "start"])
        for content in ("song0007", "song0066"):
            mine = library.windows(["start", "drums"], content=content)
            number = int(content[4:])
            expected = analysis("song", mine.num_rows, seed=number).vectors[:, 1].astype(np.float16)
            np.testing.assert_array_equal(library.as_vectors(mine["drums"]), expected)


def test_an_open_library_is_a_picture_that_tidying_does_not_break(tmp_path: Path) -> None:
    tables = _tables(Library.create(tmp_path, RECIPE))
    tables.append(layout.WINDOWS, _song(1))
    reader = Library.open(tmp_path)
    stamp = reader.version
    for number in range(2, 150):
        tables.append(layout.WINDOWS, _song(number))
        tables.compact()
    tables.delete(layout.WINDOWS, "content", ["song0001"])
    tables.compact(at_end=True)
    assert reader.version == stamp
    assert set(reader.windows(["content"])["content"].to_pylist()) == {"song0001"}
    assert reader.vectors("windows", "mix").shape == (3, RECIPE.dimension)
    assert Library.open(tmp_path).version != stamp
    assert Library.open(tmp_path).windows(["content"]).num_rows == 3 * 148


@pytest.mark.long
def test_many_commits_leave_few_pieces_and_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "KEEP", timedelta(milliseconds=1))
    tables = _tables(Library.create(tmp_path, RECIPE))
    for number in range(300):
        tables.append(layout.WINDOWS, _song(number, windows=1))
        tables.compact()
    assert tables.fragments(layout.WINDOWS) <= store.FEWEST_FRAGMENTS
    versions = tmp_path / "generation-1" / "windows.lance" / "_versions"
    assert len(list(versions.iterdir())) <= store.FEWEST_FRAGMENTS + 2
    assert tables.count(layout.WINDOWS) == 300


def test_many_short_runs_do_not_pile_up(tmp_path: Path) -> None:
    Library.create(tmp_path, RECIPE)
    for number in range(40):
        tables = Tables(tmp_path / "generation-1", RECIPE)
        tables.append(layout.WINDOWS, _song(number, windows=1))
        tables.compact(at_end=True)
    assert tables.fragments(layout.WINDOWS) <= store.SHORT_RUNS
    assert tables.count(layout.WINDOWS) == 40


def test_deleting_takes_any_number_of_names_and_any_name(tmp_path: Path) -> None:
    tables = _tables(Library.create(tmp_path, RECIPE))
    tables.append(layout.CLIPS, layout.vector_rows(analysis("loop"), "it's", RECIPE))
    tables.append(layout.CLIPS, layout.vector_rows(analysis("loop"), "other", RECIPE))
    assert tables.read(layout.CLIPS, ["content"], content="it's").num_rows == 1
    tables.delete(layout.CLIPS, "content", [f"none{number}" for number in range(2500)] + ["it's"])
    assert tables.read(layout.CLIPS, ["content"])["content"].to_pylist() == ["other"]


def test_damage_is_reported(tmp_path: Path) -> None:
    tables = _tables(Library.create(tmp_path / "lib", RECIPE))
    tables.append(layout.WINDOWS, _song(1))
    data = next((tmp_path / "lib" / "generation-1" / "windows.lance" / "data").iterdir())
    data.write_bytes(data.read_bytes()[:10])
    with pytest.raises(LibraryError, match=r"windows .*cannot be read.*may be damaged"):
        Library.open(tmp_path / "lib").windows(["start"])
    for version in (tmp_path / "lib" / "generation-1" / "items.lance" / "_versions").iterdir():
        version.write_bytes(b"")
    with pytest.raises(LibraryError, match="cannot be opened"):
        Library.open(tmp_path / "lib")
    (tmp_path / "lib" / "generation-1").rename(tmp_path / "elsewhere")
    with pytest.raises(LibraryError, match="generation-1 is missing"):
        Library.open(tmp_path / "lib")
    assert not (tmp_path / "lib" / "generation-1").exists()  # looking does not make it


def test_tables_of_another_recipe_are_refused(tmp_path: Path) -> None:
    Library.create(tmp_path, RECIPE)
    with pytest.raises(LibraryError, match="does not have the columns of its recipe"):
        Tables(tmp_path / "generation-1", replace(RECIPE, parts=("drums", "mix")))


def test_derived_files_and_size(tmp_path: Path) -> None:
    library = Library.create(tmp_path, RECIPE)
    before = library.size_on_disk()
    library.derived_path("index.bin").write_bytes(b"12345")
    assert library.size_on_disk() == before + 5
