from __future__ import annotations

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.research.baselines.training_triplets import SegmentRef, Sound, TripletSampler
from tests.research.baselines.made_up_tracks import facts

ALL = (0.0, 12.0)
TRACKS = [
    facts("a", 100.0, {"drums": ALL, "bass": (0.0, 7.0)}),
    facts("b", 102.0, {"drums": ALL, "bass": ALL}),
    facts("c", 150.0, {"drums": ALL, "bass": ALL}),
    facts("d", None, {"drums": (0.0, 2.0), "bass": ALL}),
]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_real_triplets_compare_neighbours_with_another_track_of_the_same_tempo() -> None:
    sampler = TripletSampler(TRACKS, ("drums",), 3.0, 1.5)
    for triplet in sampler.draw_many(200, rng(), 0.0):
        first, second = triplet.anchor.target, triplet.positive.target
        assert first.track == second.track != triplet.negative.target.track
        assert abs(first.start - second.start) == 3.0
        for sound in (triplet.anchor, triplet.positive, triplet.negative):
            assert sound.target == sound.others
        if first.track in "ab":
            assert triplet.negative.target.track == ("b" if first.track == "a" else "a")
        assert "d" not in (first.track, triplet.negative.target.track)


def test_without_the_same_tempo_the_nearest_tracks_are_used() -> None:
    sampler = TripletSampler(TRACKS, ("drums",), 3.0, 1.5)
    others = {t.negative.target.track for t in sampler.draw_many(200, rng(), 0.0) if t.anchor.target.track == "c"}
    assert others == {"a", "b"}


def test_pseudo_triplets_exchange_one_part() -> None:
    sampler = TripletSampler(TRACKS, ("drums", "bass"), 3.0, 3.0)
    triplets = sampler.draw_many(200, rng(), 1.0)
    assert [triplet.part for triplet in triplets[:4]] == ["drums", "bass", "drums", "bass"]
    for triplet in triplets:
        assert triplet.anchor == Sound.real(triplet.anchor.target)
        assert triplet.negative.others == triplet.anchor.target
        assert triplet.negative.target.track != triplet.anchor.target.track
        assert triplet.positive.target.track == triplet.anchor.target.track
        assert triplet.positive.others.track != triplet.anchor.target.track


def test_a_part_must_be_audible_in_both_neighbours() -> None:
    sampler = TripletSampler(TRACKS, ("bass",), 3.0, 3.0)
    starts = {
        segment.start
        for triplet in sampler.draw_many(300, rng(), 0.0)
        for segment in (triplet.anchor.target, triplet.positive.target, triplet.negative.target)
        if segment.track == "a"
    }
    assert starts == {0.0, 3.0, 6.0}  # from 6 to 7 s it plays for a third of the segment


def test_the_share_of_pseudo_mixtures_and_the_order_of_the_pair() -> None:
    sampler = TripletSampler(TRACKS, ("bass",), 3.0, 3.0)
    triplets = sampler.draw_many(1_000, rng(), 0.3)
    assert np.mean([t.positive.target != t.positive.others for t in triplets]) == pytest.approx(0.3, abs=0.05)
    assert np.mean([t.anchor.target.start < t.positive.target.start for t in triplets]) == pytest.approx(0.5, abs=0.05)


def test_drawing_depends_on_the_generator_alone() -> None:
    first = TripletSampler(TRACKS, ("drums", "bass"), 3.0, 1.5).draw_many(50, rng(), 0.5)
    assert first == TripletSampler(TRACKS, ("drums", "bass"), 3.0, 1.5).draw_many(50, rng(), 0.5)


def test_mixtures_to_separate_include_silence_of_the_part() -> None:
    sounds = TripletSampler(TRACKS, ("drums",), 3.0, 3.0).draw_sounds("drums", 300, rng(), 0.5)
    assert Sound.real(SegmentRef("d", 9.0)) in sounds
    assert all(s.target.track != "d" for s in sounds if s.target != s.others)


def test_too_few_tracks_with_a_part_are_an_error() -> None:
    with pytest.raises(InputError, match=r"0 of 4 tracks have piano.*--part"):
        TripletSampler(TRACKS, ("piano",), 3.0, 3.0)
