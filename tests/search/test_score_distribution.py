"""Distributions of scores, computed by hand and against a plain oracle."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.search.index.exact_scoring import has_any_column
from soundalike.search.index.vector_index import Term
from soundalike.search.score_distribution import FEWEST, ScoreDistribution, score_distributions, spread_of_text
from tests.search.index.made_up_vectors import DIMENSION, PARTS, StoredVectors, best_matches, flat, stored


def test_deviations_and_shares_by_hand() -> None:
    distribution = ScoreDistribution(np.array([1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 3.0]))
    assert (distribution.mean, distribution.deviation) == (2.0, 1.0)
    assert [distribution.deviations(score) for score in (0.0, 2.0, 5.0)] == [-2.0, 0.0, 3.0]
    assert [distribution.share_below(score) for score in (1.0, 1.1, 3.0, 3.1)] == [0.0, 0.5, 0.5, 1.0]


def test_scores_that_differ_by_rounding_are_equal() -> None:
    distribution = ScoreDistribution(np.array([0.0] * 9 + [0.5]), tolerance=1e-6)
    assert distribution.share_below(0.5 + 1e-8) == 0.9


def test_few_or_equal_items_have_no_deviation() -> None:
    few = ScoreDistribution(np.arange(FEWEST - 1.0))
    assert (few.deviation, few.deviations(3.0), few.share_below(3.0)) == (None, None, None)
    equal = ScoreDistribution(np.full(FEWEST, 0.1))
    assert (equal.deviation, equal.deviations(0.1), equal.share_below(0.1)) == (None, None, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_items_count_by_their_best_window_that_has_the_part(seed: int) -> None:
    rng = np.random.default_rng(seed)
    library = stored(rng, rows=120, contents=30, absent=0.5)
    index = flat(library)
    query = rng.normal(size=DIMENSION) - 1.0
    terms = [Term("drums", "drums", query, 0.7), Term("bass", "bass", query, -0.2)]
    kind_of = {name: "loop" if name < "c015" else "song" for name in library.contents if name != "c003"}
    expected: dict[str, dict[str, float]] = {"loop": {}, "song": {}}
    for row, name in enumerate(library.contents):
        pair = [library.columns[part][row].astype(np.float64) for part in ("drums", "bass")]
        if name in kind_of and any(vector.any() for vector in pair):
            score = 0.7 * float(pair[0] @ query) - 0.2 * float(pair[1] @ query)
            best = expected[kind_of[name]]
            best[name] = max(best.get(name, -np.inf), score)
    contents = index.rows.contents.to_pylist()
    distributions = score_distributions(index, terms, np.array([kind_of.get(content, "") for content in contents]))
    assert set(distributions) == {kind for kind, scores in expected.items() if scores}
    for kind, distribution in distributions.items():
        np.testing.assert_allclose(distribution.scores, sorted(expected[kind].values()), atol=1e-5)
    allowed = {name: name for name in kind_of}
    hits = best_matches(index, terms, 1_000, allowed, present_only=True)
    assert {hit.content: hit.score for hit in hits} == pytest.approx(expected["loop"] | expected["song"], abs=1e-9)
    assert len(best_matches(index, terms, 1_000, allowed)) == len(kind_of)


def test_rows_with_any_of_the_columns_are_known() -> None:
    library = stored(np.random.default_rng(0), rows=40, contents=9, absent=0.6)
    index = flat(library)
    query = np.random.default_rng(1).normal(size=DIMENSION)
    order = index.rows.order
    terms = [Term("bass", "bass", query, 1.0), Term("drums", "drums", query, -2.0)]
    bass, drums = (library.columns[part].astype(np.float64)[order] for part in ("bass", "drums"))
    np.testing.assert_allclose(index.scan(terms).scores, (bass - 2 * drums) @ query, atol=1e-4)
    np.testing.assert_array_equal(has_any_column(index, terms), bass.any(axis=1) | drums.any(axis=1))


def test_an_empty_table_has_no_distribution() -> None:
    empty = StoredVectors([], [], {part: np.empty((0, DIMENSION), np.float16) for part in PARTS})
    term = Term("mix", "mix", np.ones(DIMENSION), 1.0)
    assert score_distributions(flat(empty), [term], np.array([], dtype=str)) == {}


def test_the_spread_of_a_text_is_that_of_the_rows_that_have_the_part() -> None:
    library = stored(np.random.default_rng(2), rows=60, contents=9, absent=0.5)
    query = np.random.default_rng(3).normal(size=DIMENSION)
    distributions = spread_of_text(flat(library), PARTS, lambda part: query)
    for part in PARTS:
        column = library.columns[part].astype(np.float64)
        cosine = column[column.any(axis=1)] @ query
        assert distributions[part].pairs == len(cosine)
        assert (distributions[part].mean, distributions[part].deviation) == pytest.approx(
            (cosine.mean(), cosine.std()), abs=1e-5
        )
    few = stored(np.random.default_rng(2), rows=FEWEST - 1, contents=3, absent=0.0)
    spread = spread_of_text(flat(few), ["mix"], lambda part: query)["mix"]
    assert (spread.mean, spread.deviation) == (0.0, 1.0)
