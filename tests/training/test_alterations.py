"""Alterations of training sounds: what they must change, and what not."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.synth.seeds import generator
from training.alterations import RATE, altered, equalised, new_sound, pitched, saturated, shortened

TONE = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)


def loudest_frequency(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * RATE / len(samples))


@pytest.mark.parametrize("semitones", [-2, 1, 5])
def test_pitch_moves_by_semitones(semitones: int) -> None:
    assert loudest_frequency(pitched(TONE, semitones)) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.01)


def test_saturation_adds_odd_harmonics() -> None:
    spectrum = np.abs(np.fft.rfft(saturated(TONE, 8)))
    assert spectrum[1320] > 0.1 * spectrum[440]
    assert spectrum[880] < 1e-3 * spectrum[440]


def test_a_shortened_sound_falls_by_20_db_in_the_given_time() -> None:
    assert np.abs(shortened(np.ones(RATE, np.float32), 0.25)[RATE // 4]) == pytest.approx(0.1, rel=0.01)


def test_an_equaliser_keeps_the_length_and_changes_the_levels_smoothly() -> None:
    impulse = np.zeros(4096, np.float32)
    impulse[0] = 1
    levels = 20 * np.log10(np.abs(np.fft.rfft(equalised(impulse, generator("test"), 6)))[10:2000])
    assert len(equalised(impulse, generator("test"), 6)) == 4096
    assert 1 < np.ptp(levels) < 40
    assert np.abs(np.diff(levels)).max() < 1.5


@pytest.mark.parametrize("change", [altered, lambda sound, rng: new_sound(sound, rng, 5)], ids=["altered", "new sound"])
def test_the_same_seed_gives_the_same_sound(change) -> None:
    for seed in range(20):
        first, second = (change(TONE[:8000], generator("test", seed)) for _ in range(2))
        np.testing.assert_array_equal(first, second)
        assert np.isfinite(first).all()
