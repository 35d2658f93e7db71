from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from soundalike.audio.metadata.loudness import LoudnessMeter, estimate_loudness
from soundalike.audio.waveform import waveform
from tests.audio.conftest import make_signal


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_agrees_with_pyloudnorm(rate: int, channels: int) -> None:
    samples = make_signal(rate, 5.0)[:channels]
    samples[:, rate : 2 * rate] *= 0.01  # something to gate
    expected = pyloudnorm.Meter(rate).integrated_loudness(samples.T.astype(np.float64))
    assert estimate_loudness(waveform(samples, rate)) == pytest.approx(expected, abs=0.05)


def test_the_reference_tone_of_the_standard() -> None:
    """A 997 Hz sine at full scale in one channel reads -3.01 LKFS (BS.1770-4)."""
    tone = np.sin(2 * np.pi * 997 * np.arange(5 * 48_000) / 48_000)
    assert estimate_loudness(waveform(tone, 48_000)) == pytest.approx(-3.01, abs=0.05)


def test_half_the_amplitude_is_6_lu_lower_and_the_lfe_does_not_count() -> None:
    samples = make_signal(48_000, 2.0)
    loud = estimate_loudness(waveform(samples, 48_000))
    quiet = estimate_loudness(waveform(samples / 2, 48_000))
    assert loud is not None
    assert quiet == pytest.approx(loud - 6.02, abs=0.01)
    six = np.zeros((6, samples.shape[1]), dtype=np.float32)
    six[:2] = samples
    six[3] = 0.5
    assert estimate_loudness(waveform(six, 48_000)) == pytest.approx(loud, abs=0.01)


def test_a_sound_shorter_than_a_block_is_measured_ungated() -> None:
    tone = np.sin(2 * np.pi * 997 * np.arange(12_000) / 48_000)
    assert estimate_loudness(waveform(tone, 48_000)) == pytest.approx(-3.01, abs=0.3)
    assert estimate_loudness(waveform([0.5], 48_000)) is not None


@pytest.mark.parametrize("samples", [np.zeros((2, 48_000)), np.zeros((1, 0)), np.full((1, 48_000), 1e-6)])
def test_silence_has_no_loudness(samples: np.ndarray) -> None:
    assert estimate_loudness(waveform(samples, 48_000)) is None


def test_a_long_file_is_sampled_throughout() -> None:
    quiet, loud = make_signal(8_000, 200.0) * np.float32(0.1), make_signal(8_000, 200.0)
    both = np.concatenate([quiet, loud], axis=1)
    expected = pyloudnorm.Meter(8_000).integrated_loudness(both.T.astype(np.float64))
    assert estimate_loudness(waveform(both, 8_000)) == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("lengths", [[601.0], [600.0, 10.0], [1.0, 0.05, 0.04, 620.0]])
def test_a_recording_over_ten_minutes_is_measured_whole(lengths: list[float]) -> None:
    """In one call or piece by piece; a burst of 3 s, which excerpts would miss, counts."""
    rate = 8_000
    samples = np.random.default_rng(0).standard_normal((1, round(sum(lengths) * rate))).astype(np.float32) * 0.01
    samples[:, 20 * rate : 23 * rate] *= 50
    expected = pyloudnorm.Meter(rate).integrated_loudness(samples.T.astype(np.float64))
    assert estimate_loudness(waveform(samples, rate)) == pytest.approx(expected, abs=0.01)
    meter = LoudnessMeter(rate)
    first = 0
    for length in lengths:
        meter.add(samples[:, first : first + round(length * rate)])
        first += round(length * rate)
    assert meter.integrated() == pytest.approx(expected, abs=0.01)


def test_silence_before_a_recording_changes_nothing() -> None:
    samples = np.concatenate([np.zeros((2, 600_000), np.float32), make_signal(44_100, 3.0)], axis=1)
    expected = pyloudnorm.Meter(44_100).integrated_loudness(samples.T.astype(np.float64))
    meter = LoudnessMeter(44_100)
    for first in range(0, samples.shape[1], 100_000):
        meter.add(samples[:, first : first + 100_000])
    assert meter.integrated() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100])
@pytest.mark.parametrize("seconds", [0.02, 0.399, 0.4, 0.41, 3.0])
def test_where_a_recording_is_cut_does_not_matter(rate: int, seconds: float) -> None:
    samples = make_signal(rate, seconds)
    meter = LoudnessMeter(rate)
    for first in range(0, samples.shape[1], 997):
        meter.add(samples[:, first : first + 997])
    assert meter.integrated() == pytest.approx(estimate_loudness(waveform(samples, rate)), abs=1e-6)
