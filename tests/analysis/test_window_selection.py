"""Choosing the windows that stand for a track."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.analysis.window_selection import QUIET_DB, choice_version, choose_windows


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_each_section_of_a_song_gets_its_window() -> None:
    random = np.random.default_rng(0)
    sections = np.repeat(np.eye(8)[:3], [9, 5, 2], axis=0)  # verse, chorus, bridge
    vectors = unit(sections + 0.05 * random.standard_normal(sections.shape))
    chosen = choose_windows(vectors, np.zeros(16), 3)
    assert [int(np.argmax(sections[index])) for index in chosen] == [0, 1, 2]
    assert choose_windows(vectors, np.zeros(16), 1)[0] < 9, "one window stands for the longest section"


def test_quiet_windows_are_not_chosen_however_odd_they_sound() -> None:
    vectors = unit(np.vstack([np.tile(np.eye(4)[0], (6, 1)), np.eye(4)[1:2]]) + 1e-3)
    levels = np.array([-20.0] * 6 + [-20.0 - QUIET_DB - 1])
    assert 6 not in choose_windows(vectors, levels, 3)
    levels[6] = -20
    assert 6 in choose_windows(vectors, levels, 3)


def test_where_there_are_no_more_all_are_taken_and_silence_never() -> None:
    vectors = unit(np.random.default_rng(1).standard_normal((4, 5)))
    assert choose_windows(vectors, np.array([-9.0, -12, -np.inf, -10]), 3).tolist() == [0, 1, 3]
    assert choose_windows(vectors, np.full(4, -np.inf), 2).tolist() == []


def test_ties_go_to_the_earlier_window() -> None:
    assert choose_windows(np.tile(np.eye(3)[:1], (5, 1)).astype(np.float32), np.zeros(5), 1).tolist() == [0]


@given(st.integers(0, 2**32), st.integers(3, 8), st.integers(1, 3))
def test_the_choice_is_near_the_best_there_is(seed: int, windows: int, count: int) -> None:
    """Greedy facility location reaches 1 - 1/e of the optimum (values shifted to be nonnegative)."""
    vectors = unit(np.random.default_rng(seed).standard_normal((windows, 4)))
    alike = vectors.astype(float) @ vectors.astype(float).T + 1

    def value(chosen: tuple[int, ...]) -> float:
        return float(alike[:, list(chosen)].max(axis=1).sum())

    best = max(value(several) for several in combinations(range(windows), min(count, windows)))
    chosen = choose_windows(vectors, np.zeros(windows), count)
    assert len(chosen) == min(count, windows)
    assert value(tuple(chosen)) >= (1 - 1 / np.e) * best - 1e-9


def test_the_choice_names_what_it_depends_on() -> None:
    from soundalike.models.encoders import load_encoder

    assert load_encoder("builtin").version in choice_version()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_more_windows_never_cover_less(count: int) -> None:
    vectors = unit(np.random.default_rng(3).standard_normal((12, 6)))
    alike = vectors @ vectors.T
    covered = [alike[:, choose_windows(vectors, np.zeros(12), n)].max(axis=1).sum() for n in (count, count + 1)]
    assert covered[1] >= covered[0]
