"""One shard: which contents are its own, and what it returns to a client."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from soundalike.library.storage.store import Library
from soundalike.search.index.shard import Shard, ShardSource, shard_of
from soundalike.search.index.table_rows import CLIPS, WINDOWS, read_rows
from tests.search.index.made_up_vectors import PARTS, stored


def test_contents_are_spread_evenly_by_their_names_alone() -> None:
    names = pa.array([f"content {number}" for number in range(4000)])
    shards = shard_of(names, 4)
    assert np.bincount(shards).min() > 900
    assert (shard_of(names.slice(100, 10), 4) == shards[100:110]).all()


def test_shards_share_all_rows() -> None:
    library = stored(np.random.default_rng(1), 120, 30)
    sources = [ShardSource(library, number, 4) for number in range(4)]
    contents = [read_rows(source, WINDOWS).contents.to_pylist() for source in sources]
    assert sorted(content for of_shard in contents for content in of_shard) == sorted(set(library.contents))
    for source in sources:
        starts = source.windows(["start"])["start"].to_pylist()
        own = [library.starts.index(start) for start in starts]
        for part in PARTS:
            np.testing.assert_array_equal(source.vectors(WINDOWS, part), library.columns[part][own])


def test_a_shard_opens_a_library_by_its_path(library: Path) -> None:
    shard = Shard(library, 0, 1)
    contents = read_rows(Library.open(library), CLIPS).contents
    assert len(contents) > 0
    assert shard.load({CLIPS: contents, WINDOWS: pa.array(["missing"])}) == ["missing"]


def test_what_came_later_stays_out_of_the_answers() -> None:
    library = stored(np.random.default_rng(2), 60, 20)
    contents = read_rows(library, WINDOWS).contents
    known = contents.slice(0, 12)
    shard = Shard(library, 0, 1)
    assert shard.load({WINDOWS: known}) == []
    rows = sum(library.contents.count(name) for name in known.to_pylist())
    assert shard.present(WINDOWS, "mix").shape == (rows,)
    assert shard.take(WINDOWS, ["mix"], np.arange(rows)).shape == (rows, 1, 8)
