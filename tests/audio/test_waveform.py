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
