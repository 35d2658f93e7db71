"""The outline of a waveform: its lowest and highest sample in equal stretches, for pictures.

Conventions: samples float32 (channels, samples) or (samples,); an outline is (count, 2), low then high, low <= 0 <= high; all
channels count, so that channels of opposite sign do not vanish. As bytes: int8, 127 is full scale, louder is clipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STRETCHES = 120
"""Of an outline that a library keeps: a bar a pixel or two in a list."""

FINE = 10
"""Pieces of a long file are outlined so many times finer than the whole, for being put together."""

Outline = NDArray[np.float32]
Int8 = NDArray[np.int8]


def outline(samples: NDArray[np.float32], count: int = STRETCHES) -> Outline:
    """(count, 2) lowest and highest sample of `count` equal stretches, which share samples where there are fewer."""
    length = samples.shape[-1]
    found = np.zeros((count, 2), dtype=np.float32)
    for row in range(count if length else 0):
        begin = row * length // count
        piece = samples[..., begin : max(begin + 1, (row + 1) * length // count)]
        found[row] = min(0.0, piece.min()), max(0.0, piece.max())
    return found


def joined(pieces: Sequence[tuple[float, float, Outline]], count: int = STRETCHES) -> Outline:
    """One outline from those of pieces (start s, end s, outline), which follow each other and may overlap; a boundary is
    as exact as the pieces are fine."""
    duration = max((end for _, end, _ in pieces), default=0.0)
    found = np.zeros((count, 2), dtype=np.float32)
    for start, end, part in pieces:
        if not len(part) or duration <= 0:
            continue
        middles = start + (np.arange(len(part)) + 0.5) * ((end - start) / len(part))
        rows = np.minimum((middles / duration * count).astype(np.int64), count - 1)
        np.minimum.at(found[:, 0], rows, part[:, 0])
        np.maximum.at(found[:, 1], rows, part[:, 1])
    return found


def as_bytes(values: Outline) -> tuple[Int8, Int8]:
    """Low and high as int8: -127..0 and 0..127."""
    scaled = np.rint(np.clip(values, -1.0, 1.0) * 127).astype(np.int8)
    return scaled[:, 0], scaled[:, 1]
