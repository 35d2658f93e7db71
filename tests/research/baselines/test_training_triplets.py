from __future__ import annotations

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.research.baselines.training_triplets import (
    RECOMBINED,
    SILENT,
    Recombination,
    SegmentRef,
    Sound,
    TripletSampler,
    track_numbers,
)
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


def test_recombined_mixtures_take_each_part_from_a_track_of_similar_tempo() -> None:
    many = [facts(f"t{tempo}", float(tempo), {"drums": ALL, "bass": ALL}) for tempo in range(60, 180, 2)]
    sampler = TripletSampler(many, ("drums", "bass"), 3.0, 1.5)
    for seed in range(20):
        mixtures = sampler.draw_recombined(200, np.random.default_rng(seed))
        assert len(mixtures) == 200
        tracks = {segment.track for mixture in mixtures for segment in mixture.segments.values()}
        assert len(tracks) == RECOMBINED
        tempos = [float(track[1:]) for track in tracks]
        assert max(tempos) / min(tempos) < 1.5  # the slowest of all tracks are 12 within 24 BPM
        both = [mixture for mixture in mixtures if len(mixture.segments) == 2]
        assert len({mixture.segments["drums"].track for mixture in both}) == RECOMBINED
        same = np.mean([m.segments["drums"].track == m.segments["bass"].track for m in both])
        assert same == pytest.approx(1 / RECOMBINED, abs=0.1)
        assert np.mean(["bass" not in mixture.segments for mixture in mixtures]) == pytest.approx(SILENT, abs=0.1)


def test_recombined_mixtures_have_two_neighbouring_segments_of_each_part_and_track() -> None:
    sampler = TripletSampler(TRACKS, ("drums", "bass"), 3.0, 1.5)
    mixtures = sampler.draw_recombined(300, rng())
    for part in ("drums", "bass"):
        starts: dict[str, set[float]] = {}
        for mixture in mixtures:
            if part in mixture.segments:
                starts.setdefault(mixture.segments[part].track, set()).add(mixture.segments[part].start)
        assert {len(found) for found in starts.values()} == {2}
        assert {max(found) - min(found) for found in starts.values()} == {3.0}
        assert "d" not in starts or part == "bass"  # the drums of d are too short


def test_recombined_mixtures_have_an_accompaniment_when_a_part_is_trained_alone() -> None:
    sampler = TripletSampler(TRACKS, ("drums",), 3.0, 1.5)
    mixtures = sampler.draw_recombined(300, rng(), "drums")
    assert {segment.track for mixture in mixtures for segment in mixture.segments.values()} == {"a", "b", "c"}
    for part in ("drums", "bass"):
        assert np.mean([part not in mixture.segments for mixture in mixtures]) == pytest.approx(SILENT, abs=0.05)
    assert not any("piano" in mixture.segments for mixture in mixtures)


def test_recombined_mixtures_are_numbered_by_track() -> None:
    a, b = SegmentRef("a", 0.0), SegmentRef("b", 3.0)
    mixtures = [Recombination({"drums": b, "bass": a}), Recombination({"bass": b}), Recombination({"drums": b})]
    assert track_numbers(mixtures, ("bass", "drums")).tolist() == [[0, 1], [1, -1], [-1, 1]]


def test_recombining_depends_on_the_generator_alone() -> None:
    first = TripletSampler(TRACKS, ("drums", "bass"), 3.0, 1.5).draw_recombined(50, rng())
    assert first == TripletSampler(TRACKS, ("drums", "bass"), 3.0, 1.5).draw_recombined(50, rng())
    assert first != TripletSampler(TRACKS, ("drums", "bass"), 3.0, 1.5).draw_recombined(50, np.random.default_rng(1))
