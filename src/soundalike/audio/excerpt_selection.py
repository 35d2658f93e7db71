"""Selects excerpts of a long recording that an estimate is made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def middle_excerpt(samples: NDArray[np.float32], sample_rate: int, seconds: float) -> NDArray[np.float32]:
    """The middle `seconds` of (..., samples), or all of it if it is shorter. A view, not a copy."""
    length = samples.shape[-1]
    wanted = round(seconds * sample_rate)
    if length <= wanted:
        return samples
    first = (length - wanted) // 2
    return samples[..., first : first + wanted]


def spread_excerpts(
    samples: NDArray[np.float32], sample_rate: int, seconds: float, excerpt_seconds: float
) -> list[NDArray[np.float32]]:
    """Evenly spread excerpts of `excerpt_seconds` each, `seconds` in total; all of (..., samples) if it is shorter.

    Views, not copies.
    """
    length = samples.shape[-1]
    if length <= round(seconds * sample_rate):
        return [samples]
    size = round(excerpt_seconds * sample_rate)
    count = max(1, int(seconds / excerpt_seconds))
    starts = np.linspace(0, length - size, count).astype(int)
    return [samples[..., start : start + size] for start in starts]
