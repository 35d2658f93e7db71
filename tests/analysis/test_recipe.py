"""How vectors were made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from soundalike.analysis.recipe import Recipe, is_heavy, licences, make_recipe
from soundalike.errors import InputError, LibraryError


def test_recipes_survive_json_and_list_their_differences() -> None:
    recipe = make_recipe(window=5.0)
    assert Recipe.from_json(recipe.to_json()) == recipe
    other = make_recipe(window=5.0, gate_db=-30.0)
    assert recipe.differences(other) == ["gate db -40.0, not -30.0"]
    assert recipe.fingerprint() != other.fingerprint()
    with pytest.raises(LibraryError, match="surprise"):
        Recipe.from_json({**recipe.to_json(), "surprise": 1})


def test_recipes_of_the_first_format_are_read() -> None:
    values = make_recipe().to_json()
    for name in ("precision", "windows", "windows_version", "signal_version"):
        del values[name]
    assert Recipe.from_json(values) == replace(make_recipe(), signal_version="")
    del values["hop"]
    with pytest.raises(LibraryError, match="hop"):
        Recipe.from_json(values)


def test_options_that_change_vectors_change_the_recipe() -> None:
    plain = make_recipe()
    few = make_recipe(windows=4)
    assert plain.fingerprint() != few.fingerprint()
    assert "builtin" in few.windows_version
    assert make_recipe(parts=["drums"]).parts == ("drums", "mix")
    assert not is_heavy(plain)
    assert is_heavy(replace(plain, encoder="clap"))
    assert licences(replace(plain, encoder="muq-mulan")) == {"builtin": "Apache-2.0", "muq-mulan": "CC-BY-NC-4.0"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"window": 0.1},
        {"window": 1e9},
        {"hop": 20.0},
        {"encoder": "nothing"},
        {"parts": ["piano"]},
        {"parts": ["kazoo"]},
        {"windows": 0},
        {"precision": "fast"},
        {"precision": "int8"},
    ],
)
def test_impossible_recipes_are_rejected(arguments: dict[str, float]) -> None:
    with pytest.raises(InputError):
        make_recipe(**arguments)  # type: ignore[arg-type]


def test_a_recipe_from_before_the_offset_was_removed_stays_as_it_was() -> None:
    before = replace(make_recipe(), signal_version="")
    assert "signal_version" not in before.to_json()
    assert Recipe.from_json(before.to_json()) == before
    assert before.fingerprint() != make_recipe().fingerprint()
    assert before.differences(make_recipe()) == ["signal version none, not 2"]
    assert make_recipe().removes_offset
    assert not before.removes_offset
