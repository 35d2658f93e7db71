"""Masks of the built-in separator: bands, cues, network, excess."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.separators.builtin import masks

Floats = NDArray[np.float32]


def power(frames: int, seed: int = 0) -> Floats:
    """Power spectra of noise."""
    return np.random.default_rng(seed).exponential(size=(frames, masks.BINS)).astype(np.float32)


def test_bands_cover_every_bin_once() -> None:
    assert masks.EDGES[0] == 0
    assert masks.EDGES[-1] == masks.BINS
    assert (np.diff(masks.EDGES) > 0).all()
    assert masks.GROUPS[-1] == masks.BANDS == len(masks.EDGES) - 1


def test_cues_compare_mean_levels_around_a_frame() -> None:
    """Compared with the definition, computed slowly, for some bands and frames."""
    values = power(3 * masks.REACH)
    own, group = masks.cues(values)
    level = np.stack(
        [
            0.5 * np.log(values[:, first:last].sum(axis=1))
            for first, last in zip(masks.EDGES[:-1], masks.EDGES[1:], strict=True)
        ],
        axis=1,
    )
    spans = [(1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 31)]
    offsets = [(s * a, s * b) for a, b in spans for s in (1, -1)]
    for frame, band in ((0, 5), (10, 30), (30, 51)):
        now = frame + masks.REACH
        expected = [
            level[min(now + a, now + b) : max(now + a, now + b) + 1, band].mean() - level[now, band] for a, b in offsets
        ]
        np.testing.assert_allclose(own[:12, frame, band], np.clip(expected, -4, 4), atol=1e-4)
        neighbours = [
            level[now, min(max(band + k, 0), masks.BANDS - 1)] - level[now, band] for k in (-4, -2, -1, 1, 2, 4)
        ]
        np.testing.assert_allclose(own[12:18, frame, band], np.clip(neighbours, -4, 4), atol=1e-4)
    np.testing.assert_allclose(group[0], own[0, :, : masks.GROUPS[1]].mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(group[7], own[1, :, masks.GROUPS[3] :].mean(axis=1), atol=1e-5)


def test_cues_are_independent_of_level() -> None:
    values = power(2 * masks.REACH + 5)
    for one, other in zip(masks.cues(values), masks.cues(values * np.float32(1e-3)), strict=True):
        np.testing.assert_allclose(one, other, atol=5e-3)


def test_shares_add_up_to_one_and_match_a_plain_implementation() -> None:
    network = masks.load_network()
    own, group = masks.cues(power(2 * masks.REACH + 4))
    shares = network.shares(own, group)
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    first = np.maximum(own[:, 2, 7] @ network.own + group[:, 2] @ network.group + network.bias[7], 0)
    second = np.maximum(first @ network.hidden + network.hidden_bias, 0)
    scores = np.exp(second @ network.out + network.out_bias)
    np.testing.assert_allclose(shares[:, 2, 7], scores / scores.sum(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1.0, 1e12])
def test_masks_add_up_to_at_most_one(scale: float) -> None:
    bass, drums = masks.masks(power(2 * masks.REACH + 6) * np.float32(scale), masks.load_network())
    assert bass.shape == drums.shape == (6, masks.BINS)
    for mask in (bass, drums, 1 - bass - drums):
        assert mask.min() >= -1e-5
        assert mask.max() <= 1 + 1e-5


def test_excess_is_zero_for_sustained_and_one_for_short_sounds() -> None:
    values = np.ones((60, 4), np.float32)
    values[30:33, 1] = 10000.0  # three frames of a hundredfold magnitude
    values[:, 2] = 0
    found = masks.excess(values)
    assert found.shape == (34, 4)
    assert not found[:, [0, 2, 3]].any()
    np.testing.assert_allclose(found[17:20, 1], 0.99, atol=1e-4)
    assert not found[:17, 1].any()
