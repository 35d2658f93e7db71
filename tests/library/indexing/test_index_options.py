"""The options of a run, and which recipe follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.library import Library
from soundalike.library.indexing.index_options import IndexOptions, wanted_recipe
from soundalike.library.indexing.library_update import index
from tests.made_up_rows import RECIPE


def test_a_library_keeps_its_own_recipe(library: Path) -> None:
    report = index(library)
    assert (report.indexed, report.unchanged) == (0, report.found)
    assert Library.open(library).recipe.window == 5.0
    assert index(library, encoder="builtin", window=5.0).indexed == 0


def test_another_recipe_is_refused_with_both_values_and_the_solution(library: Path) -> None:
    with pytest.raises(LibraryError, match=r"window: 5\.0 here, 8\.0 there.*--upgrade"):
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
