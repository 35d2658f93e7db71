from __future__ import annotations

import numpy as np
import pytest

from soundalike.research.clips.clip_embedding import PartVectors
from soundalike.research.reproduce.conditions import get_stems
from soundalike.research.reproduce.triplet_features import SIMILARITIES, features
from tests.research.reproduce.made_up import triplet, unit_vectors

PARTS = ("drums", "mix")


def test_features_are_differences_of_cosines() -> None:
    rng = np.random.default_rng(1)
    triplets = [triplet(n, (1, 0, 0, 0)) for n in range(5)]
    vectors = {name: unit_vectors(PARTS, rng) for t in triplets for name in (t.reference, t.a, t.b)}
    found = features(triplets, vectors)
    for row, t in zip(found, triplets, strict=True):
        x, a, b = (vectors[name].vectors.astype(float) for name in (t.reference, t.a, t.b))
        for k in range(2):
            np.testing.assert_allclose(row[k], x[k] @ a[k] - x[k] @ b[k], atol=1e-7)
    turned = features([t.swapped() for t in triplets], vectors)
    np.testing.assert_array_equal(turned, -found)


def test_a_part_that_one_clip_lacks_says_nothing_when_gated() -> None:
    rng = np.random.default_rng(2)
    t = triplet(0, (1, 0, 0, 0))
    for lacking in (t.reference, t.a, t.b):
        vectors = {name: unit_vectors(PARTS, rng) for name in (t.reference, t.a, t.b)}
        quiet = vectors[lacking]
        vectors[lacking] = PartVectors(PARTS, quiet.vectors, np.array([-61.0, -20.0]))
        open_gate, gated, wide = (features([t], vectors, gate)[0] for gate in (None, -40.0, -42.0))
        assert gated[0] == 0 != open_gate[0]
        assert gated[1] == open_gate[1]
        np.testing.assert_array_equal(wide, open_gate)


def test_no_triplets_have_no_features() -> None:
    assert features([], {"x": unit_vectors(PARTS, np.random.default_rng(0))}).shape == (0, 2)


def test_rows_of_stems() -> None:
    assert get_stems("true-4").parts == ("bass", "drums", "residuals", "mix")
    assert get_stems("true-6").parts == ("bass", "drums", "guitar", "piano", "residuals", "mix")
    assert len(get_stems("htdemucs").parts) == 5
    assert len(get_stems("htdemucs_6s").parts) == 7


def test_the_euclidean_distance_orders_single_parts_as_the_cosine_does() -> None:
    rng = np.random.default_rng(3)
    triplets = [triplet(n, (1, 0, 0, 0)) for n in range(20)]
    vectors = {name: unit_vectors(PARTS, rng) for t in triplets for name in (t.reference, t.a, t.b)}
    cosine, euclidean = (features(triplets, vectors, similarity=name) for name in SIMILARITIES)
    assert (np.sign(cosine) == np.sign(euclidean)).all()
    x, a, b = (vectors[name].vectors[0].astype(float) for name in (triplets[0].reference, triplets[0].a, triplets[0].b))
    assert euclidean[0, 0] == pytest.approx(np.linalg.norm(x - b) - np.linalg.norm(x - a))
    assert not np.allclose(cosine, euclidean)
