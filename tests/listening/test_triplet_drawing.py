"""Drawing triplets: kinds, balance over songs and parts, caps."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.listening.design import DesignTriplet, Excerpt
from soundalike.listening.triplet_drawing import DrawOptions, draw_triplets
from tests.listening.made_up_design import audible_everywhere, made_up_excerpts


def draw(excerpts: tuple[Excerpt, ...], options: DrawOptions, seed: int = 0) -> tuple[DesignTriplet, ...]:
    return draw_triplets(excerpts, audible_everywhere(excerpts), options, np.random.default_rng(seed))


def songs_of(excerpts: tuple[Excerpt, ...], triplet: DesignTriplet) -> tuple[str, str, str]:
    items = {one.id: one.item for one in excerpts}
    return items[triplet.x], items[triplet.a], items[triplet.b]


@pytest.mark.parametrize("seed", range(5))
def test_xab_compares_three_songs_and_xyc_two(seed: int) -> None:
    excerpts = made_up_excerpts()
    drawn = draw(excerpts, DrawOptions(60), seed)
    assert Counter(one.kind for one in drawn) == {"XAB": 45, "XYC": 15}
    for one in drawn:
        x, a, b = songs_of(excerpts, one)
        assert len({one.x, one.a, one.b}) == 3
        assert len({x, a, b}) == (3 if one.kind == "XAB" else 2)
        assert a != b
        assert one.kind == "XAB" or x in (a, b)


@pytest.mark.parametrize("seed", range(5))
def test_the_song_of_the_reference_is_a_as_often_as_b(seed: int) -> None:
    excerpts = made_up_excerpts()
    drawn = [one for one in draw(excerpts, DrawOptions(64, 0.5), seed) if one.kind == "XYC"]
    own_is_a = sum(songs_of(excerpts, one)[1] == songs_of(excerpts, one)[0] for one in drawn)
    assert (len(drawn), own_is_a) == (32, 16)


@pytest.mark.parametrize("seed", range(5))
def test_songs_are_used_evenly(seed: int) -> None:
    excerpts = made_up_excerpts(24)
    use = Counter(song for one in draw(excerpts, DrawOptions(60, 0.0), seed) for song in songs_of(excerpts, one))
    assert len(use) == 24
    assert sum(use.values()) == 180
    assert max(use.values()) - min(use.values()) <= 4  # 7.5 on average


def test_no_song_is_used_more_often_than_the_cap() -> None:
    excerpts = made_up_excerpts(24)
    drawn = draw(excerpts, DrawOptions(15, 0.25, cap=2))
    assert max(Counter(song for one in drawn for song in set(songs_of(excerpts, one))).values()) <= 2
    with pytest.raises(InputError, match="each in at most 2 triplets"):
        draw(excerpts, DrawOptions(30, 0.25, cap=2))


def test_stems_take_turns_and_are_never_mixed() -> None:
    excerpts = made_up_excerpts(12, ("bass", "drums"))
    drawn = draw(excerpts, DrawOptions(20))
    assert Counter(one.part for one in drawn) == {"bass": 10, "drums": 10}
    part_of = {one.id: one.part for one in excerpts}
    assert all({part_of[one.x], part_of[one.a], part_of[one.b]} == {one.part} for one in drawn)


def test_parts_that_few_songs_have_are_heard_more_often_than_by_chance() -> None:
    excerpts = made_up_excerpts(24)
    drums = {f"song{n}" for n in range(12)}
    audible = {one.id: frozenset({"mix", *(["drums"] if one.item in drums else [])}) for one in excerpts}
    options = DrawOptions(20, 0.0)
    heard = []
    for known in (audible, {name: frozenset({"mix"}) for name in audible}):
        drawn = [draw_triplets(excerpts, known, options, np.random.default_rng(seed)) for seed in range(10)]
        heard.append(sum(set(songs_of(excerpts, one)) <= drums for some in drawn for one in some))
    assert heard[0] > 1.5 * heard[1]


def test_no_triplet_comes_twice_nor_one_that_is_taken() -> None:
    excerpts = made_up_excerpts(4)
    first = draw(excerpts, DrawOptions(30, 0.2, cap=100))
    second = draw_triplets(
        excerpts, audible_everywhere(excerpts), DrawOptions(30, 0.2, cap=100), np.random.default_rng(9), first
    )
    keys = [(one.x, frozenset((one.a, one.b))) for one in (*first, *second)]
    assert len(set(keys)) == 60


def test_a_seed_gives_the_same_triplets() -> None:
    excerpts = made_up_excerpts()
    assert draw(excerpts, DrawOptions(20), 4) == draw(excerpts, DrawOptions(20), 4)
    assert draw(excerpts, DrawOptions(20), 4) != draw(excerpts, DrawOptions(20), 5)


def test_two_songs_are_too_few() -> None:
    with pytest.raises(InputError, match="three songs"):
        draw(made_up_excerpts(2), DrawOptions(1))


def test_more_triplets_than_there_are_is_an_error() -> None:
    excerpts = made_up_excerpts(3)
    with pytest.raises(InputError, match="of 500 triplets can be drawn"):
        draw(excerpts, DrawOptions(500, 0.0))


@pytest.mark.parametrize(
    "options", [{"count": 0}, {"count": 2_001}, {"count": 5, "xyc_share": 1.5}, {"count": 5, "cap": 0}]
)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError):
        DrawOptions(**options)  # type: ignore[arg-type]
