"""The quantised index: scores are exact, and hardly a hit is missed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.search.index import rabitq_segments
from soundalike.search.index.vector_index import Term
from soundalike.similarity.cosine import unit
from tests.search.index.made_up_vectors import DIMENSION, PARTS, best_matches, oracle, quantised, stored, terms_of


@pytest.mark.parametrize(
    "weights", [{"mix": 1.0}, {"bass": 1.0, "drums": 1.0, "mix": 1.0}, {"drums": 1.0, "mix": -0.5}]
)
def test_hits_are_found_by_their_codes(
    weights: dict[str, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabitq_segments, "MAX_UNCODED_ROWS", 100)
    rng = np.random.default_rng(8)
    library = stored(rng, 3_000, 900)
    library.folder = tmp_path
    index = quantised(library)
    ids = {content: content for content in library.contents if rng.random() < 0.7}
    query = unit(rng.normal(size=(2, len(PARTS), DIMENSION)))
    terms = terms_of(query, weights)
    matches = best_matches(index, terms, 50, ids)
    assert index.segments.segments
    expected = oracle(library, query, weights, ids)
    scores = {(content, start): score for content, start, score in expected}
    assert len(matches) == 50
    assert [scores[match.content, match.start] for match in matches] == pytest.approx(
        [m.score for m in matches], abs=1e-9
    )
    assert len({match.content for match in matches} & {content for content, _, _ in expected[:50]}) >= 48
    assert best_matches(index, terms, 50, ids) == matches
    everything = best_matches(index, terms, 2_000, ids)
    assert everything[:50] == matches
    assert len(everything) == len(ids)


def test_products_of_some_rows_are_those_of_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for subnormal float16 numbers, zeros and both signs, in rows with and without codes."""
    monkeypatch.setattr(rabitq_segments, "MAX_UNCODED_ROWS", 50)
    library = stored(np.random.default_rng(9), 500, 90)
    library.folder = tmp_path
    for column in library.columns.values():
        column[7] = [1e-7, -6e-8, 6.1e-5, -6.1e-5, 0.0, -0.0, 1.0, -1.0]
    assert quantised(library).segments.rows_written == 500
    added = stored(np.random.default_rng(10), 40, 5)
    library.contents += [f"new-{content}" for content in added.contents]
    library.starts += added.starts
    library.columns = {part: np.concatenate([column, added.columns[part]]) for part, column in library.columns.items()}
    index = quantised(library)
    assert len(index.segments.uncoded) == 40
    rows = np.random.default_rng(1).permutation(540)[:300]
    queries = np.random.default_rng(2).normal(size=(2, DIMENSION))
    terms = [Term("a", "mix", queries[0], 0.7), Term("b", "drums", queries[1], -2.0), Term("c", "mix", queries[1], 0.1)]
    columns = {part: library.columns[part][index.rows.order].astype(np.float64)[rows] for part in PARTS}
    expected = sum(term.weight * columns[term.column] @ term.query for term in terms)
    np.testing.assert_allclose(index.products(terms, rows), expected, atol=1e-5)
