"""Shards together answer as one process does, to the last bit, and say so when one of them is missing."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soundalike.search.index.matching import Match, best_matches
from soundalike.search.index.vectors import Indices, Table, Term, Vectors

from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing.library_update import index
from soundalike.library.storage.location import Remote
from soundalike.library.storage.store import Library
from soundalike.search.filters import Filters
from soundalike.search.finder import Finder, Found
from soundalike.search.index.sharded import Shard, Shards, _numbered, merged, shard_of
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE
from tests.search.index.test_matching import DIMENSION, PARTS, StoredVectors, stored, vectors_of


def _sharded(
    library: StoredVectors, shards: int, terms: list[Term], count: int, ranks: Indices, heard_only: bool
) -> list[Match]:
    """What `Shards.best_matches` does, all of it here."""
    vectors = vectors_of(library)
    contents = vectors.rows("windows").contents
    of = shard_of(contents, shards)
    found = []
    for number in range(shards):
        mine = np.flatnonzero(of == number)
        shard = Shard(cast(Library, library), number, shards)
        table: Table = "windows"
        assert shard.load({table: contents.take(pa.array(mine))}, [(table, "mix")]) == []
        found += [(int(mine[at]), match) for at, match in shard.best(table, terms, count, ranks[mine], heard_only)]
    return [_numbered(match, vectors, at) for at, match in merged(found, ranks, count)]


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    shards=st.integers(1, 6),
    count=st.integers(1, 40),
    weights=st.lists(st.sampled_from([-1.0, -0.3, 0.0, 0.2, 1.0]), min_size=3, max_size=3),
    alike=st.booleans(),
    kept=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    heard_only=st.booleans(),
)
def test_any_number_of_shards_answers_as_one_process(
    seed: int, shards: int, count: int, weights: list[float], alike: bool, kept: float, heard_only: bool
) -> None:
    rng = np.random.default_rng(seed)
    library = stored(rng, int(rng.integers(1, 120)), int(rng.integers(1, 40)))
    if alike:  # many rows of equal vectors, whose scores tie
        few = rng.integers(0, 3, len(library.starts))
        library.columns = {part: column[few % len(column)] for part, column in library.columns.items()}
    vectors = vectors_of(library)
    contents = vectors.rows("windows").contents
    ranks = rng.permutation(len(contents)).astype(np.int64)
    ranks[rng.random(len(contents)) >= kept] = -1
    query = rng.normal(size=DIMENSION)
    terms = [Term(part, part, query / np.linalg.norm(query), w) for part, w in zip(PARTS, weights, strict=True) if w]
    terms = terms or [Term("mix", "mix", query, 1.0)]
    expected = best_matches(vectors, "windows", terms, count, ranks, heard_only=heard_only)
    assert _sharded(library, shards, terms, count, ranks, heard_only) == expected


def test_contents_are_spread_and_stay_where_they_are() -> None:
    names = pa.array([f"content {number}" for number in range(4000)])
    of = shard_of(names, 4)
    assert np.bincount(of).min() > 900
    assert (shard_of(names.slice(100, 10), 4) == of[100:110]).all()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    for number in range(40):
        (tmp_path / "music" / f"n{number:02d}.wav").write_text(f"song {1 + number % 4} {number}")
        (tmp_path / "music" / f"hit{number:02d}.wav").write_text(f"one-shot {number}")
    index(tmp_path / "library", [tmp_path / "music"], recipe=RECIPE, backend=InlineBackend())
    return tmp_path / "library"


def _questions(finder: Finder) -> list[Found]:
    return [
        finder.similar("music/n03.wav", weights={"drums": 1.0, "mix": -0.4}, raw=True, n=12),
        finder.similar("music/n03.wav", part="bass", n=3, diverse=True),
        finder.similar("music/n03.wav", n=5, filters=Filters(paths=("n1*",))),
        finder.similar("music/hit05.wav", n=100),
        finder.similar("music/n03.wav", part="drums", n=9, filters=Filters(kinds=("song", "one-shot"))),
    ]


@pytest.mark.cluster
def test_a_finder_asks_shards_in_place_of_itself(library: Path, nodes: Any) -> None:
    from soundalike.jobs.ray import connected

    alone, sharing = Finder.open(library), Finder.open(library)
    expected = [found.hits for found in _questions(alone)]
    with connected(nodes.address) as machines:
        for count in (1, 3):
            shards = Shards(machines, sharing.library, count, columns=[("windows", "mix")])
            sharing.searcher = shards
            found = _questions(sharing)
            assert [one.hits for one in found] == expected
            assert {one.share for one in found} == {1.0}
            shards.close()
        with pytest.raises(InputError, match="0 shards asked for"):
            Shards(machines, sharing.library, 0)


@pytest.mark.cluster
def test_a_lost_shard_is_loaded_again_and_missed_meanwhile(library: Path, nodes: Any) -> None:
    import ray

    from soundalike.jobs.ray import connected

    finder = Finder.open(library)
    expected = [found.hits for found in _questions(finder)]
    with connected(nodes.address) as machines:
        shards = Shards(machines, finder.library, 3)
        finder.searcher = shards
        (library.parent / "music" / "later.wav").write_text("song 2 3")  # what comes later is not of this picture
        index(library, backend=InlineBackend())
        ray.kill(shards.actors()[1])
        shares, deadline = [], time.monotonic() + 90
        while not shares or shares[-1] < 1.0 or shards.share < 1.0:
            assert time.monotonic() < deadline
            found = finder.similar("music/n03.wav", weights={"mix": 1.0}, raw=True, n=100)
            ids = [hit.id for hit in found.hits]
            shares.append(found.share)
            assert len(set(ids)) == len(ids)
            assert (found.share == 1.0) == (len(ids) == 39)
            time.sleep(0.05)
        assert min(shares) < 1.0
        assert [one.hits for one in _questions(finder)] == expected
        (library.parent / "music" / "n39.wav").write_text("song 2 1234")  # now a content of this picture is gone
        index(library, backend=InlineBackend())
        for actor in shards.actors():
            ray.kill(actor)
        with pytest.raises(LibraryError, match=r"has changed since it was opened .*open it again"):
            _ask_for_a_while(finder)
        shards.close()


def _ask_for_a_while(finder: Finder) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        finder.similar("music/n03.wav", weights={"mix": 1.0}, raw=True)
        time.sleep(0.05)


@pytest.mark.cluster
def test_many_ask_at_once(library: Path, nodes: Any) -> None:
    from soundalike.jobs.ray import connected

    finder = Finder.open(library)
    expected = [found.hits for found in _questions(finder)]
    with connected(nodes.address) as machines:
        finder.searcher = Shards(machines, finder.library, 2)
        answers: list[Any] = []
        threads = [
            threading.Thread(target=lambda: answers.append([found.hits for found in _questions(finder)]))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [expected] * 4


def test_a_shard_opens_what_it_is_told_the_place_of(library: Path) -> None:
    shard = Shard(library, 0, 1)
    contents = Vectors(Library.open(library)).rows("wholes").contents
    assert shard.load({"wholes": contents, "windows": pa.array(["never was"])}) == ["never was"]
    assert not isinstance(library, Remote)
