"""Spectra and filter banks, beside librosa's, which are the reference."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from soundalike.audio.spectral import (
    chroma_filters,
    estimate_tuning,
    magnitude_spectrogram,
    mel_filters,
    tempo_of_autocorrelation,
)

librosa = pytest.importorskip("librosa", reason="librosa is the reference (a development dependency)")

RATE = 11_025


def chord(seconds: float, *frequencies: float, seed: int = 0) -> NDArray[np.float32]:
    """Sawtooth tones with a little noise, (samples,) at RATE."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = 1e-3 * np.random.default_rng(seed).standard_normal(time.size)
    return np.asarray(
        sum(scipy.signal.sawtooth(2 * np.pi * frequency * time) for frequency in frequencies) * 0.1 + noise,
        dtype=np.float32,
    )


@pytest.mark.long
@pytest.mark.parametrize("samples", [4097, 30_000, 11_025 * 7 + 13])
@pytest.mark.parametrize(("frame", "hop"), [(4096, 2048), (512, 128)])
def test_the_spectrogram_equals_librosas(samples: int, frame: int, hop: int) -> None:
    signal = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    expected = np.abs(librosa.stft(signal, n_fft=frame, hop_length=hop))
    np.testing.assert_allclose(
        magnitude_spectrogram(signal, frame, hop), expected, rtol=1e-5, atol=1e-5 * expected.max()
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("rate", "frame", "bands", "lowest", "highest"),
    [(48_000, 1024, 64, 50.0, 14_000.0), (24_000, 2048, 128, 0.0, 12_000.0), (32_000, 1024, 80, 30.0, 900.0)],
)
def test_mel_filters_equal_librosas(rate: int, frame: int, bands: int, lowest: float, highest: float) -> None:
    with np.errstate(all="ignore"):
        expected = librosa.filters.mel(
            sr=rate, n_fft=frame, n_mels=min(bands, 10 if highest < 1000 else bands), fmin=lowest, fmax=highest
        )
    found = mel_filters(rate, frame, expected.shape[0], lowest, highest)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


def test_mel_filters_have_equal_areas_and_ascending_centres() -> None:
    filters = mel_filters(48_000, 4096, 40, 200.0, 12_000.0)
    assert filters.sum(axis=1) * 48_000 / 4096 == pytest.approx(np.ones(40), abs=0.02)
    centres = filters.argmax(axis=1) * 48_000 / 4096
    assert (np.diff(centres) > 0).all()
    assert centres[0] > 200.0
    assert centres[-1] < 12_000.0


@pytest.mark.parametrize(("frequency", "pitch_class"), [(440.0, 9), (261.63, 0), (1174.66, 2), (369.99, 6)])
def test_chroma_filters_put_a_frequency_into_its_pitch_class(frequency: float, pitch_class: int) -> None:
    filters = chroma_filters(RATE, 8192)
    assert filters[:, round(frequency * 8192 / RATE)].argmax() == pitch_class


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(
    tuning=st.floats(-0.5, 0.5),
    centre=st.floats(2.0, 6.0),
    width=st.floats(0.5, 3.0),
    frame=st.sampled_from([1024, 2048, 4096]),
)
def test_chroma_filters_equal_librosas(tuning: float, centre: float, width: float, frame: int) -> None:
    expected = librosa.filters.chroma(sr=RATE, n_fft=frame, tuning=tuning, ctroct=centre, octwidth=width, base_c=True)
    found = chroma_filters(RATE, frame, tuning=tuning, centre_octave=centre, octave_width=width)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def detuned(cents: int) -> NDArray[np.float32]:
    """The spectrogram of a chord that is so much off concert pitch."""
    detune = 2 ** (cents / 1200)
    return magnitude_spectrogram(chord(6.0, 220 * detune, 277.18 * detune, 329.63 * detune), 4096, 2048)


@pytest.mark.parametrize("cents", [-45, -12, 0, 25])
def test_tuning_is_the_truth(cents: int) -> None:
    assert estimate_tuning(detuned(cents), RATE, 100.0, 2000.0) == pytest.approx(cents / 100, abs=0.05)


@pytest.mark.long
@pytest.mark.parametrize("cents", [-45, -30, -12, 0, 7, 25, 40])
def test_tuning_equals_librosas(cents: int) -> None:
    magnitudes = detuned(cents)
    expected = librosa.estimate_tuning(S=magnitudes, sr=RATE, n_fft=4096, fmin=100.0, fmax=2000.0)
    assert estimate_tuning(magnitudes, RATE, 100.0, 2000.0) == pytest.approx(expected, abs=1e-9)


def test_a_frame_is_the_magnitude_of_the_fourier_transform_of_its_windowed_samples() -> None:
    signal = np.random.default_rng(1).standard_normal(4_000).astype(np.float32)
    found = magnitude_spectrogram(signal, 512, 128)
    window = scipy.signal.get_window("hann", 512)
    begin = 10 * 128 - 256  # frames are centred
    expected = np.abs(np.fft.rfft(signal[begin : begin + 512] * window))
    np.testing.assert_allclose(found[:, 10], expected, rtol=1e-4, atol=1e-4)


def test_tuning_of_silence_is_zero() -> None:
    assert estimate_tuning(np.zeros((2049, 5), dtype=np.float32), RATE, 100.0, 2000.0) == 0.0


@pytest.mark.long
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), lags=st.integers(60, 400))
def test_the_tempo_equals_librosas(seed: int, lags: int) -> None:
    curve = np.random.default_rng(seed).random(lags)
    expected = librosa.feature.tempo(tg=curve[:, np.newaxis], sr=RATE, hop_length=128, max_tempo=240.0, aggregate=None)
    assert tempo_of_autocorrelation(curve, RATE / 128, 240.0) == pytest.approx(float(np.ravel(expected)[0]), rel=1e-12)


def test_the_tempo_of_a_pulse() -> None:
    curve = np.zeros(300)
    curve[[43, 86, 129, 172, 215, 258]] = 1.0
    assert tempo_of_autocorrelation(curve, 86.0, 240.0) == pytest.approx(120.0)
