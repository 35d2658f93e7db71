"""Every index against a plain NumPy oracle: what `VectorIndex` promises holds for all implementations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.errors import InputError
from soundalike.search.index.vector_index import Term, VectorIndex
from soundalike.similarity.cosine import unit
from tests.search.index.in_process_shards import sharded
from tests.search.index.made_up_vectors import (
    DIMENSION,
    PARTS,
    StoredVectors,
    best_matches,
    flat,
    oracle,
    quantised,
    stored,
    terms_of,
)

INDEXES: dict[str, Callable[[StoredVectors], VectorIndex]] = {
    "flat": flat,
    "quantised": quantised,  # too few rows for codes: all are scanned exactly (see test_quantised for codes)
    "sharded": sharded,
}

weights_strategy = st.dictionaries(
    st.sampled_from(PARTS), st.floats(-3, 3).filter(lambda value: abs(value) > 0.01), min_size=1
)


@pytest.fixture(params=INDEXES)
def make_index(request: pytest.FixtureRequest) -> Callable[[StoredVectors], VectorIndex]:
    return INDEXES[request.param]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 120),
    contents=st.integers(1, 40),
    windows=st.integers(1, 4),
    k=st.integers(1, 15),
    weights=weights_strategy,
    name=st.sampled_from(sorted(INDEXES)),
)
def test_a_search_returns_what_the_oracle_does(
    seed: int, rows: int, contents: int, windows: int, k: int, weights: dict[str, float], name: str
) -> None:
    rng = np.random.default_rng(seed)
    library = stored(rng, rows, contents)
    library.folder = Path("nowhere")
    query = unit(rng.normal(size=(windows, len(PARTS), DIMENSION)))
    ids = {content: f"id{(7 * number) % 100:03}" for number, content in enumerate(sorted(set(library.contents)))}
    ids = {content: name for content, name in ids.items() if rng.random() < 0.8}
    matches = best_matches(INDEXES[name](library), terms_of(query, weights), k, ids)
    expected = oracle(library, query, weights, ids)[:k]
    assert [match.score for match in matches] == pytest.approx([score for _, _, score in expected], abs=1e-9)
    # Scores that differ by rounding alone (the two sums run in another order) may change places.
    clear = [
        all(abs(score - other) > 1e-9 for _, _, other in expected if other is not score) for _, _, score in expected
    ]
    for match, (content, start, _), sure in zip(matches, expected, clear, strict=True):
        if sure:
            assert (match.content, match.start) == (content, start)
        assert match.score == pytest.approx(sum(match.contributions), abs=1e-5)
        for contribution, cosine, weight in zip(match.contributions, match.cosines, weights.values(), strict=True):
            assert contribution == pytest.approx(weight * cosine, abs=1e-12)


def test_equal_scores_are_ordered_by_id_then_start(make_index: Callable[[StoredVectors], VectorIndex]) -> None:
    one = np.zeros((4, DIMENSION), dtype=np.float16)
    one[:, 0] = 1
    library = StoredVectors(["b", "a", "a", "c"], [0.0, 20.0, 10.0, 0.0], dict.fromkeys(PARTS, one))
    library.folder = Path("nowhere")
    query = np.eye(DIMENSION, dtype=np.float32)[np.newaxis, [0, 0, 0]]
    ids = {"a": "2", "b": "3", "c": "1"}
    matches = best_matches(make_index(library), terms_of(query, {"mix": 1.0}), 3, ids)
    assert [(match.content, match.start) for match in matches] == [("c", 0.0), ("a", 10.0), ("b", 0.0)]


def test_absent_parts_contribute_exactly_nothing_and_are_marked(
    make_index: Callable[[StoredVectors], VectorIndex],
) -> None:
    library = stored(np.random.default_rng(3), 5, 5, absent=1.0)
    library.folder = Path("nowhere")
    query = unit(np.random.default_rng(4).normal(size=(1, len(PARTS), DIMENSION)))
    terms, ids = terms_of(query, {"bass": 1.0}), dict.fromkeys(library.contents, "x")
    (match,) = best_matches(make_index(library), terms, 1, ids)
    assert match.score == 0
    assert match.present == (False,)
    assert best_matches(make_index(library), terms, 1, ids, present_only=True) == []


def test_rows_in_another_order_give_the_same_result(make_index: Callable[[StoredVectors], VectorIndex]) -> None:
    rng = np.random.default_rng(5)
    library = stored(rng, 200, 50)
    order = rng.permutation(200)
    shuffled = StoredVectors(
        [library.contents[row] for row in order],
        [library.starts[row] for row in order],
        {part: column[order] for part, column in library.columns.items()},
    )
    query = unit(rng.normal(size=(2, len(PARTS), DIMENSION)))
    ids = {content: content for content in library.contents}
    terms = terms_of(query, {"bass": 0.5, "drums": 1.0, "mix": -0.3})
    results = []
    for some in (library, shuffled):
        some.folder = Path("nowhere")
        matches = best_matches(make_index(some), terms, 20, ids)
        results.append([(match.content, match.start, match.score) for match in matches])
    assert len(results[0]) == 20
    assert results[0] == results[1]


def test_scan_present_and_take_are_row_by_row(make_index: Callable[[StoredVectors], VectorIndex]) -> None:
    rng = np.random.default_rng(6)
    library = stored(rng, 90, 20, absent=0.5)
    library.folder = Path("nowhere")
    index = make_index(library)
    order = index.rows.order
    columns = {part: library.columns[part][order].astype(np.float32) for part in PARTS}
    bass, drums = (rng.normal(size=DIMENSION) for _ in "bd")
    scan = index.scan([Term("bass", "bass", bass, 0.5), Term("drums", "drums", drums, -2.0)])
    expected = 0.5 * columns["bass"].astype(float) @ bass - 2 * columns["drums"].astype(float) @ drums
    np.testing.assert_allclose(scan.scores, expected, atol=scan.margin)
    assert scan.error == 0
    rows = rng.permutation(90)[:40]
    np.testing.assert_array_equal(index.take(["mix", "bass"], rows)[:, 0], columns["mix"][rows])
    np.testing.assert_array_equal(index.take(["mix", "bass"], rows)[:, 1], columns["bass"][rows])
    for part in PARTS:
        np.testing.assert_array_equal(index.present(part), columns[part].any(axis=1))


@pytest.mark.parametrize(("terms", "k"), [([], 5), ([Term("mix", "mix", np.zeros(DIMENSION), 1.0)], 0)])
def test_a_search_without_terms_or_hits_is_refused(
    make_index: Callable[[StoredVectors], VectorIndex], terms: list[Term], k: int
) -> None:
    library = stored(np.random.default_rng(6), 5, 5)
    library.folder = Path("nowhere")
    with pytest.raises(InputError):
        best_matches(make_index(library), terms, k, dict.fromkeys(library.contents, "x"))


def test_nothing_admitted_gives_nothing(make_index: Callable[[StoredVectors], VectorIndex]) -> None:
    library = stored(np.random.default_rng(6), 5, 5)
    library.folder = Path("nowhere")
    matches = make_index(library).search(
        [Term("mix", "mix", np.ones(DIMENSION), 1.0)], 3, np.full(len(set(library.contents)), -1, dtype=np.int64)
    )
    assert (matches.best, matches.share) == ([], 1.0)
