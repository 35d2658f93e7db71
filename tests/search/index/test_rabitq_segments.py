"""Sketches on disk: true to the tables whatever is appended, deleted or damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from soundalike.search.index.vectors import Term, Vectors

from soundalike.errors import LibraryError
from soundalike.search.index import rabitq_segments as module
from soundalike.search.index.rabitq_segments import Sketches
from soundalike.similarity.cosine import unit
from tests.search.index.test_matching import DIMENSION, PARTS, StoredVectors, stored, vectors_of


@pytest.fixture(autouse=True)
def few_loose_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOSE", 50)


def opened(library: StoredVectors) -> tuple[Vectors, Sketches]:
    vectors = vectors_of(library, budget=0)
    return vectors, vectors.sketches("windows")


def library_of(rows: int, contents: int, folder: Path, seed: int = 0) -> StoredVectors:
    made = stored(np.random.default_rng(seed), rows, contents)
    order = np.argsort(made.contents, kind="stable")  # as a library is written: a content's rows together
    library = kept(made, order)
    library.folder = folder
    return library


def kept(library: StoredVectors, rows: Any) -> StoredVectors:
    found = StoredVectors(
        [library.contents[row] for row in rows],
        [library.starts[row] for row in rows],
        {part: column[rows] for part, column in library.columns.items()},
    )
    found.folder = library.folder
    return found


def appended(library: StoredVectors, more: StoredVectors) -> StoredVectors:
    found = StoredVectors(
        library.contents + [f"new-{content}" for content in more.contents],
        library.starts + more.starts,
        {part: np.concatenate([column, more.columns[part]]) for part, column in library.columns.items()},
    )
    found.folder = library.folder
    return found


def check(library: StoredVectors) -> Sketches:
    """Every row's vectors, presence and estimate are those of the tables; the sketches."""
    vectors, sketches = opened(library)
    order = vectors.rows("windows").order
    stored_now = np.stack([library.columns[part][order] for part in PARTS], axis=1).astype(np.float32)
    some = np.random.default_rng(1).permutation(len(order))
    np.testing.assert_array_equal(vectors.take("windows", PARTS, some), stored_now[some])
    queries = unit(np.random.default_rng(2).normal(size=(len(PARTS), DIMENSION)))
    scores, error = sketches.estimate(list(zip(PARTS, queries, strict=True)))
    true = np.einsum("npd,pd->n", stored_now, queries)
    assert np.abs(scores - true).max() <= max(6 * error, 1e-5)
    for number, part in enumerate(PARTS):
        np.testing.assert_array_equal(sketches.present(part), stored_now[:, number].any(axis=1))
    return sketches


def names(library: StoredVectors) -> list[str]:
    assert library.folder is not None
    return sorted(place.name for place in (library.folder / "sketch-windows").iterdir() if place.is_dir())


def test_few_rows_are_loose_and_many_become_a_segment(tmp_path: Path) -> None:
    few = check(library_of(40, 10, tmp_path))
    assert (len(few.segments), len(few.loose), few.sketched) == (0, 40, 0)
    many = library_of(400, 90, tmp_path)
    found = check(many)
    assert (len(found.segments), len(found.loose), found.sketched) == (1, 0, 400)
    assert check(many).sketched == 0


def test_rows_that_come_are_loose_until_they_are_many(tmp_path: Path) -> None:
    library = library_of(2_000, 300, tmp_path)
    check(library)
    library = appended(library, library_of(30, 5, tmp_path, seed=3))
    found = check(library)
    assert (len(found.segments), len(found.loose)) == (1, 30)
    library = appended(library, library_of(100, 9, tmp_path, seed=4))
    found = check(library)
    assert ([len(segment.row_of) for segment in found.segments], len(found.loose)) == ([2_000, 130], 0)
    # A segment takes in those that are not twice its size, so that there are few of them.
    library = appended(library, library_of(100, 9, tmp_path, seed=5))
    found = check(library)
    assert [len(segment.row_of) for segment in found.segments] == [2_000, 230]
    assert names(library) == ["000001", "000003"]


