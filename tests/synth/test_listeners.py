from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundalike.synth.drums import KITS, kit_named
from soundalike.synth.listeners import SHARES, WEIGHTS, Listeners, Segment, likeness, segments
from soundalike.synth.specs import SongSpec, song_specs

SECONDS = 4.969


@pytest.fixture(scope="module")
def specs() -> tuple[SongSpec, ...]:
    return song_specs(1, 8, 30.0)


def chorus(spec: SongSpec) -> Segment:
    """A segment in which everything plays."""
    return next(s for s in segments(spec, 30.0, SECONDS) if set(spec.parts) <= s.parts)


def test_a_segment_hears_what_the_arrangement_plays(specs: tuple[SongSpec, ...]) -> None:
    for spec in specs:
        bar, at = 240 / spec.tempo, 0.0
        for section in spec.sections:
            inside = Segment(spec, at, at + section.bars * bar)
            assert inside.parts == {*section.parts, "mix"}
            at += section.bars * bar


def test_a_segment_is_like_itself_and_unlike_silence(specs: tuple[SongSpec, ...]) -> None:
    one = chorus(specs[0])
    for part in one.parts:
        assert likeness(one, one, part) == pytest.approx(dict.fromkeys((*SHARES, "total"), 1.0))
    intro = Segment(specs[0], 0.0, 1.0)
    absent = next(part for part in specs[0].parts if part not in intro.parts)
    assert set(likeness(one, intro, absent).values()) == {0.0}


def test_likeness_follows_what_is_shared(specs: tuple[SongSpec, ...]) -> None:
    spec = specs[0]
    one = chorus(spec)
    other_kit = next(s.kit for s in specs if s.kit != spec.kit)
    drums = likeness(one, chorus(replace(spec, kit=other_kit)), "drums")
    assert drums["timbre"] < 1 == drums["rhythm"]
    assert likeness(one, chorus(replace(spec, kit=other_kit)), "bass")["total"] == pytest.approx(1.0)
    moved = likeness(one, chorus(replace(spec, key=replace(spec.key, tonic=(spec.key.tonic + 5) % 12))), "bass")
    assert moved["melody"] == 0.5
    assert moved["total"] == pytest.approx(1 - 0.5 * SHARES["melody"])


def test_kits_of_a_family_are_akin(specs: tuple[SongSpec, ...]) -> None:
    family = kit_named(specs[0].kit).family
    akin = next(kit for kit in KITS if kit != specs[0].kit and kit_named(kit).family == family)
    found = likeness(chorus(specs[0]), chorus(replace(specs[0], kit=akin)), "drums")
    assert found["timbre"] == 0.4


def test_likeness_is_symmetric_and_a_share(specs: tuple[SongSpec, ...]) -> None:
    heard = [chorus(spec) for spec in specs]
    for a in heard:
        for b in heard:
            for part in WEIGHTS:
                assert likeness(a, b, part) == pytest.approx(likeness(b, a, part))
                assert all(0 <= value <= 1 for value in likeness(a, b, part).values())


def test_turning_the_candidates_turns_the_preference(specs: tuple[SongSpec, ...]) -> None:
    x, a, b = (chorus(spec) for spec in specs[:3])
    listeners = Listeners()
    assert listeners.log_odds(x, a, b, "mix") == pytest.approx(-listeners.log_odds(x, b, a, "mix"))
    assert listeners.log_odds(x, x, b, "drums") > 0


@pytest.mark.parametrize("odds", [0.0, 0.8, -2.0])
def test_answers_have_the_planted_probabilities(odds: float) -> None:
    listeners = Listeners(lapse=0.1, strength=1.5)
    rng = np.random.default_rng(4)
    answers = [listeners.answer(odds, rng) for _ in range(20_000)]
    expected = {
        "A+": 1 / (1 + np.exp(-(odds - 1.5))),
        "A-": 1 / (1 + np.exp(-odds)) - 1 / (1 + np.exp(-(odds - 1.5))),
        "B+": 1 / (1 + np.exp(odds + 1.5)),
    }
    for grade, probability in expected.items():
        share = answers.count(grade) / len(answers)
        assert share == pytest.approx(0.025 + 0.9 * probability, abs=0.012)
