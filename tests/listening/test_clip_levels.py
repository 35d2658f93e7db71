"""Equal loudness of clips."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.audio.waveform import Waveform
from soundalike.listening.clip_levels import MAX_LOUDNESS, Level, at_gain, common_loudness, faded, measure_level

RATE = 48_000


def tone(amplitude: float, frequency: float = 997.0, seconds: float = 2.0, channels: int = 2) -> Waveform:
    mono = amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)
    return Waveform(np.repeat(mono[np.newaxis], channels, axis=0).astype(np.float32), RATE)


def test_a_full_scale_tone_in_both_channels_has_0_lufs_and_a_peak_of_0_db() -> None:
    level = measure_level(tone(1.0))
    assert level is not None
    assert level.loudness == pytest.approx(0.0, abs=0.1)  # BS.1770: 997 Hz at 0 dBFS in one channel has -3.01 LUFS
    assert level.peak == pytest.approx(0.0, abs=0.1)


def test_the_true_peak_lies_between_the_samples() -> None:
    at_half = np.sin(np.pi / 4 + 2 * np.pi * 0.25 * np.arange(RATE))  # samples of .707 of a sine of 1
    level = measure_level(Waveform(np.array([at_half], dtype=np.float32), RATE))
    assert level is not None
    assert level.peak == pytest.approx(0.0, abs=0.3)


def test_silence_has_no_level() -> None:
    assert measure_level(Waveform(np.zeros((1, RATE), dtype=np.float32), RATE)) is None


def test_a_quiet_clip_has_the_loudness_that_it_has_when_it_is_made_loud() -> None:
    """Most of it is below -70 LUFS, where a loudness meter hears nothing."""
    samples = tone(10 ** (-66 / 20)).samples
    samples[:, RATE:] *= np.float32(10 ** (-6 / 20))
    quiet, loud = (measure_level(Waveform(at_gain(samples, gain), RATE)) for gain in (0.0, 40.0))
    assert quiet is not None
    assert loud is not None
    assert quiet.loudness == pytest.approx(loud.loudness - 40, abs=0.01)
    assert quiet.peak == pytest.approx(loud.peak - 40, abs=0.01)


def test_clips_are_as_loud_as_the_one_with_the_highest_peaks_allows() -> None:
    assert common_loudness([Level(-10.0, -0.5)]) == MAX_LOUDNESS
    assert common_loudness([Level(-10.0, -0.5), Level(-30.0, -4.0)]) == pytest.approx(-27.0)


@pytest.mark.parametrize("amplitude", [0.02, 0.2, 0.9])
def test_every_clip_gets_the_common_loudness(amplitude: float) -> None:
    one = tone(amplitude, seconds=4.0)
    level = measure_level(one)
    assert level is not None
    after = measure_level(Waveform(at_gain(one.samples, -20.0 - level.loudness), RATE))
    assert after is not None
    assert after.loudness == pytest.approx(-20.0, abs=0.01)


def test_a_clip_starts_and_ends_without_a_click() -> None:
    samples = faded(Waveform(np.ones((2, RATE), dtype=np.float32), RATE)).samples
    assert np.abs(samples[:, [0, -1]]).max() < 1e-4
    assert np.abs(np.diff(samples)).max() < 0.01
    assert samples[:, RATE // 2] == pytest.approx([1, 1])


def test_one_sample_survives() -> None:
    assert faded(Waveform(np.ones((1, 1), dtype=np.float32), RATE)).samples.shape == (1, 1)