def test_rows_that_go_are_passed_over_and_at_last_left_behind(tmp_path: Path) -> None:
    library = library_of(1_000, 200, tmp_path)
    check(library)
    gone = set(sorted(set(library.contents))[::5])
    library = kept(library, [row for row, content in enumerate(library.contents) if content not in gone])
    found = check(library)
    assert [len(segment.row_of) for segment in found.segments] == [1_000]
    assert found.sketched == 0
    gone = set(sorted(set(library.contents))[::3])
    library = kept(library, [row for row, content in enumerate(library.contents) if content not in gone])
    found = check(library)
    assert [len(segment.row_of) for segment in found.segments] == [len(library.contents)]


def test_a_row_that_changed_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    library = library_of(300, 60, tmp_path)
    check(library)
    library.starts = [start + 0.5 if row % 10 == 0 else start for row, start in enumerate(library.starts)]
    found = check(library)
    assert 0 < len(found.loose) <= 50


def test_the_tables_may_be_in_any_order(tmp_path: Path) -> None:
    library = library_of(500, 100, tmp_path)
    check(library)
    contents = sorted(set(library.contents))
    rank = {content: place for place, content in enumerate(np.random.default_rng(6).permutation(contents))}
    order = sorted(range(500), key=lambda row: (rank[library.contents[row]], row))
    found = check(kept(library, order))
    assert (len(found.segments), found.sketched) == (1, 0)


@pytest.mark.parametrize("harm", ["about", "cut", "lost", "other"])
def test_a_damaged_segment_is_made_anew(harm: str, tmp_path: Path) -> None:
    library = library_of(400, 90, tmp_path)
    check(library)
    place = tmp_path / "sketch-windows" / "000001"
    if harm == "about":
        (place / "about.json").write_text("{")
    elif harm == "cut":
        (place / "codes.npy").write_bytes((place / "codes.npy").read_bytes()[:1_000])
    elif harm == "lost":
        (place / "vectors.npy").unlink()
    else:  # of another recipe
        about = json.loads((place / "about.json").read_text())
        (place / "about.json").write_text(json.dumps(about | {"made": [0]}))
    assert check(library).sketched == 400


def test_what_a_killed_writer_left_is_no_segment_and_is_cleared_away(tmp_path: Path) -> None:
    library = library_of(400, 90, tmp_path)
    check(library)
    folder = tmp_path / "sketch-windows"
    shutil.copytree(folder / "000001", folder / "tmp-12345")
    library = appended(library, library_of(100, 9, tmp_path, seed=4))
    check(library)
    assert not (folder / "tmp-12345").exists()


def test_a_segment_that_could_not_be_deleted_is_over_all_the_same(tmp_path: Path) -> None:
    library = library_of(300, 60, tmp_path)
    check(library)
    shutil.copytree(tmp_path / "sketch-windows" / "000001", tmp_path / "old")
    library = appended(library, library_of(200, 20, tmp_path, seed=4))
    check(library)
    shutil.copytree(tmp_path / "old", tmp_path / "sketch-windows" / "000001")
    assert [len(segment.row_of) for segment in check(library).segments] == [500]


def test_where_nothing_can_be_written_the_cure_is_named(tmp_path: Path) -> None:
    library = library_of(300, 60, tmp_path)
    (tmp_path / "sketch-windows").write_text("a file in its place")
    with pytest.raises(LibraryError, match="SOUNDALIKE_MEMORY"):
        opened(library)


def test_products_of_some_rows_are_numpys(tmp_path: Path) -> None:
    """Also of numbers that float16 holds with fewer bits, of zeros and of both signs."""
    library = library_of(500, 90, tmp_path)
    for column in library.columns.values():
        column[7] = [1e-7, -6e-8, 6.1e-5, -6.1e-5, 0.0, -0.0, 1.0, -1.0]
    check(library)
    library = appended(library, library_of(40, 5, tmp_path, seed=3))
    vectors, sketches = opened(library)
    assert len(sketches.loose) == 40
    rows = np.random.default_rng(1).permutation(540)[:300]
    queries = np.random.default_rng(2).normal(size=(2, DIMENSION))
    terms = [Term("a", "mix", queries[0], 0.7), Term("b", "drums", queries[1], -2.0), Term("c", "mix", queries[1], 0.1)]
    order = vectors.rows("windows").order
    stored_now = {part: library.columns[part][order].astype(np.float64)[rows] for part in PARTS}
    expected = sum(term.weight * stored_now[term.column] @ term.query for term in terms)
    np.testing.assert_allclose(vectors.products("windows", terms, rows), expected, atol=1e-5)
    near = vectors_of(library)
    np.testing.assert_allclose(near.products("windows", terms, rows), expected, atol=1e-5)
