"""Recall of the quantised index against an exact pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.search.index import rabitq_segments
from soundalike.search.index import recall as module
from soundalike.search.index.recall import measure_if_missing, measure_recall, stored_recall
from tests.search.index.made_up_vectors import PARTS, StoredVectors, flat, quantised, stored


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoredVectors:
    monkeypatch.setattr(rabitq_segments, "MAX_UNCODED_ROWS", 50)
    monkeypatch.setattr(module, "_CHUNK", 300)  # so that contents span two chunks
    made = stored(np.random.default_rng(3), 2_500, 700)
    made.folder = tmp_path
    return made


def test_an_exact_search_has_recall_one(library: StoredVectors) -> None:
    recall = measure_recall(library, flat(library), queries=5)
    assert set(recall.by_weights) == {"equal weights", *(f"only {part}" for part in PARTS)}
    assert set(recall.by_weights.values()) == {1.0}
    assert (recall.rows, recall.count, recall.queries) == (2_500, 100, 5)


def test_missed_hits_lower_the_recall(library: StoredVectors, monkeypatch: pytest.MonkeyPatch) -> None:
    index = quantised(library)
    good = measure_recall(library, index, queries=5)
    assert good.worst[1] > 0.9
    # A search that trusts the estimates misses hits, and the measurement shows it.
    monkeypatch.setattr("soundalike.search.index.quantised.CERTAINTY", -10.0)
    poor = measure_recall(library, index, queries=5)
    assert poor.worst[1] < good.worst[1]


def test_a_measurement_holds_while_the_table_is_about_the_same(library: StoredVectors) -> None:
    index = quantised(library)
    assert stored_recall(library, index) is None
    recall = measure_if_missing(library, index)
    assert stored_recall(library, index) == recall
    more = StoredVectors(
        library.contents + ["x"] * 300,
        library.starts + [float(n) for n in range(300)],
        {part: np.concatenate([column, column[:300]]) for part, column in library.columns.items()},
    )
    more.folder = library.folder
    assert stored_recall(more, quantised(more)) is None


def test_a_table_of_one_content_has_nothing_to_miss(tmp_path: Path) -> None:
    made = stored(np.random.default_rng(3), 5, 1)
    made.folder = tmp_path
    recall = measure_recall(made, flat(made))
    assert (recall.queries, set(recall.by_weights.values())) == (0, {1.0})
