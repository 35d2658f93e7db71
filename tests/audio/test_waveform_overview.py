from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soundalike.audio.waveform_overview import as_bytes, joined, outline

SAMPLES = arrays(np.float32, st.tuples(st.integers(1, 2), st.integers(0, 400)), elements=st.floats(-2, 2, width=32))


def test_each_stretch_has_its_lowest_and_highest_sample() -> None:
    samples = np.array([[0.1, -0.5, 0.2, 0.9], [-0.3, 0.0, 0.4, -0.8]], dtype=np.float32)
    np.testing.assert_allclose(outline(samples, 2), [[-0.5, 0.1], [-0.8, 0.9]], rtol=1e-6)


def test_channels_of_opposite_sign_do_not_vanish() -> None:
    tone = np.sin(np.arange(4_800) / 5).astype(np.float32)
    assert outline(np.stack([tone, -tone]), 10)[:, 1].min() > 0.9


@given(samples=SAMPLES, count=st.integers(1, 130))
def test_no_sample_is_left_out(samples: np.ndarray, count: int) -> None:
    found = outline(samples, count)
    assert len(found) == count
    assert found[:, 0].min(initial=0) == samples.min(initial=0)
    assert found[:, 1].max(initial=0) == samples.max(initial=0)
    assert (found[:, 0] <= 0).all()
    assert (found[:, 1] >= 0).all()


def test_pieces_make_the_outline_of_the_whole() -> None:
    rng = np.random.default_rng(3)
    samples = (rng.normal(size=120_000) * np.linspace(0, 1, 120_000)).astype(np.float32)
    cuts = [0, 30_000, 50_000, 120_000]
    pieces = [(a / 1_000, b / 1_000, outline(samples[a:b], 500)) for a, b in itertools.pairwise(cuts)]
    whole, parts = outline(samples, 40), joined(pieces, 40)
    assert np.quantile(np.abs(whole - parts), 0.9) == 0
    assert np.abs(whole - parts).max() < 1.0  # a peak at a boundary may count for the stretch beside it
    assert joined([], 4).tolist() == [[0, 0]] * 4


def test_bytes_clip_and_keep_their_side() -> None:
    low, high = as_bytes(np.array([[-3.0, 0.0], [-1.0, 0.5], [0.0, 2.0]], dtype=np.float32))
    assert low.tolist() == [-127, -127, 0]
    assert high.tolist() == [0, 64, 127]
    assert low.dtype == high.dtype == np.int8


@pytest.mark.parametrize(
    ("length", "expected"), [(0, [0, 0, 0, 0]), (1, [1, 1, 1, 1]), (2, [1, 1, 2, 2]), (3, [1, 1, 2, 3])]
)
def test_short_sounds_share_their_samples(length: int, expected: list[float]) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)[np.newaxis]
    assert outline(samples, 4)[:, 1].tolist() == expected
