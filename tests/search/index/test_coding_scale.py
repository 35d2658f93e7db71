"""One-bit codes of clips serve queries as they are stored and queries of regions, in which the network counts most."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from soundalike.analysis.recipe import make_recipe
from soundalike.models.encoders.builtin.builtin_encoder import PIECES, fuse, heard_through_music
from soundalike.search.index.coding_scale import coding_scale
from soundalike.search.index.rabitq import encode, encode_query, estimate
from soundalike.search.index.table_rows import CLIPS, WINDOWS, Float32


def clips(count: int, seed: int) -> Float32:
    """(count, D) vectors whose pieces are random directions around a few centres."""
    rng = np.random.default_rng(seed)
    pieces = {}
    for name, size in PIECES.items():
        values = rng.normal(size=(8, size))[rng.integers(8, size=count)] + rng.normal(size=(count, size))
        pieces[name] = values / np.linalg.norm(values, axis=1, keepdims=True)
    return np.array([fuse({name: values[row] for name, values in pieces.items()}) for row in range(count)])


def error(vectors: Float32, query: np.ndarray, scale: Float32 | None) -> float:
    """Standard deviation of the error of estimates, in those of the scores themselves."""
    factor = np.ones(vectors.shape[1], np.float32) if scale is None else scale
    coded = encode([vectors * factor], (vectors * factor).mean(axis=0, keepdims=True))
    estimates = estimate(coded, encode_query(coded, [0], [query / factor]))[: len(vectors)]
    true = vectors @ query
    return float(np.std(estimates - true) / np.std(true))


@pytest.mark.parametrize("network", [0.6, 0.7])
def test_a_region_is_estimated_nearly_as_well_as_a_query_as_it_is_stored(network: float) -> None:
    vectors = clips(2_048, seed=1)
    (stored,) = clips(1, seed=2).astype(np.float64)
    region = heard_through_music(stored, network)
    scale = coding_scale(make_recipe(), CLIPS)
    assert error(vectors, region, scale) < 0.5 * error(vectors, region, None)
    assert error(vectors, region, scale) < 1.5 * error(vectors, stored, scale)
    assert error(vectors, stored, scale) < 1.5 * error(vectors, stored, None)


def test_only_clips_of_this_encoder_are_scaled() -> None:
    recipe = make_recipe()
    assert coding_scale(recipe, WINDOWS) is None
    assert coding_scale(replace(recipe, encoder_version="1"), CLIPS) is None
    assert coding_scale(replace(recipe, encoder="clap"), CLIPS) is None
