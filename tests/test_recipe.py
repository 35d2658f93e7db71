"""How vectors were made."""

from __future__ import annotations

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.recipe import Recipe, make_recipe


def test_recipes_survive_json_and_tell_differences() -> None:
    recipe = make_recipe(window=5.0)
    assert Recipe.from_json(recipe.to_json()) == recipe
    other = make_recipe(window=5.0, gate_db=-30.0)
    assert recipe.differences(other) == ["gate_db: -40.0 here, -30.0 there"]
    assert recipe.fingerprint() != other.fingerprint()
    with pytest.raises(LibraryError, match="surprise"):
        Recipe.from_json({**recipe.to_json(), "surprise": 1})


@pytest.mark.parametrize("arguments", [{"window": 0.1}, {"window": 1e9}, {"hop": 20.0}, {"encoder": "nothing"}])
def test_impossible_recipes_are_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(InputError):
        make_recipe(**arguments)  # type: ignore[arg-type]
