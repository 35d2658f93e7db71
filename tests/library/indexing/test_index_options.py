"""Which recipe a run uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.library import Library
from soundalike.library.indexing.index_options import index


def test_a_library_keeps_its_own_recipe(library: Path) -> None:
    report = index(library)
    assert (report.indexed, report.unchanged) == (0, report.found)
    assert Library.open(library).recipe.window == 5.0
    assert index(library, encoder="builtin", window=5.0).indexed == 0


def test_another_recipe_is_refused_with_both_sides_and_the_cure(library: Path) -> None:
    with pytest.raises(LibraryError, match=r"window: 5\.0 here, 8\.0 there.*--upgrade"):
        index(library, window=8.0)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [({"kind": "album"}, "album"), ({"encoder": "none"}, "none"), ({"separator": "none"}, "none")],
)
def test_wrong_words_are_named_before_anything_is_made(tmp_path: Path, arguments: dict[str, str], word: str) -> None:
    with pytest.raises(InputError, match=word):
        index(tmp_path / "new", [tmp_path], **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
