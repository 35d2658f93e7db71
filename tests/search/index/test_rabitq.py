"""One-bit codes: unbiased estimates with the stated standard error."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.search.index.rabitq import BLOCK, bits_for, encode, encode_query, estimate, rotation
from soundalike.similarity.cosine import unit


def made_up(rng: np.random.Generator, rows: int, dimension: int, absent: float = 0.1) -> NDArray[np.float32]:
    """Unit vectors with a common direction, as embeddings have, some of them absent."""
    estimates = unit(rng.normal(size=(rows, dimension)) / np.sqrt(dimension) + unit(rng.normal(size=dimension)))
    estimates[rng.random(rows) < absent] = 0
    return estimates.astype(np.float32)


LARGE = pytest.param(20_000, 512, marks=pytest.mark.long)


@pytest.mark.parametrize("dimension", [8, 334, 512, 700])
def test_the_rotation_keeps_products(dimension: int) -> None:
    turn = rotation(dimension).astype(np.float64)
    assert turn.shape == (bits_for(dimension), dimension)
    assert bits_for(dimension) % 512 == 0
    np.testing.assert_allclose(turn.T @ turn, np.eye(dimension), atol=1e-5)


@pytest.mark.parametrize(("rows", "dimension"), [(1, 8), (BLOCK, 8), (BLOCK + 1, 334), (3_000, 700), LARGE])
def test_estimates_are_the_products_within_the_stated_error(rows: int, dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    columns = [made_up(rng, rows, dimension) for _ in range(3)]
    centres = np.stack([column[column.any(axis=1)].mean(axis=0) if column.any() else column[0] for column in columns])
    coded = encode(columns, centres)
    queries = [weight * unit(rng.normal(size=dimension) + columns[0][0]) for weight in (1.0, -0.5, 2.0)]
    for parts in ([0], [2, 0], [0, 1, 2], [1, 1]):
        query = encode_query(coded, parts, [queries[part] for part in parts])
        estimates = estimate(coded, query).astype(np.float64)
        true = sum(columns[part].astype(np.float64) @ queries[part] for part in parts)
        off = (estimates - true)[np.all([columns[part].any(axis=1) for part in parts], axis=0)]
        if len(off) >= 1_000:
            # The errors of a part that is named twice are equal and add up to more than two independent ones.
            stated = query.error * (2**0.5 if len(set(parts)) < len(parts) else 1)
            assert 0.8 * stated < off.std() < 1.15 * stated
            assert abs(off.mean()) < 0.1 * stated
        absent = ~np.any([columns[part].any(axis=1) for part in parts], axis=0)
        assert not estimates[absent].any()
    for part in range(3):
        np.testing.assert_array_equal(coded.present(part), columns[part].any(axis=1))


def test_the_scan_equals_a_plain_loop() -> None:
    """Bit by bit on a few rows: sum over set bits of the rounded query, less the rest."""
    rng = np.random.default_rng(1)
    column = made_up(rng, 30, 64)
    coded = encode([column], column.mean(axis=0, keepdims=True))
    query = rng.normal(size=64)
    turned = rotation(64).astype(np.float64) @ query
    step = (turned.max() - turned.min()) / 15
    rounded = turned.min() + step * np.rint((turned - turned.min()) / step)
    estimates = estimate(coded, encode_query(coded, [0], [query]))
    for row in range(30):
        signs = np.array([(int(coded.codes[0, 0, bit // 64, row]) >> (bit % 64)) & 1 for bit in range(bits_for(64))])
        expected = coded.factors[0, 0, row] * float((2 * signs - 1) @ rounded) + float(coded.centres[0] @ query)
        assert estimates[row] == pytest.approx(expected if column[row].any() else 0.0, abs=1e-4)


def test_a_row_equal_to_the_centre_is_present_and_scores_as_the_centre() -> None:
    rng = np.random.default_rng(2)
    centre = unit(rng.normal(size=16)).astype(np.float32)
    column = np.stack([centre, np.zeros(16, np.float32), centre])
    coded = encode([column], centre[np.newaxis])
    query = rng.normal(size=16)
    estimates = estimate(coded, encode_query(coded, [0], [query]))
    np.testing.assert_allclose(estimates, [centre @ query, 0, centre @ query], atol=1e-5)
    assert coded.present(0).tolist() == [True, False, True]
