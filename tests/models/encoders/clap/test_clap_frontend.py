"""The front end of LAION-CLAP, compared with hand-computed values and librosa."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.models.encoders.clap import clap_frontend
from soundalike.models.encoders.clap.clap_frontend import (
    BANDS,
    FRAMES,
    HOP,
    SAMPLE_RATE,
    WINDOW,
    log_mel,
    mel_bands,
    split_windows,
)
from tests.models.neural.clips import clip
from tests.models.neural.narrow_clap import golden


def test_samples_are_truncated_to_sixteen_bits_not_rounded() -> None:
    steps = np.array([0.0, 0.99, 1.01, -0.99, -1.99, 32766.9]) / 32767
    integers = clap_frontend._quantise(steps.astype(np.float32)) * 32767
    np.testing.assert_allclose(integers, [0, 0, 1, 0, -1, 32766], atol=1e-3)


def test_samples_over_full_scale_are_clipped() -> None:
    np.testing.assert_array_equal(clap_frontend._quantise(np.array([1.4, -3, 1], np.float32)), [1, -1, 1])


@pytest.mark.parametrize(("length", "times"), [(1, 480_000), (100_000, 4), (240_000, 2), (240_001, 1), (WINDOW, 1)])
def test_a_short_window_is_repeated_completely_then_padded_with_zeros(length: int, times: int) -> None:
    samples = np.random.default_rng(0).uniform(0.1, 1, length).astype(np.float32)
    filled = clap_frontend._fill(samples)
    assert filled.shape == (WINDOW,)
    np.testing.assert_array_equal(filled[: times * length].reshape(times, length), np.tile(samples, (times, 1)))
    assert not filled[times * length :].any()


def test_silence_is_at_the_floor() -> None:
    np.testing.assert_array_equal(log_mel(np.full(480, 1e-6, np.float32)), np.full((FRAMES, BANDS), -100, np.float32))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_the_spectrogram_equals_that_of_librosa(seed: int) -> None:
    import librosa

    samples = clip(10.0, SAMPLE_RATE, seed, 0.5)
    exact = ((samples * np.float32(32767)).astype(np.int16) / 32767).astype(np.float32).astype(np.float64)
    bands = librosa.feature.melspectrogram(
        y=exact, sr=SAMPLE_RATE, n_fft=1024, hop_length=HOP, pad_mode="reflect", n_mels=BANDS, fmin=50, fmax=14000
    )
    expected = librosa.power_to_db(bands, ref=1.0, amin=1e-10, top_db=None).T
    assert expected.shape == (FRAMES, BANDS)
    np.testing.assert_allclose(log_mel(samples), expected, atol=1e-3)


def test_the_mel_bands_equal_those_in_the_original_checkpoint() -> None:
    theirs = golden()["constant module.audio_branch.logmel_extractor.melW"]
    np.testing.assert_allclose(mel_bands(), theirs, atol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 3 * WINDOW))
def test_windows_are_consecutive_and_complete(length: int) -> None:
    samples = np.arange(length, dtype=np.float32)
    windows = split_windows(samples)
    assert all(len(window) == WINDOW for window in windows[:-1])
    assert all(len(window) > 0 for window in windows)
    np.testing.assert_array_equal(np.concatenate([*windows, samples[:0]]), samples)
