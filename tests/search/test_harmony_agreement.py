"""Agreement of chromas, against cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.search.harmony_agreement import agreement


def classes(*numbers: int) -> np.ndarray:
    """(1, 12) with these pitch classes, minus the mean."""
    chroma = np.zeros((1, 12), dtype=np.float32)
    chroma[0, list(numbers)] = 1.0
    return chroma - chroma.mean()


def test_the_agreement_is_the_median_over_the_windows() -> None:
    one = np.concatenate([classes(0), 2 * classes(4), classes(7)])
    assert agreement(one, one) == pytest.approx(1)
    assert agreement(one, np.concatenate([classes(0), classes(4), classes(9)])) == pytest.approx(1)
    assert agreement(one, np.concatenate([classes(0), classes(5), classes(9)])) == pytest.approx(-1 / 11)
    assert agreement(one[:2], np.concatenate([classes(0), classes(5)])) == pytest.approx((1 - 1 / 11) / 2)
    assert agreement(one, np.zeros_like(one)) == 0


def test_a_pitch_between_two_classes_is_divided_between_them() -> None:
    between = (classes(0) + classes(1)) / 2
    assert agreement(classes(0), between, 0.5) == pytest.approx(1)
    assert agreement(between, classes(1), 0.5) == pytest.approx(1)
    assert agreement(between, classes(0), -0.5) == pytest.approx(1)
    assert agreement(classes(11), classes(0), 1.0) == pytest.approx(1)
    assert agreement(classes(0), between, -0.5) < 0.5


def test_no_windows_are_refused() -> None:
    with pytest.raises(InputError, match="no windows"):
        agreement(np.zeros((0, 12), np.float32), np.zeros((0, 12), np.float32))
