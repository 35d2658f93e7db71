"""Profiles: shipped ones, and those in files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.parts import PARTS
from soundalike.similarity.profiles import Profile, fitting_profile, load_profile, shipped_profiles

TABLE_4 = {
    "clap-4": (0.38, 0.37, None, None, 0.10, 1.42, 1.19),
    "clap-6": (0.11, 0.41, 0.43, 0.10, 0.21, 0.57, 1.92),
    "muq-mulan-4": (0.25, 0.78, None, None, 0.08, 0.86, 1.94),
    "muq-mulan-6": (0.32, 0.83, 0.61, 0.27, 0.33, 1.27, 1.64),
}


def test_the_shipped_profiles_are_the_rows_of_table_4() -> None:
    shipped = {profile.name: profile for profile in shipped_profiles()}
    assert set(shipped) == set(TABLE_4)
    for name, row in TABLE_4.items():
        assert shipped[name].weights == {p: w for p, w in zip(PARTS, row, strict=True) if w is not None}
        assert "vocals is noise" in shipped[name].notes


def test_a_profile_fits_its_own_models_only() -> None:
    found = fitting_profile("muq-mulan", "htdemucs_6s")
    assert found is not None
    assert found.name == "muq-mulan-6"
    assert fitting_profile("builtin", "builtin") is None


def test_a_profile_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    profile = load_profile("clap-4")
    place = tmp_path / "mine.json"
    place.write_text(json.dumps(profile.to_json()))
    assert load_profile(str(place)) == profile


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', "{", '{"weights": {}}'])
def test_a_broken_profile_is_named_in_the_error(tmp_path: Path, text: str) -> None:
    place = tmp_path / "broken.json"
    place.write_text(text)
    with pytest.raises(InputError, match=r"broken\.json"):
        load_profile(str(place))


def test_an_unknown_profile_lists_those_shipped() -> None:
    with pytest.raises(InputError, match="clap-4"):
        load_profile("nothing")


def test_unknown_fields_of_a_profile_are_refused() -> None:
    with pytest.raises(InputError, match="surprise"):
        Profile.from_json({**load_profile("clap-4").to_json(), "surprise": 1})
