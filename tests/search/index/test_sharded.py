"""Shards together answer as one process does, bit for bit, and report it when one of them is missing."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing.library_update import index
from soundalike.library.storage.store import Library
from soundalike.search.filters import Filters
from soundalike.search.finder import Finder
from soundalike.search.index.local_indexes import LocalIndexes
from soundalike.search.index.sharded import ShardedIndexes
from soundalike.search.index.table_rows import CLIPS, WINDOWS
from soundalike.search.index.vector_index import Term
from soundalike.search.open_library import OpenLibrary
from soundalike.search.results import SearchResult
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE
from tests.search.index.in_process_shards import pool_of, sharded
from tests.search.index.made_up_vectors import DIMENSION, PARTS, flat, stored


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    shards=st.integers(1, 6),
    k=st.integers(1, 40),
    weights=st.lists(st.sampled_from([-1.0, -0.3, 0.0, 0.2, 1.0]), min_size=3, max_size=3),
    ties=st.booleans(),
    admitted=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    present_only=st.booleans(),
)
def test_any_number_of_shards_answers_as_the_flat_index(
    seed: int, shards: int, k: int, weights: list[float], ties: bool, admitted: float, present_only: bool
) -> None:
    rng = np.random.default_rng(seed)
    library = stored(rng, int(rng.integers(1, 120)), int(rng.integers(1, 40)))
    if ties:  # many rows of equal vectors
        few = rng.integers(0, 3, len(library.starts))
        library.columns = {part: column[few % len(column)] for part, column in library.columns.items()}
    alone, together = flat(library), sharded(library, shards)
    tie_order = rng.permutation(len(alone.rows.contents)).astype(np.int64)
    tie_order[rng.random(len(tie_order)) >= admitted] = -1
    query = rng.normal(size=DIMENSION)
    terms = [Term(part, part, query / np.linalg.norm(query), w) for part, w in zip(PARTS, weights, strict=True) if w]
    terms = terms or [Term("mix", "mix", query, 1.0)]
    expected = alone.search(terms, k, tie_order, present_only=present_only)
    assert together.search(terms, k, tie_order, present_only=present_only) == expected


def test_without_a_shard_the_rest_answers_and_the_share_is_reported() -> None:
    library = stored(np.random.default_rng(1), 200, 60)
    whole, index = flat(library), sharded(library, 3)
    tie_order = np.arange(len(whole.rows.contents), dtype=np.int64)
    terms = [Term("mix", "mix", np.random.default_rng(2).normal(size=DIMENSION), 1.0)]
    everything = whole.search(terms, 60, tie_order)
    assert len(everything.best) == len(tie_order)
    pool_of(index).lost = {1}
    assert whole.scan(terms).share == 1.0
    scan = index.scan(terms)
    lost = np.isneginf(scan.scores)
    assert 0 < lost.sum() < 200
    assert scan.share == pytest.approx(1 - lost.mean())
    matches = index.search(terms, 60, tie_order)
    assert matches.share == pytest.approx(1 - lost.mean())
    missing = set(index.rows.of_row[lost].tolist())
    assert matches.best == [m for m in everything.best if index.rows.of_row[m.row] not in missing]
    np.testing.assert_array_equal(index.present("mix"), whole.present("mix") & ~lost)
    rows = np.arange(200)[::3]
    np.testing.assert_array_equal(index.take(["mix"], rows), whole.take(["mix"], rows))  # read from the library
    pool_of(index).lost = set()
    assert index.search(terms, 60, tie_order) == everything
    np.testing.assert_array_equal(index.present("mix"), whole.present("mix"))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    for number in range(40):
        (tmp_path / "music" / f"n{number:02d}.wav").write_text(f"song {1 + number % 4} {number}")
        (tmp_path / "music" / f"hit{number:02d}.wav").write_text(f"one-shot {number}")
    index(tmp_path / "library", [tmp_path / "music"], recipe=RECIPE, backend=InlineBackend())
    return tmp_path / "library"


def _results(finder: Finder) -> list[SearchResult]:
    return [
        finder.similar("music/n03.wav", weights={"drums": 1.0, "mix": -0.4}, raw=True, n=12),
        finder.similar("music/n03.wav", part="bass", n=3, diverse=True),
        finder.similar("music/n03.wav", n=5, filters=Filters(paths=("n1*",))),
        finder.similar("music/hit05.wav", n=100),
        finder.similar("music/n03.wav", part="drums", n=9, filters=Filters(kinds=("song", "one-shot"))),
    ]


def _sharing(cluster: Any, library: Path, count: int | None = None) -> tuple[Finder, ShardedIndexes]:
    """A finder that searches in shards, and its indexes."""
    opened = Library.open(library)
    indexes = ShardedIndexes(cluster, opened, count, columns=[(WINDOWS, "mix")])
    return Finder(OpenLibrary(opened, indexes)), indexes


@pytest.mark.cluster
def test_a_finder_with_shards_answers_as_one_without(library: Path, nodes: Any) -> None:
    from soundalike.jobs.ray import connected

    expected = [result.hits for result in _results(Finder.open(library))]
    assert all(expected)
    with connected(nodes.address) as cluster:
        for count in (1, 3):
            finder, indexes = _sharing(cluster, library, count)
            results = _results(finder)
            assert [result.hits for result in results] == expected
            assert {result.share for result in results} == {1.0}
            indexes.pool.close()
        with pytest.raises(InputError, match="0 shards requested"):
            _sharing(cluster, library, 0)


@pytest.mark.cluster
def test_shards_on_a_cluster_answer_as_the_flat_index_under_random_weights(library: Path, nodes: Any) -> None:
    from soundalike.jobs.ray import connected

    alone = LocalIndexes(Library.open(library))
    rng = np.random.default_rng(7)
    with connected(nodes.address) as cluster:
        _, together = _sharing(cluster, library, 3)
        for _ in range(40):
            table, columns = (WINDOWS, RECIPE.parts) if rng.random() < 0.7 else (CLIPS, ("mix",))
            chosen = rng.permutation(columns)[: rng.integers(1, len(columns) + 1)].tolist()
            terms = [Term(part, part, rng.normal(size=8), float(rng.normal())) for part in chosen]
            tie_order = rng.permutation(len(alone[table].rows.contents)).astype(np.int64)
            tie_order[rng.random(len(tie_order)) < 0.3] = -1
            k, present_only = int(rng.integers(1, 50)), bool(rng.random() < 0.5)
            expected = alone[table].search(terms, k, tie_order, present_only=present_only)
            assert expected.best
            assert together[table].search(terms, k, tie_order, present_only=present_only) == expected
            rows = rng.integers(0, len(alone[table].rows), 20)
            np.testing.assert_array_equal(together[table].take(chosen, rows), alone[table].take(chosen, rows))
        together.pool.close()


@pytest.mark.cluster
def test_a_lost_shard_is_loaded_again_and_the_share_is_reported_until_then(library: Path, nodes: Any) -> None:
    import ray

    from soundalike.jobs.ray import connected

    expected = [result.hits for result in _results(Finder.open(library))]
    with connected(nodes.address) as cluster:
        finder, indexes = _sharing(cluster, library, 3)
        (library.parent / "music" / "later.wav").write_text("song 2 3")  # not in the state that was opened
        index(library, backend=InlineBackend())
        ray.kill(indexes.pool.actors()[1])
        shares, deadline = [], time.monotonic() + 90
        while not shares or shares[-1] < 1.0 or indexes.pool.share < 1.0:
            assert time.monotonic() < deadline
            result = finder.similar("music/n03.wav", weights={"mix": 1.0}, raw=True, n=100)
            ids = [hit.id for hit in result.hits]
            shares.append(result.share)
            assert len(set(ids)) == len(ids)
            assert (result.share == 1.0) == (len(ids) == 39)
            time.sleep(0.05)
        assert min(shares) < 1.0
        assert [result.hits for result in _results(finder)] == expected
        (library.parent / "music" / "n39.wav").write_text("song 2 1234")  # a content of that state disappears
        index(library, backend=InlineBackend())
        for actor in indexes.pool.actors():
            ray.kill(actor)
        with pytest.raises(LibraryError, match=r"has changed since it was opened .*open it again"):
            _search_for_a_while(finder)
        later = finder.refreshed()
        results = _results(later)
        assert [result.hits for result in results] == [result.hits for result in _results(Finder.open(library))]
        assert {result.share for result in results} == {1.0}
        indexes.pool.close()


def _search_for_a_while(finder: Finder) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        finder.similar("music/n03.wav", weights={"mix": 1.0}, raw=True)
        time.sleep(0.05)


@pytest.mark.cluster
def test_many_search_at_once(library: Path, nodes: Any) -> None:
    from soundalike.jobs.ray import connected

    expected = [result.hits for result in _results(Finder.open(library))]
    with connected(nodes.address) as cluster:
        finder = Finder.open(library, cluster=cluster)
        assert finder.indexes[WINDOWS].method == "shards"
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda: answers.append([result.hits for result in _results(finder)]))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [expected] * 4
