"""Rows of a table, grouped by content."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from soundalike.search.index.table_rows import WINDOWS, read_rows
from tests.search.index.made_up_vectors import PARTS, StoredVectors, flat


def library() -> StoredVectors:
    column = np.arange(6, dtype=np.float16)[:, np.newaxis].repeat(8, axis=1)
    return StoredVectors(["b", "a", "b", "c", "a", "b"], [20, 0, 0, 0, 10, 10], dict.fromkeys(PARTS, column))


def test_rows_are_grouped_by_content_whatever_their_order() -> None:
    rows = read_rows(library(), WINDOWS)
    assert rows.contents.to_pylist() == ["b", "a", "c"]
    assert rows.order.tolist() == [2, 5, 0, 1, 4, 3]
    assert rows.first.tolist() == [0, 3, 5]
    assert rows.last.tolist() == [2, 4, 5]
    assert [list(rows.of_content(index)) for index in range(3)] == [[0, 1, 2], [3, 4], [5]]
    assert rows.of_contents(np.array([2, 0])).tolist() == [5, 0, 1, 2]
    assert rows.index_of(pa.array(["c", "x", "b"])).tolist() == [2, -1, 0]


def test_vectors_are_in_the_order_of_the_rows() -> None:
    index = flat(library())
    assert index.column("mix")[:, 0].tolist() == [2, 5, 0, 1, 4, 3]
    assert index.take(["mix", "bass"], np.array([1, 5]))[:, :, 0].tolist() == [[5, 5], [3, 3]]


def test_a_table_without_rows_has_no_contents() -> None:
    empty = StoredVectors([], [], {part: np.empty((0, 8), np.float16) for part in PARTS})
    rows = read_rows(empty, WINDOWS)
    assert (len(rows), len(rows.contents), rows.last.tolist()) == (0, 0, [])


def test_appended_rows_leave_the_earlier_ones_first() -> None:
    earlier, later = library(), library()
    later.contents.append("d")
    later.starts.append(0)
    later.columns = {part: np.concatenate([column, column[:1]]) for part, column in later.columns.items()}
    assert read_rows(later, WINDOWS).begin_with(read_rows(earlier, WINDOWS))
    assert not read_rows(earlier, WINDOWS).begin_with(read_rows(later, WINDOWS))
    later.starts[0] = 30
    assert not read_rows(later, WINDOWS).begin_with(read_rows(earlier, WINDOWS))
