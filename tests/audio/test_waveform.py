from __future__ import annotations

import numpy as np
import pytest

from soundalike.audio.waveform import Waveform, resample, to_channels, waveform
from soundalike.errors import InputError


def test_mono_is_the_mean_and_duration_in_seconds() -> None:
    sound = waveform([[1.0, 0.0], [0.0, 0.5]], 4)
    assert sound.mono().tolist() == [0.5, 0.25]
    assert (sound.duration, sound.channels) == (0.5, 2)


def test_one_channel_becomes_a_row() -> None:
    assert waveform(np.zeros(5), 8000).samples.shape == (1, 5)


@pytest.mark.parametrize("shape", [(), (2, 3, 4), (0, 5)])
def test_other_shapes_are_rejected(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="shape"):
        waveform(np.zeros(shape), 8000)


def test_a_rate_of_zero_is_rejected() -> None:
    with pytest.raises(InputError, match="0 Hz"):
        waveform([0.0], 0)


@pytest.mark.parametrize("leftover", [0.0, 1e-4, 0.1])
def test_channels_that_cancel_are_inverted_before_the_mean(leftover: float) -> None:
    random = np.random.default_rng(0)
    left, rest = random.standard_normal((2, 44_100)).astype(np.float32)
    samples = np.stack([left, -left + np.float32(leftover) * rest])
    mono = to_channels(samples, 1)[0]
    assert np.abs(mono - left).max() <= leftover * 3


def test_antiphase_in_many_channels_keeps_the_level() -> None:
    tone = np.sin(np.arange(4_000, dtype=np.float32))
    mono = to_channels(np.stack([tone, -tone, tone, -tone]), 1)
    assert np.array_equal(mono[0], tone)


@pytest.mark.parametrize(
    ("channels", "pair"), [(3, (0, 1)), (4, (2, 3)), (5, (0, 1)), (6, (0, 1)), (6, (4, 5)), (8, (6, 7))]
)
def test_a_pair_that_cancels_is_kept_whatever_the_other_channels_hold(channels: int, pair: tuple[int, int]) -> None:
    random = np.random.default_rng(channels)
    sound, *others = random.standard_normal((channels + 1, 20_000)).astype(np.float32)
    samples = 2 * np.stack(others)
    samples[pair[0]], samples[pair[1]] = sound, -0.95 * sound
    mono = to_channels(samples, 1)[0]
    assert np.dot(mono, sound) / np.dot(sound, sound) == pytest.approx(1.95 / channels, abs=0.1)


@pytest.mark.parametrize("channels", [2, 3, 6, 8])
def test_channels_that_do_not_cancel_are_averaged_exactly(channels: int) -> None:
    random = np.random.default_rng(channels)
    samples = random.standard_normal((channels, 20_000)).astype(np.float32)
    hard_panned = np.zeros_like(samples)
    hard_panned[1] = samples[0]
    wide = samples.copy()
    wide[1] = samples[1] - 0.3 * samples[0]
    for ordinary in (samples, hard_panned, wide, np.zeros_like(samples), np.repeat(samples[:1], channels, axis=0)):
        mean = ordinary.mean(axis=0, dtype=np.float32, keepdims=True)
        assert np.array_equal(to_channels(ordinary, 1), mean)


def test_the_limit_for_stereo_is_six_decibels() -> None:
    middle, side = np.linalg.qr(np.random.default_rng(1).standard_normal((40_000, 2)))[0].T.astype(np.float32)
    for decibels, inverted in ((5.9, False), (6.1, True)):
        share = 10 ** (-decibels / 10)  # of the channels' power that the mean has
        samples = np.stack(
            [share**0.5 * middle + (1 - share) ** 0.5 * side, share**0.5 * middle - (1 - share) ** 0.5 * side]
        )
        mono = to_channels(samples.astype(np.float32), 1)[0]
        assert (float(abs(mono @ side)) > 0.5) is inverted


def test_mono_to_stereo_repeats_at_the_same_level() -> None:
    assert to_channels(np.array([[0.5, -1.0]], dtype=np.float32), 2).tolist() == [[0.5, -1.0], [0.5, -1.0]]


@pytest.mark.parametrize("channels", [3, 4, 5, 6, 7, 8, 9, 16])
def test_downmix_to_stereo_keeps_the_sides_and_cannot_clip(channels: int) -> None:
    left_only = np.zeros((channels, 1), dtype=np.float32)
    left_only[0] = 1.0
    left, right = to_channels(left_only, 2)[:, 0]
    assert left >= 0.125
    assert right == 0.0
    full = to_channels(np.ones((channels, 1), dtype=np.float32), 2)
    assert np.allclose(full, 1.0)


def test_downmix_of_5_1_drops_the_lfe_and_splits_the_centre() -> None:
    centre, lfe = np.zeros((2, 6, 1), dtype=np.float32)
    centre[2] = lfe[3] = 1.0
    assert not to_channels(lfe, 2).any()
    left, right = to_channels(centre, 2)[:, 0]
    assert left == right
    assert left == pytest.approx(np.sqrt(0.5) / (1 + 2 * np.sqrt(0.5)))


def test_three_channels_are_rejected() -> None:
    with pytest.raises(InputError, match="3 channels"):
        to_channels(np.zeros((2, 4), dtype=np.float32), 3)


@pytest.mark.parametrize(("from_rate", "to_rate"), [(44_100, 32_000), (8_000, 48_000), (192_000, 32_000)])
def test_resampling_keeps_time_and_level(from_rate: int, to_rate: int) -> None:
    def tone(rate: int) -> np.ndarray:
        return np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)

    both = np.stack([tone(from_rate), -tone(from_rate)])
    resampled = resample(both, from_rate, to_rate)
    assert resampled.dtype == np.float32
    assert abs(resampled.shape[1] - to_rate) <= 1
    middle = slice(to_rate // 4, to_rate // 2)
    assert np.abs(resampled[0, middle] - tone(to_rate)[middle]).max() < 1e-3
    assert np.array_equal(resampled[0], -resampled[1])
    assert np.allclose(resample(both[0], from_rate, to_rate), resampled[0], atol=1e-6)


def test_resampling_no_samples_and_to_the_same_rate() -> None:
    nothing = np.zeros((2, 0), dtype=np.float32)
    assert resample(nothing, 44_100, 32_000).shape == (2, 0)
    some = np.ones((1, 3), dtype=np.float32)
    assert resample(some, 44_100, 44_100) is some
    assert Waveform(resample(some, 44_100, 22_050), 22_050).samples.shape[0] == 1


def test_whether_a_waveform_stays_below_an_amplitude() -> None:
    samples = np.zeros((2, 5_000), np.float32)
    assert waveform(samples, 8_000).stays_below(0.1)
    assert not waveform(samples, 8_000).stays_below(0.0)
    samples[1, 3_001] = -0.1
    assert not waveform(samples, 8_000).stays_below(0.1)
    assert waveform(samples, 8_000).stays_below(0.11)
    assert waveform(np.zeros((1, 0)), 8_000).stays_below(0.1)
