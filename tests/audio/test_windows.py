from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.audio.windows import window_starts
from soundalike.errors import InputError


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (0.05, [0.0]),
        (9.99, [0.0]),
        (10.0, [0.0]),
        (10.9, [0.0]),
        (11.0, [0.0, 1.0]),
        (20.0, [0.0, 10.0]),
        (29.5, [0.0, 10.0, 19.5]),
        (30.99, [0.0, 10.0, 20.0]),
    ],
)
def test_a_remainder_of_a_second_gets_a_window(duration: float, expected: list[float]) -> None:
    assert window_starts(duration) == pytest.approx(expected)


def test_hops_may_overlap_or_leave_gaps() -> None:
    assert window_starts(21.0, 10.0, 5.0) == pytest.approx([0.0, 5.0, 10.0, 11.0])
    assert window_starts(40.0, 5.0, 15.0) == pytest.approx([0.0, 15.0, 30.0, 35.0])


@given(duration=st.floats(0.01, 4000.0), window=st.floats(0.5, 60.0), hop=st.floats(0.5, 60.0))
def test_windows_are_inside_the_file_and_leave_less_than_a_second(duration: float, window: float, hop: float) -> None:
    starts = window_starts(duration, window, hop)
    assert starts[0] == 0.0
    assert all(later > earlier for earlier, later in itertools.pairwise(starts))
    if duration > window:
        assert all(start + window <= duration + 1e-5 for start in starts)
        assert duration - (starts[-1] + window) < 1.0 + 1e-5 or hop > window


@pytest.mark.parametrize("arguments", [(0.0, 10.0, 10.0), (5.0, 0.0, 1.0), (5.0, 1.0, -1.0), (float("nan"), 1.0, 1.0)])
def test_other_lengths_are_rejected(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="above 0"):
        window_starts(*arguments)


def test_an_infinite_duration_is_rejected() -> None:
    with pytest.raises(InputError, match="duration of inf"):
        window_starts(float("inf"))
