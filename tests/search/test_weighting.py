"""Which weights a search uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from soundalike.analysis.recipe import Recipe
from soundalike.errors import InputError
from soundalike.search.filters import make_filters
from soundalike.search.index.table_rows import CLIPS, WINDOWS, Table
from soundalike.search.query import Query
from soundalike.search.request import SearchRequest
from soundalike.search.vector_statistics import Spread
from soundalike.search.weighting import Weighting, effective_weights, requested_weights
from soundalike.similarity.profiles import load_profile

BUILTIN = Recipe("builtin", "1", "builtin", "1", ("bass", "drums", "residuals", "mix"), 8)
PAPER = Recipe("clap", "1", "htdemucs", "1", ("bass", "drums", "vocals", "residuals", "mix"), 512)


def query(*, is_clip: bool = False, texts: tuple[str, ...] = ()) -> Query:
    return Query(
        "made up", is_clip, ("mix",), np.zeros(1), np.ones(1), np.zeros((1, 1, 8), np.float32), frozenset(), texts=texts
    )


def weigh(
    recipe: Recipe = BUILTIN,
    deviations: dict[str, float] | None = None,
    *,
    of: Query | None = None,
    tables: Sequence[Table] = (WINDOWS,),
    **options: Any,
) -> Weighting:
    """The weighting of a request; deviations: the spread of each part, if it may be requested."""

    def spread(parts: Sequence[str]) -> dict[str, Spread]:
        if deviations is None:
            raise AssertionError("the spread was not needed")
        return {part: Spread(0.0, deviations[part], 100) for part in parts}

    requested = requested_weights(recipe, SearchRequest.of("song.ogg", **options))
    return effective_weights(requested, of or query(), tables, spread)


def test_hand_set_weights_act_in_units_of_the_spread() -> None:
    weighting = weigh(deviations={"bass": 0.1, "drums": 0.3}, weights={"bass": 1.0, "drums": 1.0})
    assert weighting.requested == {"bass": 1.0, "drums": 1.0}
    assert weighting.effective == pytest.approx({"bass": 1.5, "drums": 0.5})


def test_raw_weights_do_not_need_the_spread() -> None:
    assert weigh(weights={"bass": -2.0}, raw=True).effective == {"bass": -2.0}


def test_the_default_is_the_fitting_profile_or_else_equal_weights() -> None:
    learnt = weigh(PAPER)
    assert learnt.effective == {"bass": 0.38, "drums": 0.37, "vocals": 0.1, "residuals": 1.42, "mix": 1.19}
    assert "clap-4" in learnt.description
    assert "4.969 s" in learnt.description
    assert learnt == weigh(PAPER, profile="clap-4")
    equal = weigh(deviations=dict.fromkeys(BUILTIN.parts, 0.2))
    assert set(equal.requested.values()) == {1.0}
    assert "learnt profile" in equal.description


def test_a_single_part_keeps_its_cosine() -> None:
    assert weigh(part="drums").effective == {"drums": 1.0}
    assert weigh(part="drums", filters=make_filters(kinds=("loop",)), tables=(CLIPS,)).effective == {"drums": 1.0}
    assert weigh(part="drums", of=query(is_clip=True)).effective == {"drums": 1.0}


def test_of_clips_only_the_mix_counts() -> None:
    assert weigh(of=query(is_clip=True), tables=(CLIPS,)).effective == {"mix": 1.0}
    assert weigh(of=query(is_clip=True), tables=(CLIPS,), weights={"mix": 3.0}).effective == {"mix": 1.0}
    unlike = weigh(of=query(is_clip=True), tables=(CLIPS,), weights={"mix": -0.5})
    assert unlike.effective == {"mix": -1.0}
    assert "unlike first" in unlike.description
    assert weigh(filters=make_filters(kinds=("loop", "song")), tables=(WINDOWS, CLIPS)).effective == {"mix": 1.0}
    with pytest.raises(InputError, match="--part"):
        weigh(of=query(is_clip=True), tables=(CLIPS,), weights={"drums": 1.0})


@pytest.mark.parametrize("kinds", [("loop",), ()])
def test_a_profile_is_for_clips_only_if_it_concerns_their_mix(kinds: tuple[str, ...]) -> None:
    paper = load_profile("clap-4")
    options = {"of": query(is_clip=True), "tables": (CLIPS,), "filters": make_filters(kinds=kinds)}
    mix_alone = replace(paper, weights={"drums": 0.0, "mix": 1.5})
    assert weigh(PAPER, profile=mix_alone, **options).effective == {"mix": 1.5}
    with pytest.raises(InputError, match=r"profile clap-4 .* concern bass, drums, vocals, residuals, mix: leave"):
        weigh(PAPER, profile=paper, **options)


def test_a_text_is_compared_with_the_mix_or_the_parts_named() -> None:
    text = query(texts=("dry snare",))
    assert weigh(of=text, tables=(WINDOWS, CLIPS)).description == "a text: only mix"
    assert weigh(PAPER, of=text).effective == {"mix": 1.0}  # a profile is not for texts
    assert weigh(of=text, part="drums").effective == {"drums": 1.0}
    assert weigh(of=text, part="drums", tables=(CLIPS,)).effective == {"mix": 1.0}
    spread = {"bass": 0.1, "drums": 0.3}
    assert weigh(BUILTIN, spread, of=text, weights={"bass": 1.0, "drums": 1.0}).effective["bass"] == pytest.approx(1.5)
    with pytest.raises(InputError, match="means nothing for a text"):
        weigh(PAPER, of=text, profile="clap-4")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "clap-4"}, "learnt with clap and htdemucs"),
        ({"part": "vocals"}, "no part 'vocals'"),
        ({"part": "kick"}, "unknown part 'kick'"),
        ({"weights": {"drums": 1.0}, "filters": make_filters(kinds=("loop",))}, "--part"),
        ({"profile": "clap-4", "filters": make_filters(kinds=("one-shot",))}, "learnt with clap and htdemucs"),
    ],
)
def test_weights_that_do_not_fit_are_named_in_the_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        weigh(**options)
