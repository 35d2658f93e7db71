"""Whitened features: the constants of both versions of the built-in encoder, and what the blocks contribute."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from soundalike.models.encoders.builtin import builtin_encoder, signal_encoder
from soundalike.models.encoders.builtin.builtin_features import BLOCKS
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, compute_spectra
from soundalike.models.encoders.builtin.whitened_features import DIMENSION, WhitenedFeatures, compose

VERSIONS = pytest.mark.parametrize(
    ("constants", "weights"),
    [(module.CONSTANTS, module.WEIGHTS) for module in (signal_encoder, builtin_encoder)],
    ids=["version 1", "version 2"],
)


@VERSIONS
def test_constants_and_weights_fit_the_blocks(constants: Path, weights: Mapping[str, float]) -> None:
    assert set(weights) == set(BLOCKS)
    with np.load(constants) as stored:
        assert stored["mean"].shape == (DIMENSION,)
        assert stored["whitening"].shape == (DIMENSION, DIMENSION)
        assert np.isfinite(stored["whitening"]).all()


@VERSIONS
def test_blocks_have_their_weights_as_shares(constants: Path, weights: Mapping[str, float]) -> None:
    pulses = np.zeros(5 * SAMPLE_RATE, np.float32)
    pulses[:: SAMPLE_RATE // 4] = 0.5
    noise = np.random.default_rng(0).standard_normal(len(pulses)).astype(np.float32)
    spectra = compute_spectra(pulses + 0.01 * noise)
    assert spectra is not None
    row = WhitenedFeatures(constants, weights).vector(spectra)
    parts = np.split(row, np.cumsum(list(BLOCKS.values()))[:-1])
    shares = {name: float(np.sum(part**2)) for name, part in zip(BLOCKS, parts, strict=True)}
    ratios = [shares[name] / weights[name] for name in BLOCKS if name not in ("chroma", "rhythm")]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)


def test_a_block_that_is_absent_contributes_nothing() -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal(DIMENSION).astype(np.float32)
    row = compose(
        values, {"rhythm": 0.0}, np.zeros_like(values), np.eye(DIMENSION, dtype=np.float32), dict.fromkeys(BLOCKS, 1.0)
    )
    assert not row[-BLOCKS["rhythm"] :].any()
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)
