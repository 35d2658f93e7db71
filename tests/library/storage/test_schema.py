from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from soundalike.library.storage import schema as layout
from tests.made_up_rows import RECIPE, analysis


def test_the_rows_of_a_song_hold_every_part_and_zeros_where_it_is_absent() -> None:
    song = analysis("song", windows=3)
    rows = layout.vector_rows(song, "c1", RECIPE)
    assert rows.schema == layout.windows_schema(RECIPE)
    assert rows["content"].to_pylist() == ["c1"] * 3
    assert rows["start"].to_pylist() == [0.0, 10.0, 20.0]
    assert rows["bass_present"].to_pylist() == [True, True, False]
    for number, part in enumerate(RECIPE.parts):
        stored = layout.vectors_of(rows[part])
        np.testing.assert_array_equal(stored, song.vectors[:, number].astype(np.float16))
    assert not layout.vectors_of(rows["bass"])[2].any()


def test_absent_parts_are_stored_as_zeros() -> None:
    song = analysis("song", windows=2)
    song = replace(song, vectors=np.ones_like(song.vectors))
    assert not layout.vectors_of(layout.vector_rows(song, "c", RECIPE)["bass"])[1].any()


def test_loops_and_one_shots_go_into_clips() -> None:
    hit = analysis("one-shot")
    rows = layout.vector_rows(hit, "c2:one-shot", RECIPE)
    assert layout.vector_table(hit) == layout.CLIPS
    assert rows.schema == layout.clips_schema(RECIPE)
    np.testing.assert_array_equal(layout.vectors_of(rows["mix"]), hit.vectors[:, 0].astype(np.float16))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": ("drums", "bass", "mix")}, "has the parts"),
        ({"vectors": np.zeros((2, 3, 7), np.float32)}, "shape"),
        ({"starts": np.empty(0)}, "shape"),
        ({"vectors": np.full((2, 3, 8), np.nan, np.float32)}, "not finite"),
        ({"vectors": np.full((2, 3, 8), 1e6, np.float32)}, "not finite"),
    ],
)
def test_an_analysis_that_does_not_fit_never_becomes_rows(change: dict[str, object], message: str) -> None:
    with (
        pytest.raises(ValueError, match=message),
        np.errstate(over="ignore"),
    ):
        layout.vector_rows(replace(analysis("song"), **change), "c", RECIPE)  # type: ignore[arg-type]


def test_vectors_of_a_slice_of_a_column() -> None:
    vectors = np.arange(40, dtype=np.float16).reshape(10, 4)
    column = layout.vector_array(vectors)
    np.testing.assert_array_equal(layout.vectors_of(column.slice(3, 4)), vectors[3:7])
    chunked = pa.chunked_array([column.slice(0, 2), column.slice(2, 8)])
    np.testing.assert_array_equal(layout.vectors_of(chunked), vectors)
    assert layout.vectors_of(pa.chunked_array([], column.type)).shape == (0, 4)


def test_one_piece_is_not_copied() -> None:
    vectors = np.ones((10, 4), dtype=np.float16)
    column = layout.vector_array(vectors)
    assert np.shares_memory(layout.vectors_of(column), vectors)
