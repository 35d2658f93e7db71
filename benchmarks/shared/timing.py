"""Repeated timing of a function."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def shortest(
    function: Callable[[], T], repeats: int, clock: Callable[[], float] = time.process_time
) -> tuple[float, T]:
    """The shortest of `repeats` runs in seconds (of processor time by default), and the function's result."""
    best = float("inf")
    for _ in range(repeats):
        start = clock()
        result = function()
        best = min(best, clock() - start)
    return best, result


def median_ms(function: Callable[[], object], repeats: int) -> float:
    """Median of `repeats` runs in milliseconds; one run before them is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))
