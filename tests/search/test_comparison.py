"""Two files compared part by part."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.search.comparison import compare_queries
from soundalike.search.query import Query
from soundalike.similarity.cosine import unit

PARTS = ("bass", "drums", "mix")


def query(vectors: np.ndarray) -> Query:
    starts = 10.0 * np.arange(len(vectors))
    return Query("made up", False, PARTS, starts, starts + 10, vectors.astype(np.float32), frozenset())


def test_the_best_pair_of_windows_decides_and_each_part_has_its_own() -> None:
    rng = np.random.default_rng(1)
    a, b = unit(rng.normal(size=(3, 3, 6))), unit(rng.normal(size=(4, 3, 6)))
    weights = {"bass": 1.0, "drums": 2.0}
    comparison = compare_queries(query(a), query(b), PARTS, weights)
    cosine = np.einsum("nkd,mkd->nmk", a, b)
    scores = cosine[..., 0] + 2 * cosine[..., 1]
    i, j = np.unravel_index(scores.argmax(), scores.shape)
    assert comparison.score == pytest.approx(scores.max(), abs=1e-6)
    assert (comparison.seconds_a, comparison.seconds_b) == ((10.0 * i, 10.0 * i + 10), (10.0 * j, 10.0 * j + 10))
    assert sum(part.contribution for part in comparison.parts) == pytest.approx(comparison.score, abs=1e-6)
    for k, part in enumerate(comparison.parts):
        assert part.best == pytest.approx(cosine[..., k].max(), abs=1e-6)
        assert part.mean == pytest.approx(cosine[..., k].mean(), abs=1e-6)
    mix = comparison.parts[2]
    assert (mix.weight, mix.contribution) == (0.0, 0.0)


def test_an_absent_part_is_marked_and_contributes_nothing() -> None:
    a = unit(np.random.default_rng(2).normal(size=(2, 3, 6)))
    b = a.copy()
    b[:, 1] = 0
    comparison = compare_queries(query(a), query(b), PARTS, dict.fromkeys(PARTS, 1.0))
    drums = comparison.parts[1]
    assert (drums.cosine, drums.best, drums.mean, drums.contribution) == (None, None, None, 0.0)
    assert comparison.score == pytest.approx(2.0, abs=1e-6)
