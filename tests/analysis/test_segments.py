"""Stretches of files: cutting and grouping."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.analysis.segments import groups, part_of
from soundalike.audio.waveform import Waveform


def test_windows_are_grouped_by_length_and_by_gaps() -> None:
    starts = np.array([0.0, 10, 20, 50, 60])
    ends = starts + 10
    assert [(s.start, s.stop) for s in groups(starts, ends, 30)] == [(0, 3), (3, 5)]
    assert [(s.start, s.stop) for s in groups(starts, ends, 1000)] == [(0, 5)]
    assert [(s.start, s.stop) for s in groups(starts, ends, 1000, gap=5)] == [(0, 3), (3, 5)]
    assert [(s.start, s.stop) for s in groups(starts, ends, 3)] == [(n, n + 1) for n in range(5)]
    assert list(groups(starts[:0], ends[:0], 10)) == []


@pytest.mark.parametrize(
    ("start", "end", "first", "count"), [(0, 1, 0, 8), (-1, 1, 0, 8), (0.5, 9, 4, 12), (3, 4, 24, 0)]
)
def test_a_part_of_a_waveform_holds_what_there_is(start: float, end: float, first: int, count: int) -> None:
    piece, at = part_of(Waveform(np.arange(16, dtype=np.float32)[np.newaxis], 8), start, end)
    assert at == first / 8
    assert piece.samples[0].tolist() == list(range(first, min(16, first + count)))
