"""Codes on disk: true to the tables whatever is appended, deleted or damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from soundalike.errors import LibraryError
from soundalike.search.index import rabitq_segments as module
from soundalike.search.index.quantised import QuantisedIndex
from soundalike.search.index.rabitq_segments import RabitqSegments
from soundalike.similarity.cosine import unit
from tests.search.index.made_up_vectors import DIMENSION, PARTS, StoredVectors, quantised, stored


@pytest.fixture(autouse=True)
def few_uncoded_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNCODED_ROWS", 50)


def opened(library: StoredVectors) -> tuple[QuantisedIndex, RabitqSegments]:
    index = quantised(library)
    return index, index.segments


def library_of(rows: int, contents: int, folder: Path, seed: int = 0) -> StoredVectors:
    made = stored(np.random.default_rng(seed), rows, contents)
    order = np.argsort(made.contents, kind="stable")  # as a library is written: a content's rows together
    library = kept(made, order)
    library.folder = folder
    return library


def kept(library: StoredVectors, rows: Any) -> StoredVectors:
    made = StoredVectors(
        [library.contents[row] for row in rows],
        [library.starts[row] for row in rows],
        {part: column[rows] for part, column in library.columns.items()},
    )
    made.folder = library.folder
    return made


def appended(library: StoredVectors, more: StoredVectors) -> StoredVectors:
    made = StoredVectors(
        library.contents + [f"new-{content}" for content in more.contents],
        library.starts + more.starts,
        {part: np.concatenate([column, more.columns[part]]) for part, column in library.columns.items()},
    )
    made.folder = library.folder
    return made


def check(library: StoredVectors) -> RabitqSegments:
    """The segments, after checking that every row's vectors, presence and estimate are those of the tables."""
    index, segments = opened(library)
    order = index.rows.order
    stored_now = np.stack([library.columns[part][order] for part in PARTS], axis=1).astype(np.float32)
    some = np.random.default_rng(1).permutation(len(order))
    np.testing.assert_array_equal(index.take(PARTS, some), stored_now[some])
    queries = unit(np.random.default_rng(2).normal(size=(len(PARTS), DIMENSION)))
    scores, error = segments.estimate(list(zip(PARTS, queries, strict=True)))
    true = np.einsum("npd,pd->n", stored_now, queries)
    assert np.abs(scores - true).max() <= max(6 * error, 1e-5)
    for number, part in enumerate(PARTS):
        np.testing.assert_array_equal(segments.present(part), stored_now[:, number].any(axis=1))
    return segments


def names(library: StoredVectors) -> list[str]:
    assert library.folder is not None
    return sorted(place.name for place in (library.folder / "sketch-windows").iterdir() if place.is_dir())


def test_few_rows_stay_uncoded_and_many_become_a_segment(tmp_path: Path) -> None:
    few = check(library_of(40, 10, tmp_path))
    assert (len(few.segments), len(few.uncoded), few.rows_written) == (0, 40, 0)
    many = library_of(400, 90, tmp_path)
    segments = check(many)
    assert (len(segments.segments), len(segments.uncoded), segments.rows_written) == (1, 0, 400)
    assert check(many).rows_written == 0


def test_appended_rows_stay_uncoded_until_they_are_many(tmp_path: Path) -> None:
    library = library_of(2_000, 300, tmp_path)
    check(library)
    library = appended(library, library_of(30, 5, tmp_path, seed=3))
    segments = check(library)
    assert (len(segments.segments), len(segments.uncoded)) == (1, 30)
    library = appended(library, library_of(100, 9, tmp_path, seed=4))
    segments = check(library)
    assert ([len(segment.row_of) for segment in segments.segments], len(segments.uncoded)) == ([2_000, 130], 0)
    # A segment absorbs those that are less than twice its size, so that there are few of them.
    library = appended(library, library_of(100, 9, tmp_path, seed=5))
    segments = check(library)
    assert [len(segment.row_of) for segment in segments.segments] == [2_000, 230]
    assert names(library) == ["000001", "000003"]


def test_deleted_rows_are_skipped_and_finally_dropped(tmp_path: Path) -> None:
    library = library_of(1_000, 200, tmp_path)
    check(library)
    gone = set(sorted(set(library.contents))[::5])
    library = kept(library, [row for row, content in enumerate(library.contents) if content not in gone])
    segments = check(library)
    assert [len(segment.row_of) for segment in segments.segments] == [1_000]
    assert segments.rows_written == 0
    gone = set(sorted(set(library.contents))[::3])
    library = kept(library, [row for row, content in enumerate(library.contents) if content not in gone])
    segments = check(library)
    assert [len(segment.row_of) for segment in segments.segments] == [len(library.contents)]


def test_a_changed_row_is_not_mistaken_for_the_old_one(tmp_path: Path) -> None:
    library = library_of(300, 60, tmp_path)
    check(library)
    library.starts = [start + 0.5 if row % 10 == 0 else start for row, start in enumerate(library.starts)]
    segments = check(library)
    assert 0 < len(segments.uncoded) <= 50


def test_the_tables_may_be_in_any_order(tmp_path: Path) -> None:
    library = library_of(500, 100, tmp_path)
    check(library)
    contents = sorted(set(library.contents))
    rank = {content: place for place, content in enumerate(np.random.default_rng(6).permutation(contents))}
    order = sorted(range(500), key=lambda row: (rank[library.contents[row]], row))
    segments = check(kept(library, order))
    assert (len(segments.segments), segments.rows_written) == (1, 0)


@pytest.mark.parametrize("damage", ["about", "cut", "lost", "other"])
def test_a_damaged_segment_is_rebuilt(damage: str, tmp_path: Path) -> None:
    library = library_of(400, 90, tmp_path)
    check(library)
    place = tmp_path / "sketch-windows" / "000001"
    if damage == "about":
        (place / "about.json").write_text("{")
    elif damage == "cut":
        (place / "codes.npy").write_bytes((place / "codes.npy").read_bytes()[:1_000])
    elif damage == "lost":
        (place / "vectors.npy").unlink()
    else:  # of another recipe
        about = json.loads((place / "about.json").read_text())
        (place / "about.json").write_text(json.dumps(about | {"made": [0]}))
    assert check(library).rows_written == 400


def test_leftovers_of_a_killed_writer_are_deleted(tmp_path: Path) -> None:
    library = library_of(400, 90, tmp_path)
    check(library)
    folder = tmp_path / "sketch-windows"
    shutil.copytree(folder / "000001", folder / "tmp-12345")
    library = appended(library, library_of(100, 9, tmp_path, seed=4))
    check(library)
    assert not (folder / "tmp-12345").exists()


def test_a_replaced_segment_that_could_not_be_deleted_is_ignored(tmp_path: Path) -> None:
    library = library_of(300, 60, tmp_path)
    check(library)
    shutil.copytree(tmp_path / "sketch-windows" / "000001", tmp_path / "old")
    library = appended(library, library_of(200, 20, tmp_path, seed=4))
    check(library)
    shutil.copytree(tmp_path / "old", tmp_path / "sketch-windows" / "000001")
    assert [len(segment.row_of) for segment in check(library).segments] == [500]


def test_a_folder_that_cannot_be_written_gives_a_helpful_error(tmp_path: Path) -> None:
    library = library_of(300, 60, tmp_path)
    (tmp_path / "sketch-windows").write_text("a file in its place")
    with pytest.raises(LibraryError, match="SOUNDALIKE_MEMORY"):
        opened(library)
