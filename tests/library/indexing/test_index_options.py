"""The options of a run, and which recipe follows from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soundalike.analysis.recipe import make_recipe
from soundalike.errors import InputError, LibraryError
from soundalike.library import Library
from soundalike.library.indexing.index_options import IndexOptions, wanted_recipe
from soundalike.library.indexing.library_update import index, make_empty_library
from tests.made_up_library import LibraryFolder
from tests.made_up_rows import RECIPE


def test_a_library_keeps_its_own_recipe(library: Path) -> None:
    report = index(library)
    assert (report.indexed, report.unchanged) == (0, report.found)
    assert Library.open(library).recipe.window == 5.0
    assert index(library, encoder="builtin", window=5.0).indexed == 0


def test_another_recipe_is_refused_with_both_values_and_the_solution(library: Path) -> None:
    with pytest.raises(LibraryError, match=r"window 5\.0, not 8\.0.*--upgrade"):
        index(library, window=8.0)


def test_what_options_leave_open_is_as_the_library_was_made(library: Path, tmp_path: Path) -> None:
    own = Library.open(library).recipe
    assert wanted_recipe(library, IndexOptions()) == own
    assert wanted_recipe(library, IndexOptions(windows=0)) == own
    wanted = wanted_recipe(library, IndexOptions(parts=["mix"]))
    assert (wanted.parts, wanted.window, wanted.encoder_version) == (("mix",), 5.0, own.encoder_version)
    assert wanted_recipe(library, IndexOptions(window=4.0)).hop == 4.0
    assert wanted_recipe(tmp_path, IndexOptions()).window == 10.0
    assert wanted_recipe(library, IndexOptions(recipe=RECIPE)) == RECIPE


def test_an_upgrade_brings_the_parts_of_a_new_version_unless_the_user_chose_parts(tmp_path: Path) -> None:
    version_1 = replace(make_recipe(), separator_version="1", parts=("bass", "drums", "residuals", "mix"))
    for number, (parts, upgraded) in enumerate(
        [(version_1.parts, make_recipe().parts), (("drums", "mix"), ("drums", "mix"))]
    ):
        place = tmp_path / str(number)
        Library.create(place, replace(version_1, parts=parts))
        assert wanted_recipe(place, IndexOptions()).parts == parts
        assert wanted_recipe(place, IndexOptions(upgrade=True)).parts == upgraded
        assert wanted_recipe(place, IndexOptions(upgrade=True, parts=["bass"])).parts == ("bass", "mix")


def test_a_library_that_holds_nothing_takes_another_recipe_without_upgrade(library_folder: LibraryFolder) -> None:
    make_empty_library(library_folder.path)
    before = Library.open(library_folder.path)
    library_folder.write(a="song 3 1", b="loop 2")
    report = library_folder.index(library_folder.file("a"), recipe=RECIPE, kind="loop")  # one file, of a kind
    assert (report.found, report.new) == (1, 1)
    assert library_folder.items()["a"]["kind"] == "loop"
    now = Library.open(library_folder.path)
    assert (now.recipe, now.generation) == (RECIPE, before.generation + 1)
    assert sorted(folder.name for folder in library_folder.path.glob("generation-*")) == ["generation-2"]
    with pytest.raises(LibraryError, match="--upgrade"):  # it holds something now
        library_folder.index(recipe=replace(RECIPE, window=RECIPE.window / 2))


def test_a_library_whose_only_file_was_refused_takes_another_recipe(library_folder: LibraryFolder) -> None:
    library_folder.write(a="broken")
    assert library_folder.index().skipped
    library_folder.write(a="song 3 1")
    other = replace(RECIPE, gate_db=RECIPE.gate_db - 1)
    assert library_folder.index(recipe=other).new == 1
    assert Library.open(library_folder.path).recipe == other


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"kind": "album"}, "album"),
        ({"encoder": "none"}, "none"),
        ({"separator": "none"}, "none"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"jobs": 0}, "0 jobs"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_made(tmp_path: Path, options: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        index(tmp_path / "new", [tmp_path], **options)
    assert not (tmp_path / "new").exists()


def test_an_unknown_option_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="colour"):
        index(tmp_path / "new", [tmp_path], colour="red")
