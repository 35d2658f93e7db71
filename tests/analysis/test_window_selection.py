"""Selecting the windows that represent a song."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.analysis.segments import Segment
from soundalike.analysis.window_selection import (
    QUIET_DB,
    WindowSelector,
    select_windows,
    selection_encoder,
    selection_version,
)
from soundalike.audio.waveform import waveform


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_each_section_of_a_song_gets_a_window() -> None:
    random = np.random.default_rng(0)
    sections = np.repeat(np.eye(8)[:3], [9, 5, 2], axis=0)  # verse, chorus, bridge
    vectors = unit(sections + 0.05 * random.standard_normal(sections.shape))
    selected = select_windows(vectors, np.zeros(16), 3)
    assert [int(np.argmax(sections[index])) for index in selected] == [0, 1, 2]
    assert select_windows(vectors, np.zeros(16), 1)[0] < 9, "one window represents the longest section"


def test_quiet_windows_are_not_selected_however_different_they_are() -> None:
    vectors = unit(np.vstack([np.tile(np.eye(4)[0], (6, 1)), np.eye(4)[1:2]]) + 1e-3)
    levels = np.array([-20.0] * 6 + [-20.0 - QUIET_DB - 1])
    assert 6 not in select_windows(vectors, levels, 3)
    levels[6] = -20
    assert 6 in select_windows(vectors, levels, 3)


def test_all_of_a_few_windows_are_selected_but_never_silence() -> None:
    vectors = unit(np.random.default_rng(1).standard_normal((4, 5)))
    assert select_windows(vectors, np.array([-9.0, -12, -np.inf, -10]), 3).tolist() == [0, 1, 3]
    assert select_windows(vectors, np.full(4, -np.inf), 2).tolist() == []


def test_ties_go_to_the_earlier_window() -> None:
    assert select_windows(np.tile(np.eye(3)[:1], (5, 1)).astype(np.float32), np.zeros(5), 1).tolist() == [0]


@given(st.integers(0, 2**32), st.integers(3, 8), st.integers(1, 3))
def test_the_selection_is_close_to_the_optimum(seed: int, windows: int, count: int) -> None:
    """Greedy facility location reaches 1 - 1/e of the optimum (values shifted to be nonnegative)."""
    vectors = unit(np.random.default_rng(seed).standard_normal((windows, 4)))
    similarity = vectors.astype(float) @ vectors.astype(float).T + 1

    def value(selected: tuple[int, ...]) -> float:
        return float(similarity[:, list(selected)].max(axis=1).sum())

    best = max(value(several) for several in combinations(range(windows), min(count, windows)))
    selected = select_windows(vectors, np.zeros(windows), count)
    assert len(selected) == min(count, windows)
    assert value(tuple(selected)) >= (1 - 1 / np.e) * best - 1e-9


def test_the_version_names_the_encoder_it_depends_on() -> None:
    assert selection_version().endswith(f"builtin {selection_encoder().version}")


def test_windows_are_selected_by_signal_features_as_in_earlier_libraries() -> None:
    assert selection_version() == "facility location 1 on builtin 1"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_more_windows_never_cover_less(count: int) -> None:
    vectors = unit(np.random.default_rng(3).standard_normal((12, 6)))
    similarity = vectors @ vectors.T
    covered = [similarity[:, select_windows(vectors, np.zeros(12), n)].max(axis=1).sum() for n in (count, count + 1)]
    assert covered[1] >= covered[0]


def test_a_selector_selects_among_the_windows_of_all_segments() -> None:
    rate = 32_000
    time = np.arange(2 * rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
    noise = (0.1 * np.random.default_rng(0).standard_normal(2 * rate)).astype(np.float32)
    selector = WindowSelector(selection_encoder(), 2)
    starts = np.array([0.0, 2.0])
    selector.add(Segment(waveform(np.concatenate([tone, 1e-6 * noise]), rate), 0.0), starts, starts + 2)
    selector.add(Segment(waveform(np.concatenate([tone, noise]), rate), 4.0), 4 + starts, 6 + starts)
    assert selector.selected().tolist() == [0, 3]
