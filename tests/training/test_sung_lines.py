"""Sung lines: notes follow the score, whatever the vocoder makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from training.sung_lines import FRAME, Speech, _score, _stretched, _sung, line
from training.voices import RATE, SECONDS


@pytest.fixture
def speech() -> Speech:
    """Two seconds: pause, consonant, vowel, again and again, at 120 Hz where it is voiced."""
    sounds = [
        (start + begin, start + end, name)
        for start in np.arange(0, 2, 0.5)
        for begin, end, name in ((0.0, 0.1, "pau"), (0.1, 0.2, "m"), (0.2, 0.5, "a"))
    ]
    frames = round(2 / FRAME)
    pitch = np.where(np.arange(frames) * FRAME % 0.5 >= 0.1, 120.0, 0.0)
    envelope = np.tile(-np.linspace(2, 14, 513), (frames, 1)).astype(np.float32)
    return Speech(pitch, envelope, np.full((frames, 513), 0.1, np.float32), sounds)


@pytest.mark.parametrize("spoken", [False, True])
def test_a_score_has_the_length_of_a_line_and_stays_in_the_speech(speech: Speech, spoken: bool) -> None:
    for seed in range(10):
        positions, pitch = _score(speech, np.random.default_rng(seed), woman=False, spoken=spoken)
        assert len(positions) == len(pitch) == round(SECONDS / FRAME)
        assert 0 <= positions.min() <= positions.max() <= 2 / FRAME
        assert np.any(pitch == 0)
        assert pitch.max() < 640  # the highest note is two notes on one syllable above 400 Hz


def test_the_pitch_of_notes_is_carried_through_what_is_between_them() -> None:
    notes = np.array([-1.0] * 5 + [200.0] * 50 + [-1.0] * 20 + [300.0] * 50)
    for seed in range(5):
        pitch = _sung(notes, np.random.default_rng(seed))
        assert np.isfinite(pitch).all()
        assert pitch[30] == pytest.approx(200, rel=0.06)
        assert pitch[100] == pytest.approx(300, rel=0.06)


def test_a_smaller_singer_has_higher_formants() -> None:
    values = np.zeros((1, 101), np.float32)
    values[0, 50] = 1
    assert np.argmax(_stretched(values, 1.2)) == 60
    assert np.argmax(_stretched(values, 0.8)) == 40


def test_a_line_sounds_and_depends_on_the_seed_only(speech: Speech) -> None:
    pytest.importorskip("pyworld", reason="needs pyworld")
    one, again, other = (line(speech, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (round(SECONDS * RATE),)
    assert np.isfinite(one).all()
    assert np.sqrt(np.mean(one**2)) > 1e-4
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
