"""Learned masks for the built-in separator: stereo cues, inputs, shares, stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.separators.builtin import masks, short_time
from training import separator_masks
from training.separator_masks import (
    CHANNELS,
    DILATIONS,
    INPUTS,
    MASK_BANDS,
    MASK_EDGES,
    NETWORK_REACH,
    WIDE,
    MaskNetwork,
    known_shares,
    mask_bins,
    network_inputs,
    stereo_cues,
)

Floats = NDArray[np.float32]
REACH = masks.REACH + NETWORK_REACH


def spectra(*channels: Floats) -> list[short_time.Spectrum]:
    """With two frames in the middle."""
    return short_time.spectra_around(np.stack(channels), 0, 2, REACH)


def noise(seed: int, length: int = 40_000) -> Floats:
    return (0.1 * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)


def saved(folder: Path) -> Path:
    """A file of random weights."""
    rng = np.random.default_rng(2)
    shapes = {"first": (INPUTS, WIDE), "second": (WIDE, CHANNELS), "last": (CHANNELS, 3 * MASK_BANDS)}
    for index in range(len(DILATIONS)):
        shapes |= {f"block{index}.spread": (3, CHANNELS, CHANNELS), f"block{index}.back": (CHANNELS, CHANNELS)}
    weights = {name: 0.1 * rng.standard_normal(shape) for name, shape in shapes.items()}
    biases = {f"{name}.bias": 0.1 * rng.standard_normal(shape[-1]) for name, shape in shapes.items()}
    np.savez(folder / "weights.npz", **weights, **biases)
    return folder / "weights.npz"


def cues_of(*channels: Floats) -> tuple[float, float]:
    """Mean width and balance over all frames and bands."""
    found = spectra(*channels)
    powers = [np.square(np.abs(one)) for one in found]
    width, balance = stereo_cues(found, powers, np.add.reduceat(np.mean(powers, axis=0), MASK_EDGES[:-1], axis=1))
    assert width.shape == balance.shape == (len(found[0]), MASK_BANDS)
    return float(width.mean()), float(balance.mean())


def test_stereo_cues_of_known_places() -> None:
    one, other = noise(0), noise(1)
    assert cues_of(one) == (0, 0)
    assert cues_of(one, one) == pytest.approx((0, 0), abs=1e-4)
    assert cues_of(one, -one) == pytest.approx((0, 0), abs=1e-4)
    assert cues_of(one, np.zeros_like(one)) == pytest.approx((1, 1), abs=1e-3)
    # A tenth of the power on the other side: channels 3 and 1, so mid 16 / 20 and side 4 / 20.
    assert cues_of(3 * one, one) == pytest.approx((0.4, 0.8), abs=1e-3)
    width, balance = cues_of(one, other)
    assert 0.4 < width < 1
    assert balance < 0.6


def test_stereo_cues_do_not_depend_on_which_channel_is_left() -> None:
    one, other = noise(0), noise(1)
    assert cues_of(one, other) == pytest.approx(cues_of(other, one))


def test_inputs_are_independent_of_level_and_finite_in_silence() -> None:
    cues = masks.load_network()
    loud = network_inputs(spectra(noise(0), noise(1)), cues)
    assert loud.shape == (2 * NETWORK_REACH + 2, INPUTS)
    np.testing.assert_allclose(known_shares(loud).sum(axis=1), 1, atol=1e-4)
    quiet = network_inputs(spectra(noise(0) * np.float32(1e-2), noise(1) * np.float32(1e-2)), cues)
    np.testing.assert_allclose(quiet, loud, atol=2e-3)
    silent = network_inputs(spectra(np.zeros(40_000, np.float32)), cues)
    assert np.isfinite(silent).all()


def test_shares_add_up_to_one_and_are_those_of_a_plain_implementation(tmp_path: Path) -> None:
    network = MaskNetwork(saved(tmp_path))
    inputs = network_inputs(spectra(noise(0), noise(1)), masks.load_network())
    shares = network.shares(inputs)
    assert shares.shape == (2, 3, MASK_BANDS)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    with np.load(tmp_path / "weights.npz") as stored:
        weights = {name: stored[name].astype(np.float64) for name in stored.files}

    def dense(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return x @ weights[name] + weights[f"{name}.bias"]

    x = {frame: dense(np.maximum(dense(row, "first"), 0), "second") for frame, row in enumerate(inputs)}
    for index, step in enumerate(DILATIONS):
        wide = weights[f"block{index}.spread"]
        inner = {
            frame: sum(np.maximum(x[frame + step * (tap - 1)], 0) @ wide[tap] for tap in range(3))
            + weights[f"block{index}.spread.bias"]
            for frame in x
            if frame - step in x and frame + step in x
        }
        x = {frame: x[frame] + dense(np.maximum(row, 0), f"block{index}.back") for frame, row in inner.items()}
    assert sorted(x) == [NETWORK_REACH, NETWORK_REACH + 1]
    for row, frame in enumerate(sorted(x)):
        scores = dense(x[frame], "last").reshape(3, MASK_BANDS) + np.log(known_shares(inputs[[frame]])[0] + 0.02)
        expected = np.exp(scores - scores.max(axis=0))
        np.testing.assert_allclose(shares[row], expected / expected.sum(axis=0), atol=1e-4)


def test_shares_of_bins_are_those_of_single_bins_then_interpolated() -> None:
    shares = np.linspace(0, 1, MASK_BANDS, dtype=np.float32)
    rising = mask_bins(shares[None])
    assert rising.shape == (1, masks.BINS)
    np.testing.assert_array_equal(rising[0, : separator_masks.SINGLE_BINS], shares[: separator_masks.SINGLE_BINS])
    assert (np.diff(rising[0]) >= 0).all()
    np.testing.assert_allclose(mask_bins(np.full((3, MASK_BANDS), 0.3, np.float32)), 0.3, rtol=1e-5)


def test_stems_add_up_and_do_not_depend_on_blocks_or_level(tmp_path: Path) -> None:
    mixture = np.stack([noise(0), noise(1)])
    networks = masks.load_network(), MaskNetwork(saved(tmp_path))
    stems = separator_masks.separate(mixture, *networks)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)
    for part, stem in separator_masks.separate(mixture, *networks, block=17).items():
        np.testing.assert_allclose(stem, stems[part], rtol=0, atol=1e-5)
    for part, stem in separator_masks.separate(mixture * np.float32(8), *networks).items():
        np.testing.assert_allclose(stem / 8, stems[part], rtol=0, atol=1e-3)


@pytest.mark.parametrize("length", [1, 3200, 40_000])
def test_stems_of_short_and_silent_mixtures_are_finite(tmp_path: Path, length: int) -> None:
    networks = masks.load_network(), MaskNetwork(saved(tmp_path))
    for mixture in (noise(0, length)[None], np.zeros((2, length), np.float32)):
        stems = separator_masks.separate(mixture, *networks)
        assert all(stem.shape == mixture.shape and np.isfinite(stem).all() for stem in stems.values())
        np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)
