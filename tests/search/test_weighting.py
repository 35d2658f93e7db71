"""Which weights a query uses."""

from __future__ import annotations

from typing import Any

import pytest

from soundalike.analysis.recipe import Recipe
from soundalike.errors import InputError
from soundalike.search.vector_statistics import Spread
from soundalike.search.weighting import Weighting, choose_weights

BUILTIN = Recipe("builtin", "1", "builtin", "1", ("bass", "drums", "residuals", "mix"), 8)
PAPER = Recipe("clap", "1", "htdemucs", "1", ("bass", "drums", "vocals", "residuals", "mix"), 512)


def choose(recipe: Recipe = BUILTIN, deviations: dict[str, float] | None = None, **given: Any) -> Weighting:
    def spread() -> dict[str, Spread]:
        if deviations is None:
            raise AssertionError("the spread was not needed")
        return {part: Spread(0.0, deviation, 100) for part, deviation in deviations.items()}

    defaults: dict[str, Any] = {"weights": None, "profile": None, "part": None, "raw": False, "wholes": False}
    return choose_weights(recipe, spread=spread, **{**defaults, **given})


def test_hand_set_weights_act_in_units_of_the_spread() -> None:
    found = choose(deviations={"bass": 0.1, "drums": 0.3}, weights={"bass": 1.0, "drums": 1.0})
    assert found.asked == {"bass": 1.0, "drums": 1.0}
    assert found.effective == pytest.approx({"bass": 1.5, "drums": 0.5})


def test_raw_weights_do_not_look_at_the_spread() -> None:
    assert choose(weights={"bass": -2.0}, raw=True).effective == {"bass": -2.0}


def test_without_weights_the_fitting_profile_counts_else_equal_weights() -> None:
    learnt = choose(PAPER)
    assert learnt.effective == {"bass": 0.38, "drums": 0.37, "vocals": 0.1, "residuals": 1.42, "mix": 1.19}
    assert "clap-4" in learnt.words
    assert "4.969 s" in learnt.words
    equal = choose(deviations=dict.fromkeys(BUILTIN.parts, 0.2))
    assert set(equal.asked.values()) == {1.0}
    assert "learnt profile" in equal.words


def test_a_part_alone_keeps_its_cosine() -> None:
    assert choose(part="drums").effective == {"drums": 1.0}
    assert choose(part="drums", wholes=True).effective == {"drums": 1.0}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"weights": {"bass": 1.0}, "profile": "clap-4"}, "exclude each other"),
        ({"weights": {}, "part": "drums"}, "exclude each other"),
        ({"profile": "clap-4"}, "learnt with clap and htdemucs"),
        ({"part": "vocals"}, "no part 'vocals'"),
        ({"weights": {"drums": 1.0}, "wholes": True}, "--part"),
        ({"profile": "clap-4", "wholes": True}, "--part"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        choose(**given)
