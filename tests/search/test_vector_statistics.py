"""Spread and hubness, on made-up vectors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.search.vector_statistics import FEWEST_PAIRS, hubness, occurrence, spread
from soundalike.similarity.cosine import unit
from tests.search.index.made_up_vectors import PARTS, StoredVectors, flat, stored


def oracle_occurrence(points: NDArray[np.float32], groups: NDArray[np.int64], k: int = 10) -> NDArray[np.int64]:
    counts = np.zeros(len(points), dtype=int)
    for row, point in enumerate(points):
        similar = [(-float(point @ other), index) for index, other in enumerate(points) if groups[index] != groups[row]]
        for _, index in sorted(similar)[:k]:
            counts[index] += 1
    return counts


def test_occurrence_equals_the_oracle() -> None:
    rng = np.random.default_rng(1)
    points = unit(rng.normal(size=(80, 6)))
    groups = rng.integers(0, 30, 80)
    counts = oracle_occurrence(points, groups)
    measured = occurrence(points, groups)
    assert measured.largest == counts.max()
    assert measured.never == pytest.approx(np.mean(counts == 0))
    centred = counts - counts.mean()
    assert measured.skewness == pytest.approx((centred**3).mean() / (centred**2).mean() ** 1.5)


def test_a_hub_is_detected() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(size=(300, 50)) + 1.0  # a common direction: the mean is near to all
    hub = unit(np.vstack([points, points.mean(axis=0)]))
    assert occurrence(hub, np.arange(301)).largest > 250
    assert occurrence(unit(points), np.arange(300)).largest < 250


def test_the_spread_is_that_of_pairs_of_different_files_that_have_the_part() -> None:
    library = stored(np.random.default_rng(7), 300, 40, absent=0.3)
    index = flat(library)
    measured = spread(index, PARTS)
    for part in PARTS:
        column = index.column(part).astype(float)
        different = index.rows.of_row[:, np.newaxis] != index.rows.of_row[np.newaxis]
        both = column.any(axis=1)[:, np.newaxis] & column.any(axis=1)[np.newaxis]
        cosines = (column @ column.T)[different & both]
        assert measured[part].pairs > 5_000
        assert measured[part].mean == pytest.approx(cosines.mean(), abs=0.02)
        assert measured[part].deviation == pytest.approx(cosines.std(), rel=0.05)


def test_a_part_in_too_few_pairs_has_the_spread_of_the_unknown() -> None:
    library = stored(np.random.default_rng(8), 30, 10)
    library.columns["bass"] = np.zeros_like(library.columns["bass"])
    measured = spread(flat(library), PARTS)
    assert (measured["bass"].mean, measured["bass"].deviation, measured["bass"].pairs) == (0.0, 1.0, 0)
    assert measured["mix"].pairs > FEWEST_PAIRS
    one = StoredVectors(["a"], [0.0], {part: np.ones((1, 8), np.float16) for part in PARTS})
    assert spread(flat(one), ["mix"])["mix"].pairs == 0


def test_hubness_needs_enough_files() -> None:
    few = hubness(flat(stored(np.random.default_rng(9), 60, 9)), "mix")
    many = hubness(flat(stored(np.random.default_rng(9), 200, 60, absent=0.0)), "mix")
    assert few is None
    assert many is not None
    assert many.windows == 200
