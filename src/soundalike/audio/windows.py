"""Start times of the windows of a file. Arithmetic only, in seconds."""

from __future__ import annotations

from soundalike.errors import InputError

SHORTEST_REMAINDER = 1.0
_ROUNDING = 1e-6  # durations are frames / rate, so a microsecond is not a remainder


def window_starts(duration: float, window: float = 10.0, hop: float = 10.0) -> list[float]:
    """Start times (s), ascending, of the windows of a file of `duration` seconds.

    Full windows start every `hop` seconds from 0. If a second or more is left after the last one, one more window
    ends at the file's end; a shorter remainder is dropped. A file shorter than a window has one window, [0.0], as long
    as the file.

    Raises InputError for a duration, window or hop that is not above 0.
    """
    for name, value in (("duration", duration), ("window", window), ("hop", hop)):
        if not value > 0 or value == float("inf"):
            raise InputError(f"a {name} of {value} s is not possible; it must be above 0")
    if duration <= window + _ROUNDING:
        return [0.0]
    count = int((duration - window + _ROUNDING) // hop) + 1
    starts = [index * hop for index in range(count)]
    remainder = duration - (starts[-1] + window)
    if remainder >= SHORTEST_REMAINDER - _ROUNDING:
        starts.append(duration - window)
    return starts
