from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from soundalike.audio.metadata.loudness import estimate_loudness
from soundalike.audio.waveform import waveform
from tests.audio.conftest import make_signal


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_agrees_with_pyloudnorm(rate: int, channels: int) -> None:
    samples = make_signal(rate, 5.0)[:channels]
    samples[:, rate : 2 * rate] *= 0.01  # something for the gate
    expected = pyloudnorm.Meter(rate).integrated_loudness(samples.T.astype(np.float64))
    assert estimate_loudness(waveform(samples, rate)) == pytest.approx(expected, abs=0.05)


def test_the_standards_own_reference() -> None:
    """A 997 Hz sine at full scale in one channel reads -3.01 LKFS (BS.1770-4)."""
    tone = np.sin(2 * np.pi * 997 * np.arange(5 * 48_000) / 48_000)
    assert estimate_loudness(waveform(tone, 48_000)) == pytest.approx(-3.01, abs=0.05)


def test_half_the_amplitude_is_6_lower_and_centre_and_lfe_count_as_told() -> None:
    samples = make_signal(48_000, 2.0)
    loud = estimate_loudness(waveform(samples, 48_000))
    quiet = estimate_loudness(waveform(samples / 2, 48_000))
    assert loud is not None
    assert quiet == pytest.approx(loud - 6.02, abs=0.01)
    six = np.zeros((6, samples.shape[1]), dtype=np.float32)
    six[:2] = samples
    six[3] = 0.5
    assert estimate_loudness(waveform(six, 48_000)) == pytest.approx(loud, abs=0.01)


def test_shorter_than_a_block_is_its_level() -> None:
    tone = np.sin(2 * np.pi * 997 * np.arange(12_000) / 48_000)
    assert estimate_loudness(waveform(tone, 48_000)) == pytest.approx(-3.01, abs=0.3)
    assert estimate_loudness(waveform([0.5], 48_000)) is not None


@pytest.mark.parametrize("samples", [np.zeros((2, 48_000)), np.zeros((1, 0)), np.full((1, 48_000), 1e-6)])
def test_silence_has_none(samples: np.ndarray) -> None:
    assert estimate_loudness(waveform(samples, 48_000)) is None


def test_a_long_file_is_sampled_all_along() -> None:
    quiet, loud = make_signal(8_000, 200.0) * np.float32(0.1), make_signal(8_000, 200.0)
    both = np.concatenate([quiet, loud], axis=1)
    expected = pyloudnorm.Meter(8_000).integrated_loudness(both.T.astype(np.float64))
    assert estimate_loudness(waveform(both, 8_000)) == pytest.approx(expected, abs=0.3)
