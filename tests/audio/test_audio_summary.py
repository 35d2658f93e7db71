from __future__ import annotations

import itertools

import numpy as np
import pyloudnorm
import pytest

from soundalike.audio.audio_summary import AudioSummary
from soundalike.audio.metadata.loudness import estimate_loudness
from soundalike.audio.waveform import Waveform
from soundalike.audio.waveform_overview import waveform_overview

RATE = 8_000


def recording(seconds: float = 40.0) -> np.ndarray:
    """Stereo noise that fades in."""
    samples = np.random.default_rng(0).standard_normal((2, round(seconds * RATE)))
    return (0.2 * samples * np.linspace(0, 1, samples.shape[1])).astype(np.float32)


def summarised(samples: np.ndarray, spans: list[tuple[int, int]], points: int = 40) -> AudioSummary:
    summary = AudioSummary(points)
    for first, last in spans:
        summary.add(Waveform(samples[:, first:last], RATE), first / RATE)
    return summary


def test_one_segment_is_measured_as_a_whole() -> None:
    samples = recording()
    summary = summarised(samples, [(0, samples.shape[1])])
    assert summary.duration == 40
    assert summary.loudness() == estimate_loudness(Waveform(samples, RATE))
    np.testing.assert_array_equal(summary.overview(), waveform_overview(samples, 40))


@pytest.mark.parametrize("overlap", [0, 1_000])
def test_segments_give_what_the_whole_gives(overlap: int) -> None:
    samples = recording()
    cuts = [0, 100_003, 200_001, 320_000]
    summary = summarised(samples, [(max(0, a - overlap), b) for a, b in itertools.pairwise(cuts)])
    assert summary.duration == 40
    expected = pyloudnorm.Meter(RATE).integrated_loudness(samples.T.astype(np.float64))
    assert summary.loudness() == pytest.approx(expected, abs=0.01)
    assert np.abs(summary.overview() - waveform_overview(samples, 40)).max() < 0.1


def test_nothing_and_silence_have_no_loudness() -> None:
    assert AudioSummary().loudness() is None
    assert summarised(np.zeros((1, 4_000), np.float32), [(0, 2_000), (2_000, 4_000)]).loudness() is None
    assert not AudioSummary(4).overview().any()
