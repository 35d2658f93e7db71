"""Spread, hubness and near-identical files, on vectors made for it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.search.vector_statistics import _candidate_pairs, first_copies, occurrence, same_recording
from soundalike.similarity.cosine import unit


def oracle_occurrence(points: NDArray[np.float32], groups: NDArray[np.int64], k: int = 10) -> NDArray[np.int64]:
    counts = np.zeros(len(points), dtype=int)
    for row, point in enumerate(points):
        similar = [(-float(point @ other), index) for index, other in enumerate(points) if groups[index] != groups[row]]
        for _, index in sorted(similar)[:k]:
            counts[index] += 1
    return counts


def test_occurrence_is_the_oracle() -> None:
    rng = np.random.default_rng(1)
    points = unit(rng.normal(size=(80, 6)))
    groups = rng.integers(0, 30, 80)
    counts = oracle_occurrence(points, groups)
    found = occurrence(points, groups)
    assert found.largest == counts.max()
    assert found.never == pytest.approx(np.mean(counts == 0))
    centred = counts - counts.mean()
    assert found.skewness == pytest.approx((centred**3).mean() / (centred**2).mean() ** 1.5)


def test_a_hub_is_seen() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(size=(300, 50)) + 1.0  # a common direction: its bearer is near to all
    hub = unit(np.vstack([points, points.mean(axis=0)]))
    assert occurrence(hub, np.arange(301)).largest > 250
    assert occurrence(unit(points), np.arange(300)).largest < 250


def test_copies_are_those_of_equal_length_and_sound() -> None:
    a = unit(np.random.default_rng(3).normal(size=(5, 20)))
    near = unit(a + 0.02 * np.random.default_rng(4).normal(size=a.shape))
    assert same_recording(a, near, 50.0, 50.1)
    assert not same_recording(a, near, 50.0, 51.0)
    assert not same_recording(a, near[::-1].copy(), 50.0, 50.0)
    assert not same_recording(a, near[:4], 50.0, 50.0)


class Held:
    """Vectors of the mix in memory: contents of these windows (N, D) each."""

    def __init__(self, contents: list[NDArray[np.float32]], seconds: list[float]) -> None:
        self.first = np.cumsum([0, *(len(one) for one in contents[:-1])])
        self.ends = np.concatenate(
            [np.linspace(0, end, len(one) + 1)[1:] for one, end in zip(contents, seconds, strict=True)]
        )
        self._mix = np.concatenate(contents)

    def rows(self, _: str) -> Held:
        return self

    def __len__(self) -> int:
        return len(self._mix)

    def of_content(self, index: int) -> range:
        return range(*np.append(self.first, len(self))[index : index + 2])

    def take(self, _: str, parts: list[str], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._mix[rows][:, np.newaxis]


def test_the_first_of_several_copies_stands_for_them() -> None:
    rng = np.random.default_rng(6)
    a, b = (unit(rng.normal(size=(3, 20)).astype(np.float32)) for _ in "ab")
    near = unit(a + 0.03 * rng.normal(size=a.shape).astype(np.float32))
    other_end = np.vstack([a[:2], b[2:]])
    held = Held([b, a, near, other_end, a, a[:2]], [30.0, 30.0, 30.1, 30.0, 31.0, 30.0])
    for order, expected in (
        ([0, 1, 2, 3, 4, 5], [0, 1, 1, 3, 4, 5]),
        ([2, 5, 0, 1], [0, 1, 2, 0]),
        ([], []),
        ([3], [0]),
    ):
        assert first_copies(held, "windows", np.array(order, dtype=np.int64)) == expected  # type: ignore[arg-type]


def test_every_near_pair_is_a_candidate() -> None:
    rng = np.random.default_rng(5)
    first = unit(rng.normal(size=(700, 8)))
    first[600] = first[3]
    seconds = rng.uniform(1, 100, 700)
    seconds[600] = seconds[3] + 0.1
    pairs = {frozenset(pair) for pair in _candidate_pairs(lambda contents: first[contents], seconds)}
    assert frozenset((3, 600)) in pairs
