"""The loops in NumPy give what numba's compiled ones give."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.search.index import rabitq, rabitq_kernel, rabitq_numpy
from soundalike.search.index.rabitq import BLOCK, encode, encode_query
from soundalike.similarity.cosine import unit

pytest.importorskip("numba", reason="needs the extra: large")

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("rows", "dimension"), [(1, 8), (BLOCK + 1, 334), (5_000, 700)])
def test_estimates_agree(rows: int, dimension: int) -> None:
    rng = np.random.default_rng(rows)
    columns = [unit(rng.normal(size=(rows, dimension))).astype(np.float32) for _ in range(3)]
    columns[1][rng.random(rows) < 0.3] = 0
    coded = encode(columns, np.stack([column.mean(axis=0) for column in columns]))
    query = encode_query(coded, [2, 0, 1, 1], [unit(rng.normal(size=dimension)) for _ in range(4)])
    blocks = coded.codes.shape[1]
    outcomes = []
    for accumulate in (rabitq_kernel.accumulate(), rabitq_numpy.accumulate):
        out = np.full(blocks * BLOCK, np.nan, dtype=np.float32)
        scratch = np.empty(BLOCK, dtype=np.int64)
        accumulate(
            coded.codes, coded.factors, coded.ones, query.parts, query.planes, query.constants, 0, blocks, scratch, out
        )
        outcomes.append(out)
    np.testing.assert_allclose(outcomes[1], outcomes[0], atol=1e-5)
    assert np.isfinite(outcomes[1]).all()


def test_products_agree_on_subnormal_and_ordinary_values() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(6_000, 4, 64)).astype(np.float16)
    vectors[::7] *= np.float16(1e-5)
    rows, parts = rng.permutation(6_000)[:5_000], np.array([3, 1, 1])
    queries = rng.normal(size=(3, 64)).astype(np.float32)
    outcomes = []
    for products in (rabitq_kernel.products(), rabitq_numpy.products):
        out = np.empty(len(rows), dtype=np.float32)
        products(vectors.view(np.uint16), rows, parts, queries, out)
        outcomes.append(out)
    np.testing.assert_allclose(outcomes[1], outcomes[0], atol=1e-4)


def test_without_numba_the_loops_are_numpys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabitq, "find_spec", lambda name: None)
    rabitq.kernels.cache_clear()
    try:
        kernels = rabitq.kernels()
        assert not kernels.compiled
        assert kernels.accumulate is rabitq_numpy.accumulate
    finally:
        rabitq.kernels.cache_clear()
