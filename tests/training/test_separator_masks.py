"""Learned masks for the built-in separator: stereo cues, inputs, shares, stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.separators.builtin import masks, short_time
from training import separator_masks
from training.separator_masks import NETWORK_REACH, MaskNetwork, network_inputs, stereo_cues

Floats = NDArray[np.float32]
REACH = masks.REACH + NETWORK_REACH


def spectra(*channels: Floats) -> list[short_time.Spectrum]:
    """With two frames in the middle."""
    return short_time.spectra_around(np.stack(channels), 0, 2, REACH)


def noise(seed: int, length: int = 40_000) -> Floats:
    return (0.1 * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)


def saved(folder: Path) -> Path:
    """A file of random weights."""
    rng, size = np.random.default_rng(2), separator_masks.CHANNELS
    shapes = {"first": (separator_masks.INPUTS, size), "last": (size, 3 * masks.BANDS)}
    for index in range(len(separator_masks.DILATIONS)):
        shapes |= {f"block{index}.spread": (3, size, size), f"block{index}.back": (size, size)}
    weights = {name: 0.1 * rng.standard_normal(shape) for name, shape in shapes.items()}
    biases = {f"{name}.bias": 0.1 * rng.standard_normal(shape[-1]) for name, shape in shapes.items()}
    np.savez(folder / "weights.npz", **weights, **biases)
    return folder / "weights.npz"


def cues_of(*channels: Floats) -> tuple[float, float]:
    """Mean width and balance over all frames and bands."""
    found = spectra(*channels)
    width, balance = stereo_cues(found, np.add.reduceat(short_time.power(found), masks.EDGES[:-1], axis=1))
    assert width.shape == balance.shape == (len(found[0]), masks.BANDS)
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
    loud, known = network_inputs(spectra(noise(0), noise(1)), cues)
    assert loud.shape == (2 * NETWORK_REACH + 2, separator_masks.INPUTS)
    np.testing.assert_allclose(known.sum(axis=1), 1, atol=1e-4)
    quiet, _ = network_inputs(spectra(noise(0) * np.float32(1e-2), noise(1) * np.float32(1e-2)), cues)
    np.testing.assert_allclose(quiet, loud, atol=2e-3)
    silent, _ = network_inputs(spectra(np.zeros(40_000, np.float32)), cues)
    assert np.isfinite(silent).all()


def test_shares_add_up_to_one_and_are_those_of_a_plain_implementation(tmp_path: Path) -> None:
    network = MaskNetwork(saved(tmp_path))
    inputs, known = network_inputs(spectra(noise(0), noise(1)), masks.load_network())
    shares = network.shares(inputs, known)
    assert shares.shape == (2, 3, masks.BANDS)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    with np.load(tmp_path / "weights.npz") as stored:
        weights = {name: stored[name].astype(np.float64) for name in stored.files}
    x = {frame: np.maximum(row @ weights["first"] + weights["first.bias"], 0) for frame, row in enumerate(inputs)}
    for index, step in enumerate(separator_masks.DILATIONS):
        wide, back = weights[f"block{index}.spread"], weights[f"block{index}.back"]
        inner = {
            frame: sum(x[frame + step * (tap - 1)] @ wide[tap] for tap in range(3))
            + weights[f"block{index}.spread.bias"]
            for frame in x
            if frame - step in x and frame + step in x
        }
        x = {f: x[f] + np.maximum(row, 0) @ back + weights[f"block{index}.back.bias"] for f, row in inner.items()}
    assert sorted(x) == [NETWORK_REACH, NETWORK_REACH + 1]
    for row, frame in enumerate(sorted(x)):
        scores = (x[frame] @ weights["last"] + weights["last.bias"]).reshape(3, masks.BANDS) + np.log(
            known[frame] + 0.02
        )
        expected = np.exp(scores - scores.max(axis=0))
        np.testing.assert_allclose(shares[row], expected / expected.sum(axis=0), atol=1e-4)


def test_stems_add_up_and_do_not_depend_on_blocks_or_level(tmp_path: Path) -> None:
    mixture = np.stack([noise(0), noise(1)])
    networks = masks.load_network(), MaskNetwork(saved(tmp_path))
    stems = separator_masks.separate(mixture, *networks)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)
    for part, stem in separator_masks.separate(mixture, *networks, block=17).items():
        np.testing.assert_allclose(stem, stems[part], rtol=0, atol=2e-6)
    for part, stem in separator_masks.separate(mixture * np.float32(8), *networks).items():
        np.testing.assert_allclose(stem / 8, stems[part], rtol=0, atol=1e-3)
