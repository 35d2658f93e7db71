"""Weights of parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.errors import InputError
from soundalike.parts import PARTS
from soundalike.similarity.weights import checked, equal_weights, in_units_of_spread, parse_weights


def test_parsed_weights_are_in_the_order_of_parts() -> None:
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
def test_invalid_weights_are_named_in_the_error(text: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        parse_weights(text)


def test_an_unavailable_part_is_named_with_the_available_ones() -> None:
    with pytest.raises(InputError, match=r"guitar.*bass, drums, mix"):
        checked({"guitar": 1.0}, ("drums", "bass", "mix"))


def test_a_library_with_one_part_names_it() -> None:
    with pytest.raises(InputError, match="no part 'drums' here; the only part is mix"):
        checked({"drums": 1.0}, ("mix",))


def test_a_zero_weight_of_an_unavailable_part_is_ignored() -> None:
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


def test_equal_weights_are_one_each() -> None:
    assert equal_weights(["mix", "drums"]) == {"drums": 1.0, "mix": 1.0}
