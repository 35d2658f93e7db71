"""Offset, drift and rumble are removed; waveforms without them are returned as they are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.offset import remove_offset
from soundalike.audio.waveform import Waveform

RATE = 44_100


def _hit(seconds: float = 0.4, seed: int = 0) -> NDArray[np.float32]:
    """A drum: noise and a 60 Hz tone that decay, (1, samples)."""
    t = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return np.float32(0.2 * noise * np.exp(-30 * t) + 0.5 * np.sin(2 * np.pi * 60 * t) * np.exp(-15 * t))[np.newaxis]


def _music(seconds: float = 5.0) -> NDArray[np.float32]:
    """Stereo: a bass line of 41 Hz, a tone and some noise, (2, samples)."""
    t = np.arange(round(seconds * RATE)) / RATE
    noise = 0.02 * np.random.default_rng(0).standard_normal((2, len(t)))
    bass = 0.3 * np.sin(2 * np.pi * 41.2 * t) * (0.6 + 0.4 * np.sign(np.sin(2 * np.pi * 2 * t)))
    return np.float32(bass + 0.1 * np.sin(2 * np.pi * 440 * t) + noise)


@pytest.mark.parametrize("samples", [_hit(), _hit(0.05), _hit(2.0), _music(), np.zeros((2, RATE), np.float32)])
def test_a_waveform_without_offset_is_returned_as_it_is(samples: NDArray[np.float32]) -> None:
    waveform = Waveform(samples, RATE)
    assert remove_offset(waveform) is waveform


@pytest.mark.parametrize("offset", [0.005, 0.1, -0.4])
@pytest.mark.parametrize("samples", [_hit(), _hit(2.0), _music()])
def test_an_offset_is_removed(samples: NDArray[np.float32], offset: float) -> None:
    result = remove_offset(Waveform(samples + np.float32(offset), RATE)).samples
    assert np.abs(result - samples).max() < 1e-3
    assert result.dtype == np.float32


def test_each_channel_has_its_own_offset() -> None:
    offsets = np.float32([[0.1], [0.0]])
    result = remove_offset(Waveform(_music() + offsets, RATE)).samples
    np.testing.assert_allclose(result, _music(), atol=1e-3)
    np.testing.assert_array_equal(result[1], _music()[1])


@pytest.mark.parametrize(("before", "after"), [(0, 20_000), (9_000, 0), (9_001, 30_000)])
@pytest.mark.parametrize("samples", [_hit(), _hit(1.5), _music()])
def test_digital_silence_around_a_sound_does_not_hide_its_offset(
    samples: NDArray[np.float32], before: int, after: int
) -> None:
    alone = remove_offset(Waveform(samples + np.float32(0.1), RATE)).samples
    padded = np.pad(samples + np.float32(0.1), ((0, 0), (before, after)))
    result = remove_offset(Waveform(padded, RATE)).samples
    assert np.array_equal(result, np.pad(alone, ((0, 0), (before, after))))
    assert np.abs(alone - samples).max() < 1e-3
    without = Waveform(np.pad(samples, ((0, 0), (before, after))), RATE)
    assert remove_offset(without) is without


@pytest.mark.parametrize("padding", [1, 64, 800])
def test_a_few_zeros_belong_to_the_sound(padding: int) -> None:
    hit = np.pad(_hit() + np.float32(0.1), ((0, 0), (padding, padding)))
    assert (remove_offset(Waveform(hit, RATE)).samples[:, :padding] != 0).all()


@pytest.mark.parametrize("drift", ["rumble", "ramp", "decay"])
def test_drift_and_rumble_are_removed_from_music(drift: str) -> None:
    music = _music()
    t = np.arange(music.shape[1]) / RATE
    added = {"rumble": 0.2 * np.sin(2 * np.pi * 4 * t), "ramp": 0.3 - 0.1 * t, "decay": 0.4 * np.exp(-t / 0.5)}[drift]
    result = remove_offset(Waveform((music + added).astype(np.float32), RATE)).samples
    inside = slice(RATE // 10, -RATE // 10)
    before, after = np.square(added[inside]).mean(), np.square((result - music)[:, inside]).mean()
    assert after < before / 50


def test_drift_under_a_hit_is_reduced() -> None:
    hit = _hit()
    drift = 0.3 * np.exp(-np.arange(hit.shape[1]) / RATE / 0.3)
    result = remove_offset(Waveform((hit + drift).astype(np.float32), RATE)).samples
    assert np.abs(result[0, -2000:]).max() < np.abs(drift[-2000:]).max() / 10


@pytest.mark.parametrize(
    "samples", [np.ones((1, 1), np.float32), np.ones((1, 700), np.float32), np.zeros((1, 0), np.float32)]
)
def test_a_few_samples_do_not_raise(samples: NDArray[np.float32]) -> None:
    assert remove_offset(Waveform(samples, RATE)).samples.shape == samples.shape


def _defined_offset(channel: NDArray[np.float32]) -> float:
    """The offset as the docstring defines it, frame by frame in float64."""
    length = min(round(0.02 * RATE), len(channel) // 8)
    frames = [channel[first : first + length].astype(float) for first in range(0, len(channel) - length + 1, length)]
    peak = float(np.abs(channel).max())
    weights = np.array([1 / (frame.var() + (1e-4 * peak) ** 2) for frame in frames])
    means = np.array([frame.mean() for frame in frames])
    offset = float((weights * means).sum() / weights.sum())
    error = float(np.sqrt(np.square(weights * (means - offset)).sum()) / weights.sum())
    return offset if abs(offset) > max(1e-3 * peak, 4 * error) else 0.0


@pytest.mark.parametrize("seconds", [0.05, 0.12, 0.4, 2.0])
@pytest.mark.parametrize("offset", [0.0, 2e-4, 8e-4, 2e-3, 0.1, -0.4])
def test_the_offset_is_the_defined_one(seconds: float, offset: float) -> None:
    hit = _hit(seconds) + np.float32(offset)
    expected = _defined_offset(hit[0])
    removed = hit - remove_offset(Waveform(hit, RATE)).samples
    np.testing.assert_allclose(removed, np.float32(expected), atol=1e-6)
