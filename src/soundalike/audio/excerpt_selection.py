"""Which stretches of a long recording an estimate listens to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def middle(samples: NDArray[np.float32], sample_rate: int, seconds: float) -> NDArray[np.float32]:
    """The middle `seconds` of (..., samples); all of it where it is shorter. A view, not a copy."""
    length = samples.shape[-1]
    wanted = round(seconds * sample_rate)
    if length <= wanted:
        return samples
    first = (length - wanted) // 2
    return samples[..., first : first + wanted]


def spread(samples: NDArray[np.float32], sample_rate: int, seconds: float, piece: float) -> list[NDArray[np.float32]]:
    """Pieces of `piece` s, evenly spread, `seconds` in all; the whole where it is shorter. Views of (..., samples)."""
    length = samples.shape[-1]
    if length <= round(seconds * sample_rate):
        return [samples]
    size = round(piece * sample_rate)
    count = max(1, int(seconds / piece))
    firsts = np.linspace(0, length - size, count).astype(int)
    return [samples[..., first : first + size] for first in firsts]
