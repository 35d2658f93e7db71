"""Features of triplets from the vectors of excerpts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.listening.design import VECTORS_FILE, DesignTriplet
from soundalike.listening.excerpt_vectors import ExcerptVectors, read_vectors, write_vectors
from tests.listening.made_up_design import PARTS, made_up_design, made_up_vectors


def small(present: object = None) -> ExcerptVectors:
    """Three excerpts with two parts in the plane."""
    angles = np.array([[0.0, 0.0], [np.pi / 3, np.pi / 2], [np.pi / 2, np.pi / 3]])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float16)
    heard = np.ones((3, 2), dtype=bool) if present is None else np.array(present)
    return ExcerptVectors(("x", "a", "b"), ("drums", "mix"), vectors, heard)


TRIPLET = DesignTriplet("t", "XAB", "mix", "x", "a", "b")


def test_a_feature_is_the_difference_of_two_cosines() -> None:
    assert small().features([TRIPLET], ("drums", "mix"))[0] == pytest.approx([0.5, -0.5], abs=1e-3)
    assert small().features([TRIPLET], ("mix",))[0] == pytest.approx([-0.5], abs=1e-3)


def test_a_part_that_is_silent_in_one_clip_counts_nothing() -> None:
    vectors = small([[True, True], [True, True], [False, True]])
    assert vectors.features([TRIPLET], ("drums", "mix"))[0] == pytest.approx([0, -0.5], abs=1e-3)


def test_of_a_stem_only_that_part_counts() -> None:
    stem = replace(TRIPLET, part="drums")
    assert small().features([stem, TRIPLET], ("drums", "mix")) == pytest.approx(
        np.array([[0.5, 0], [0.5, -0.5]]), abs=1e-3
    )


def test_vectors_are_read_as_they_were_written(tmp_path: Path) -> None:
    design = made_up_design(6, 6)
    vectors = made_up_vectors(design.excerpts)
    write_vectors(tmp_path, vectors)
    read = read_vectors(tmp_path, design)
    assert (read.ids, read.parts) == (vectors.ids, PARTS)
    assert np.array_equal(read.vectors, vectors.vectors)
    assert np.array_equal(read.present, vectors.present)


def test_missing_damaged_and_foreign_vectors_are_refused(tmp_path: Path) -> None:
    design = made_up_design(6, 6)
    with pytest.raises(InputError, match="cannot be read"):
        read_vectors(tmp_path, design)
    (tmp_path / VECTORS_FILE).write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(InputError, match="cannot be read"):
        read_vectors(tmp_path, design)
    write_vectors(tmp_path, small())
    with pytest.raises(InputError, match="no vectors of excerpt 'mix0'"):
        read_vectors(tmp_path, design)
