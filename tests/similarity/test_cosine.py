"""Cosines, contributions and their weighted sum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soundalike.errors import InputError
from soundalike.similarity.cosine import contributions, cosines, unit, weighted_similarity


def test_a_hand_computed_case() -> None:
    a = unit(np.array([[1.0, 0.0], [3.0, 4.0]]))
    b = unit(np.array([[1.0, 1.0], [0.0, 2.0]]))
    np.testing.assert_allclose(cosines(a, b), [np.sqrt(0.5), 0.8], atol=1e-7)
    weights = {"drums": 2.0, "mix": -1.0}
    np.testing.assert_allclose(
        contributions(cosines(a, b), ("drums", "mix"), weights), [2 * np.sqrt(0.5), -0.8], atol=1e-6
    )
    assert weighted_similarity(a, b, ("drums", "mix"), weights) == pytest.approx(2 * np.sqrt(0.5) - 0.8, abs=1e-6)


def test_an_absent_part_contributes_nothing() -> None:
    a = unit(np.array([[0.0, 0.0], [3.0, 4.0]]))
    b = unit(np.array([[1.0, 1.0], [3.0, 4.0]]))
    np.testing.assert_allclose(cosines(a, b), [0.0, 1.0], atol=1e-7)


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        unit(np.array([[np.nan, 1.0]]))


@example(np.full((3, 5), 2.4e-160))
@example(np.full((3, 5), 1e200))
@given(arrays(np.float64, (3, 5), elements=st.floats(-1e6, 1e6)))
def test_unit_vectors_have_norm_one_or_are_zero(values: np.ndarray) -> None:
    norms = np.linalg.norm(unit(values), axis=1)
    for norm, row in zip(norms, values, strict=True):
        assert norm == pytest.approx(1, abs=1e-5) if row.any() else norm == 0
