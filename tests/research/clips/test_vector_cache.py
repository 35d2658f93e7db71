from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import InputError, SoundalikeError
from soundalike.research.clips.vector_cache import CachedVector, VectorCache

VECTOR = np.array([0.6, -0.8], dtype=np.float32)


def test_what_is_put_comes_back_from_another_process_too(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "deep" / "cache.sqlite") as cache:
        cache.put({"a": CachedVector(VECTOR, -12.5), "b": CachedVector(np.zeros(2, np.float32), -np.inf)})
    with VectorCache(tmp_path / "deep" / "cache.sqlite") as again:
        found, silent = again.get("a"), again.get("b")
        assert len(again) == 2
        assert again.get("c") is None
    assert found is not None
    assert silent is not None
    np.testing.assert_array_equal(found.vector, VECTOR)
    assert (found.vector.dtype, found.level) == (np.float32, -12.5)
    assert silent.level == -np.inf


def test_two_may_write_one_file(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "cache.sqlite") as one, VectorCache(tmp_path / "cache.sqlite") as other:
        one.put({"a": CachedVector(VECTOR, 0.0)})
        other.put({"b": CachedVector(VECTOR, 0.0)})
        assert len(one) == len(other) == 2


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are not the vectors you are looking for" * 100)
    with pytest.raises(InputError, match=r"notes\.txt is damaged or not a cache.*delete it"):
        VectorCache(text)
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()
    with pytest.raises(InputError, match=r"foreign\.sqlite is not a cache"):
        VectorCache(foreign)
    assert text.read_text().startswith("these are not")


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "cache.sqlite") as cache:
        cache.put({"a": CachedVector(VECTOR, 0.0)})
        pages = cache._connection.execute("PRAGMA page_count").fetchone()[0]
        cache._connection.execute(f"PRAGMA max_page_count = {pages}")
        big = {f"key {n}": CachedVector(np.ones(512, np.float32), 0.0) for n in range(100)}
        with pytest.raises(SoundalikeError, match=r"full; its vectors are kept.*run again"):
            cache.put(big)
        assert len(cache) == 1
        cache._connection.execute("PRAGMA max_page_count = 100000")
        cache.put(big)
        assert len(cache) == 101
