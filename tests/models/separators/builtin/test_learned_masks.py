"""Learned masks of the built-in separator: the comb, inputs, corrections, the gate, stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.models.separators.builtin import masks, short_time
from soundalike.models.separators.builtin.builtin_separator import BuiltinSeparator
from soundalike.models.separators.builtin.learned_masks import (
    CHANNELS,
    COMB_BINS,
    DILATIONS,
    GATE_REACH,
    INPUTS,
    LEAST_MASK,
    MASK_BANDS,
    NETWORK_REACH,
    SINGLE_BINS,
    WIDE,
    MaskNetwork,
    Strength,
    comb,
    corrected_masks,
    gated,
    mask_bands,
    mask_bins,
    network_inputs,
    weighted_masks,
)

Floats = NDArray[np.float32]
REACH = masks.REACH + NETWORK_REACH


def noise(seed: int, length: int = 40_000) -> Floats:
    return (0.1 * np.random.default_rng(seed).standard_normal(length)).astype(np.float32)


def tones(*frequencies: float) -> Floats:
    """Each as loud as the first is strong, over its number."""
    time = np.arange(40_000) / masks.SAMPLE_RATE
    return np.sum([np.sin(2 * np.pi * f * time) / (n + 1) for n, f in enumerate(frequencies)], axis=0).astype(
        np.float32
    )


def inputs_of(samples: Floats) -> Floats:
    """Those of two frames in the middle."""
    spectra = short_time.spectra_around(samples[None], 0, 2, REACH)
    power = short_time.power(spectra)
    return network_inputs(spectra[0], power, *masks.masks(power, masks.load_network()))


def saved(folder: Path) -> Path:
    """A file of random weights."""
    rng = np.random.default_rng(2)
    shapes = {"first": (INPUTS, WIDE), "second": (WIDE, CHANNELS), "last": (CHANNELS, 3 * MASK_BANDS)}
    for index in range(len(DILATIONS)):
        shapes |= {f"block{index}.spread": (3, CHANNELS, CHANNELS), f"block{index}.back": (CHANNELS, CHANNELS)}
    weights = {name: 0.06 * rng.standard_normal(shape) for name, shape in shapes.items()}
    biases = {f"{name}.bias": 0.06 * rng.standard_normal(shape[-1]) for name, shape in shapes.items()}
    np.savez(folder / "weights.npz", **weights, **biases)
    return folder / "weights.npz"


def test_the_comb_tells_harmonics_of_the_low_note_from_other_tones() -> None:
    found = {}
    for name, tone in (("harmonic", 5 * 55.0), ("between", 5.5 * 55.0), ("a third of the way", (5 + 1 / 3) * 55.0)):
        spectra = short_time.spectra_around(tones(55.0, tone)[None], 10, 20, 1)
        power = short_time.power(spectra)[1:-1, :COMB_BINS]
        whole, half = comb(spectra[0][:-1, :COMB_BINS], power, np.ones((10, masks.BINS), np.float32))
        band = round(tone * masks.FRAME / masks.SAMPLE_RATE)
        found[name] = float(whole[:, band].mean()), float(half[:, band].mean())
    assert found["harmonic"] == pytest.approx((1, 1), abs=0.05)
    assert found["between"] == pytest.approx((-1, 1), abs=0.05)
    assert found["a third of the way"] == pytest.approx((-0.5, -0.5), abs=0.1)


def test_the_comb_does_not_follow_drums_and_is_nothing_in_silence() -> None:
    spectra = short_time.spectra_around(tones(55.0, 275.0)[None], 10, 20, 1)
    power = short_time.power(spectra)[1:-1, :COMB_BINS]
    for sustained, scale in ((0.0, 1.0), (1.0, 0.0)):
        own = np.full((10, masks.BINS), sustained, np.float32)
        scores = comb(spectra[0][:-1, :COMB_BINS] * np.float32(scale), power * np.float32(scale), own)
        assert all(np.abs(score).max() < 1e-3 for score in scores)


def test_inputs_are_independent_of_level_and_finite_in_silence() -> None:
    loud = inputs_of(noise(0))
    assert loud.shape == (2 * NETWORK_REACH + 2, INPUTS)
    np.testing.assert_allclose(inputs_of(noise(0) * np.float32(0.1)), loud, atol=2e-3)
    assert np.isfinite(inputs_of(np.zeros(40_000, np.float32))).all()


def test_corrections_are_those_of_a_plain_implementation(tmp_path: Path) -> None:
    inputs = inputs_of(noise(0))
    corrections = MaskNetwork(saved(tmp_path)).corrections(inputs)
    assert corrections.shape == (2, 3, MASK_BANDS)
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
        expected = dense(x[frame], "last").reshape(3, MASK_BANDS)
        np.testing.assert_allclose(corrections[row], expected, atol=1e-4)


def test_without_corrections_masks_stay_and_with_them_odds_are_multiplied() -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet((1, 1, 1), size=(4, masks.BINS)).astype(np.float32)
    bass, drums = shares[..., 0], shares[..., 1]
    corrections = np.zeros((4, 3, MASK_BANDS), np.float32)
    sure = shares.min(axis=2) > LEAST_MASK
    for known, found in zip((bass, drums), corrected_masks(bass, drums, corrections), strict=True):
        np.testing.assert_allclose(found[sure], known[sure], atol=1e-5)
    corrections[:, 1] = np.log(3)
    more_bass, more_drums = corrected_masks(bass, drums, corrections)
    odds = (more_drums / (1 - more_drums))[sure]
    np.testing.assert_allclose(odds, (3 * drums / (1 - drums))[sure], rtol=2e-3)
    assert (more_bass + more_drums < 1 + 1e-5).all()


@pytest.mark.parametrize("part", ["drums", "bass"])
def test_each_correction_multiplies_its_own_odds(part: str) -> None:
    """What moves between bass and residuals leaves the drums as they are, and the other way round."""
    shares = np.random.default_rng(1).dirichlet((2, 2, 2), size=(4, masks.BINS)).astype(np.float32)
    shares = (shares + np.float32(0.01)) / np.float32(1.03)
    bass, drums, residuals = (shares[..., index] for index in range(3))
    none, some = np.zeros((4, MASK_BANDS), np.float32), np.full((4, MASK_BANDS), np.log(3), np.float32)
    struck, apart = (some, none) if part == "drums" else (none, some)
    found_bass, found_drums = weighted_masks(bass, drums, struck, apart)
    factor = 3 if part == "drums" else 1
    np.testing.assert_allclose(found_drums / (1 - found_drums), factor * drums / (1 - drums), rtol=1e-3)
    within = found_bass / (1 - found_bass - found_drums)
    np.testing.assert_allclose(within, (1 if part == "drums" else 9) * bass / residuals, rtol=1e-3)


def test_without_corrections_masks_stay_as_they_are_even_where_they_are_next_to_nothing() -> None:
    shares = np.random.default_rng(2).dirichlet((0.1, 0.1, 0.1), size=(4, masks.BINS)).astype(np.float32)
    none = np.zeros((4, MASK_BANDS), np.float32)
    for known, found in zip(
        (shares[..., 0], shares[..., 1]), weighted_masks(shares[..., 0], shares[..., 1], none, none), strict=True
    ):
        np.testing.assert_allclose(found, known, rtol=0, atol=2e-6)


def test_drums_that_have_next_to_nothing_can_be_given_something() -> None:
    bass, drums = np.zeros((2, 1, masks.BINS), np.float32)
    much = np.full((1, MASK_BANDS), 4, np.float32)
    _, found = weighted_masks(bass, drums, much, np.zeros_like(much))
    odds = LEAST_MASK * np.exp(4)
    np.testing.assert_allclose(found, odds / (1 + odds), rtol=1e-3)


def test_strength_counts_what_gives_to_the_drums_above_its_corner_only_and_limits_what_it_takes() -> None:
    strength = Strength(more_drums=(0.0, 0.5, 300.0), less_drums=0.8, most_taken=2.0)
    corrections = np.zeros((1, 3, MASK_BANDS), np.float32)
    corrections[:, 1] = 1
    more, apart = strength.applied(corrections)
    assert not apart.any()
    assert more[0, 5] == pytest.approx(0, abs=1e-3)
    assert more[0, -5] == pytest.approx(0.5, abs=1e-3)
    assert (np.diff(more[0]) >= 0).all()
    for drums, taken in ((1, 0.8), (9, 2.0)):
        less, _ = strength.applied(-drums * corrections)
        np.testing.assert_allclose(less, -taken, rtol=1e-6)


def masks_of(bass: float, drums: float) -> tuple[Floats, Floats, Floats]:
    """Power, and masks of bass and drums, all of them constant."""
    power = np.ones((2 * GATE_REACH + 3, masks.BINS), np.float32)
    return power, np.full_like(power, bass), np.full_like(power, drums)


def test_the_gate_is_half_at_its_level_and_falls_by_two_decibels_for_each_below() -> None:
    power, bass, drums = masks_of(0.25, 0.5)
    strength = Strength(gate_db=-40.0, most_gated=np.inf)
    for decibels, gain in ((-40.0, 0.5), (-60.0, 1 / 101), (0.0, 1 / 1.0001)):
        own = np.full(power.shape, 10 ** (decibels / 20), np.float32)
        for part, found in enumerate(gated(bass, drums, own, own, power, strength)):
            assert found.shape == (3, masks.BINS)
            np.testing.assert_allclose(found, gain * (0.5 if part else (1 - 0.5 * gain) / 2), rtol=1e-4)


def test_what_the_gate_takes_from_drums_goes_to_bass_and_residuals_as_they_share_the_rest() -> None:
    power, bass, drums = masks_of(0.3, 0.6)
    nothing, all_of_it = np.zeros_like(power), np.ones_like(power)
    found_bass, found_drums = gated(bass, drums, all_of_it, nothing, power, Strength(most_gated=np.inf))
    np.testing.assert_allclose(found_drums, 0, atol=1e-7)
    np.testing.assert_allclose(found_bass, 0.75, rtol=1e-3)
    power, bass, drums = masks_of(0.0, 1.0)
    found_bass, _ = gated(bass, drums, all_of_it, nothing, power, Strength())
    assert not found_bass.any()


def test_the_gate_takes_away_no_more_than_its_limit() -> None:
    power, bass, drums = masks_of(0.0, 1.0)
    nothing = np.zeros_like(power)
    _, found = gated(bass, drums, nothing, nothing, power, Strength(most_gated=20.0))
    np.testing.assert_allclose(found, 0.1, rtol=1e-5)
    found, _ = gated(drums, bass, nothing, nothing, power, Strength(most_gated=20.0))
    np.testing.assert_allclose(found, 0.1, rtol=1e-5)


def test_values_of_bins_are_those_of_single_bins_then_interpolated() -> None:
    shares = np.linspace(0, 1, MASK_BANDS, dtype=np.float32)
    rising = mask_bins(shares[None])
    assert rising.shape == (1, masks.BINS)
    np.testing.assert_array_equal(rising[0, :SINGLE_BINS], shares[:SINGLE_BINS])
    assert (np.diff(rising[0]) >= 0).all()
    np.testing.assert_allclose(mask_bins(np.full((3, MASK_BANDS), 0.3, np.float32)), 0.3, rtol=1e-5)
    np.testing.assert_allclose(mask_bands(np.full((3, masks.BINS), 0.3, np.float32)), 0.3, rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 2])
def test_stems_add_up_and_do_not_depend_on_blocks_or_level(tmp_path: Path, channels: int) -> None:
    mixture = np.stack([noise(0), noise(1)][:channels])
    weights = saved(tmp_path)
    stems = BuiltinSeparator(weights=weights).separate(mixture)
    np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)
    for part, stem in BuiltinSeparator(17, weights).separate(mixture).items():
        np.testing.assert_allclose(stem, stems[part], rtol=0, atol=1e-5)
    for part, stem in BuiltinSeparator(weights=weights).separate(mixture * np.float32(8)).items():
        np.testing.assert_allclose(stem / 8, stems[part], rtol=0, atol=1e-3)


@pytest.mark.parametrize("length", [1, 3200, 40_000])
def test_stems_of_short_and_silent_mixtures_are_finite(tmp_path: Path, length: int) -> None:
    separator = BuiltinSeparator(weights=saved(tmp_path))
    for mixture in (noise(0, length)[None], np.zeros((2, length), np.float32)):
        stems = separator.separate(mixture)
        assert all(stem.shape == mixture.shape and np.isfinite(stem).all() for stem in stems.values())
        np.testing.assert_allclose(sum(stems.values()), mixture, rtol=0, atol=1e-6)
