"""Recorded electric guitars of songs whose other instruments lie in one track."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decode

Float32 = NDArray[np.float32]

RATE = 32_000
SECONDS = 20
"""Length of a piece."""
LEAST_LEVEL, LEAST_SHARE = 0.01, 0.6
"""A piece is taken if the guitar is above this level (RMS) in more than this share of its quarters of a second."""


def pieces(packages: Path) -> Iterator[tuple[str, Float32]]:
    """(name, mono samples at RATE) of each piece. packages: where fretsonfire-songs-sectoid is unpacked."""
    folder = packages / "usr/share/games/fretsonfire/data/songs/sectoid"
    for path in sorted(folder.glob("*/guitar.ogg")):
        whole = decode.load(path, RATE, 1).samples[0]
        for number, start in enumerate(range(0, len(whole) - SECONDS * RATE + 1, SECONDS * RATE)):
            piece = whole[start : start + SECONDS * RATE]
            levels = np.sqrt(np.square(piece.reshape(4 * SECONDS, -1)).mean(axis=1))
            if np.mean(levels > LEAST_LEVEL) > LEAST_SHARE:
                yield f"{path.parent.name} {number}", piece
