"""Weights and profiles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.errors import InputError
from soundalike.parts import PARTS
from soundalike.similarity.weights import (
    Profile,
    checked,
    equal_weights,
    fitting_profile,
    in_units_of_spread,
    load_profile,
    parse_weights,
    shipped_profiles,
)

TABLE_4 = {
    "clap-4": (0.38, 0.37, None, None, 0.10, 1.42, 1.19),
    "clap-6": (0.11, 0.41, 0.43, 0.10, 0.21, 0.57, 1.92),
    "muq-mulan-4": (0.25, 0.78, None, None, 0.08, 0.86, 1.94),
    "muq-mulan-6": (0.32, 0.83, 0.61, 0.27, 0.33, 1.27, 1.64),
}


def test_weights_are_read_in_the_order_of_parts() -> None:
    assert list(parse_weights("mix=-.5, drums=1,bass=.3").items()) == [("bass", 0.3), ("drums", 1.0), ("mix", -0.5)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("drum=1", "drum"),
        ("drums", "drums"),
        ("drums=loud", "loud"),
        ("drums=1,drums=2", "twice"),
        ("drums=0", "zero"),
        ("drums=nan", "finite"),
        ("drums=inf", "finite"),
        ("", "not a weight"),
    ],
)
def test_wrong_weights_are_named(text: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        parse_weights(text)


def test_a_part_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"guitar.*bass, drums, mix"):
        checked({"guitar": 1.0}, ("drums", "bass", "mix"))


def test_a_zero_weight_of_an_absent_part_is_no_error() -> None:
    assert checked({"guitar": 0.0, "bass": 2.0}, ("bass",)) == {"bass": 2.0}


@given(
    st.dictionaries(st.sampled_from(PARTS), st.floats(-5, 5).filter(lambda w: abs(w) > 1e-3), min_size=1),
    st.lists(st.floats(0.01, 1), min_size=len(PARTS), max_size=len(PARTS)),
)
def test_units_of_spread_keep_ratio_sign_and_sum(weights: dict[str, float], deviations: list[float]) -> None:
    spread = dict(zip(PARTS, deviations, strict=True))
    scaled = in_units_of_spread(weights, spread)
    assert sum(map(abs, scaled.values())) == pytest.approx(sum(map(abs, weights.values())))
    factors = [scaled[part] * spread[part] / weights[part] for part in weights]
    assert factors == pytest.approx([factors[0]] * len(factors))
    assert factors[0] > 0


def test_the_shipped_profiles_are_the_rows_of_table_4() -> None:
    shipped = {profile.name: profile for profile in shipped_profiles()}
    assert set(shipped) == set(TABLE_4)
    for name, row in TABLE_4.items():
        assert shipped[name].weights == {p: w for p, w in zip(PARTS, row, strict=True) if w is not None}
        assert "vocals is noise" in shipped[name].notes


def test_a_profile_fits_only_its_own_models() -> None:
    found = fitting_profile("muq-mulan", "htdemucs_6s")
    assert found is not None
    assert found.name == "muq-mulan-6"
    assert fitting_profile("builtin", "builtin") is None


def test_a_profile_survives_its_file(tmp_path: Path) -> None:
    profile = load_profile("clap-4")
    place = tmp_path / "mine.json"
    place.write_text(json.dumps(profile.to_json()))
    assert load_profile(str(place)) == profile


@pytest.mark.parametrize("text", ["", "[]", '{"name": "x"}', "{", '{"weights": {}}'])
def test_a_broken_profile_is_named(tmp_path: Path, text: str) -> None:
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


def test_equal_weights_are_one_each() -> None:
    assert equal_weights(["mix", "drums"]) == {"drums": 1.0, "mix": 1.0}
