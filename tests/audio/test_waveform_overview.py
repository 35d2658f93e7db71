from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soundalike.audio.waveform_overview import join_overviews, overview_to_int8, waveform_overview

SAMPLES = arrays(np.float32, st.tuples(st.integers(1, 2), st.integers(0, 400)), elements=st.floats(-2, 2, width=32))


def test_each_interval_has_its_lowest_and_highest_sample() -> None:
    samples = np.array([[0.1, -0.5, 0.2, 0.9], [-0.3, 0.0, 0.4, -0.8]], dtype=np.float32)
    np.testing.assert_allclose(waveform_overview(samples, 2), [[-0.5, 0.1], [-0.8, 0.9]], rtol=1e-6)


def test_channels_of_opposite_sign_do_not_cancel() -> None:
    tone = np.sin(np.arange(4_800) / 5).astype(np.float32)
    assert waveform_overview(np.stack([tone, -tone]), 10)[:, 1].min() > 0.9


@given(samples=SAMPLES, count=st.integers(1, 130))
def test_no_sample_is_left_out(samples: np.ndarray, count: int) -> None:
    overview = waveform_overview(samples, count)
    assert len(overview) == count
    assert overview[:, 0].min(initial=0) == samples.min(initial=0)
    assert overview[:, 1].max(initial=0) == samples.max(initial=0)
    assert (overview[:, 0] <= 0).all()
    assert (overview[:, 1] >= 0).all()


def test_overviews_of_segments_join_to_that_of_the_whole() -> None:
    rng = np.random.default_rng(3)
    samples = (rng.normal(size=120_000) * np.linspace(0, 1, 120_000)).astype(np.float32)
    cuts = [0, 30_000, 50_000, 120_000]
    segments = [(a / 1_000, b / 1_000, waveform_overview(samples[a:b], 500)) for a, b in itertools.pairwise(cuts)]
    whole, joined = waveform_overview(samples, 40), join_overviews(segments, 40)
    assert np.quantile(np.abs(whole - joined), 0.9) == 0
    assert np.abs(whole - joined).max() < 1.0  # a peak at a boundary may count for the neighbouring interval
    assert join_overviews([], 4).tolist() == [[0, 0]] * 4


def test_bytes_are_clipped_and_keep_their_sign() -> None:
    low, high = overview_to_int8(np.array([[-3.0, 0.0], [-1.0, 0.5], [0.0, 2.0]], dtype=np.float32))
    assert low.tolist() == [-127, -127, 0]
    assert high.tolist() == [0, 64, 127]
    assert low.dtype == high.dtype == np.int8


@pytest.mark.parametrize(
    ("length", "expected"), [(0, [0, 0, 0, 0]), (1, [1, 1, 1, 1]), (2, [1, 1, 2, 2]), (3, [1, 1, 2, 3])]
)
def test_short_sounds_share_their_samples(length: int, expected: list[float]) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)[np.newaxis]
    assert waveform_overview(samples, 4)[:, 1].tolist() == expected
