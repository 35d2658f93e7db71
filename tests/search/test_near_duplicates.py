"""Near-identical files, on made-up vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from soundalike.search.index.flat import FlatIndex
from soundalike.search.near_duplicates import (
    NEAR_IDENTICAL,
    NEAR_IDENTICAL_SHORT,
    candidate_pairs,
    copies_of,
    first_copies,
    near_identical_groups,
    same_recording,
)
from soundalike.similarity.cosine import unit
from tests.search.index.made_up_vectors import PARTS, StoredVectors, flat


def test_copies_are_those_of_equal_length_and_sound() -> None:
    a = unit(np.random.default_rng(3).normal(size=(5, 20)))
    near = unit(a + 0.02 * np.random.default_rng(4).normal(size=a.shape))
    assert same_recording(a, near, 50.0, 50.1)
    assert not same_recording(a, near, 50.0, 51.0)
    assert same_recording(a, near, 0.2, 0.201)
    assert not same_recording(a, near, 0.2, 0.21)  # two claps, not one
    alike = unit(a + 0.06 * np.random.default_rng(4).normal(size=a.shape))
    assert NEAR_IDENTICAL < np.mean(np.sum(a * alike, axis=1)) < NEAR_IDENTICAL_SHORT
    assert same_recording(a, alike, 50.0, 50.0)
    assert not same_recording(a, alike, 0.2, 0.2)
    assert not same_recording(a, near[::-1].copy(), 50.0, 50.0)
    assert not same_recording(a, near[:4], 50.0, 50.0)


def index_of(contents: list[NDArray[np.float32]], seconds: list[float]) -> FlatIndex:
    """The index of contents with these mix vectors (N, D) and lengths."""
    names = [f"c{number}" for number, windows in enumerate(contents) for _ in windows]
    starts = [float(place) for windows in contents for place in range(len(windows))]
    columns = {part: np.concatenate(contents).astype(np.float16) for part in PARTS}
    index = flat(StoredVectors(names, starts, columns))
    ends = np.concatenate([np.linspace(0, end, len(one) + 1)[1:] for one, end in zip(contents, seconds, strict=True)])
    index.rows = replace(index.rows, ends=ends)
    return index


def made_up_copies() -> FlatIndex:
    """Contents 1 and 2 are copies, and 4 and 5 differ from 1 in length or number of windows alone."""
    rng = np.random.default_rng(6)
    a, b = (unit(rng.normal(size=(3, 8)).astype(np.float32)) for _ in "ab")
    near = unit(a + 0.03 * rng.normal(size=a.shape).astype(np.float32))
    other_end = np.vstack([a[:2], b[2:]])
    return index_of([b, a, near, other_end, a, a[:2]], [30.0, 30.0, 30.1, 30.0, 31.0, 30.0])


def test_the_first_of_several_copies_stands_for_them() -> None:
    index = made_up_copies()
    for order, expected in (
        ([0, 1, 2, 3, 4, 5], [0, 1, 1, 3, 4, 5]),
        ([2, 5, 0, 1], [0, 1, 2, 0]),
        ([], []),
        ([3], [0]),
    ):
        assert first_copies(index, np.array(order, dtype=np.int64)) == expected


def test_copies_form_a_group() -> None:
    assert near_identical_groups(made_up_copies()) == [[1, 2]]


def test_copies_of_a_file_are_found_among_the_admitted_contents() -> None:
    index = made_up_copies()
    mix = index.take(["mix"], np.asarray(index.rows.of_content(1)))[:, 0]
    everything = np.ones(6, dtype=bool)
    assert copies_of(mix, 30.0, index, everything) == [1, 2]
    everything[1] = False
    assert copies_of(mix, 30.0, index, everything) == [2]
    assert copies_of(mix, 40.0, index, everything) == []


def test_every_near_pair_is_a_candidate() -> None:
    rng = np.random.default_rng(5)
    first = unit(rng.normal(size=(700, 8)))
    first[600] = first[3]
    seconds = rng.uniform(1, 100, 700)
    seconds[600] = seconds[3] + 0.1
    pairs = {frozenset(pair) for pair in candidate_pairs(lambda contents: first[contents], seconds)}
    assert frozenset((3, 600)) in pairs
