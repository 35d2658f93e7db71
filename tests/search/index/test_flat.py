"""The exact index: what it reads, what it caches, and how it follows a growing library."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.library.storage.store import Library
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.table_rows import WINDOWS, read_rows
from soundalike.search.index.vector_index import Term
from soundalike.similarity.cosine import unit
from tests.made_up_library import LibraryFolder
from tests.made_up_rows import RECIPE
from tests.search.index.growing_library import GrowingLibrary, growing_library
from tests.search.index.made_up_vectors import DIMENSION, PARTS, best_matches, flat, stored, terms_of

__all__ = ["growing_library"]


def test_parts_of_zero_weight_are_not_read() -> None:
    library = stored(np.random.default_rng(1), 30, 10)
    query = unit(np.random.default_rng(2).normal(size=(1, len(PARTS), DIMENSION)))
    best_matches(flat(library), terms_of(query, {"drums": 1.0}), 3, dict.fromkeys(library.contents, "x"))
    assert library.read == ["drums"]


def test_cached_cosines_change_nothing_but_the_time(library_folder: LibraryFolder) -> None:
    library_folder.write(**{f"s{seed}": f"song 3 {seed}" for seed in range(12)})
    library_folder.index()
    library = Library.open(library_folder.path)
    plain = FlatIndex(library, WINDOWS)
    rng = np.random.default_rng(3)
    queries = {part: rng.normal(size=8) for part in ("bass", "drums", "mix")}
    of_one_query = 4 * len(plain.rows)
    for cache_bytes, cached_queries in ((10**6, 3), (2 * of_one_query, 2), (10, 0)):
        cached = FlatIndex(library, WINDOWS, cosine_cache_bytes=cache_bytes)
        for _ in range(4):
            terms = [Term(part, part, query, float(rng.normal())) for part, query in queries.items()]
            one, other = plain.scan(terms), cached.scan(terms)
            np.testing.assert_allclose(one.scores, other.scores, atol=one.margin)
            results = [index.search(terms, 5, np.arange(12)).best for index in (plain, cached)]
            assert len(results[0]) == 5
            assert results[0] == results[1]
        assert cached.cosine_bytes == cached_queries * of_one_query
    assert plain.cosine_bytes == 0


def test_only_new_rows_are_read(growing_library: GrowingLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    index = FlatIndex(Library.open(growing_library.path), WINDOWS)
    for part in RECIPE.parts:
        index.column(part)
    growing_library.index(range(40, 43))
    library = Library.open(growing_library.path)
    read: list[str] = []
    whole = Library.vectors
    monkeypatch.setattr(Library, "vectors", lambda self, table, part: read.append(part) or whole(self, table, part))
    later = index.following(library, read_rows(library, WINDOWS))
    for part in RECIPE.parts:
        expected = whole(library, "windows", part)[later.rows.order].astype(np.float32)
        np.testing.assert_array_equal(later.column(part), expected)
    assert read == []


def test_an_index_of_other_rows_is_read_again() -> None:
    earlier = stored(np.random.default_rng(1), 30, 10)
    index = flat(earlier)
    index.column("mix")
    other = stored(np.random.default_rng(2), 40, 10)
    later = index.following(other, read_rows(other, WINDOWS))
    expected = other.columns["mix"][later.rows.order].astype(np.float32)
    np.testing.assert_array_equal(later.column("mix"), expected)
    assert other.read == ["mix"]
