"""Selects the windows that represent a song, where separating all of them would cost too much.

Selected are the windows that together are most similar to all the others (facility location): greedily, the window that
adds most to sum_i max_j cos(i, j) over all windows i and selected windows j, which is within 1 - 1/e of the optimum
(Nemhauser, Wolsey & Fisher 1978). Similarity is that of the built-in encoder, version 1, on the mix, which costs a hundredth of
separation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.level_gate import SILENCE_DB
from soundalike.audio.level import rms_level
from soundalike.audio.waveform import resample
from soundalike.models.encoders import Encoder, load_encoder

if TYPE_CHECKING:
    from soundalike.analysis.segments import Segment, Times

Float32 = NDArray[np.float32]

QUIET_DB = 20.0
"""A window this far below the song's loudest is not selected: the room noise of an intro represents nothing."""


ENCODER_VERSION = "1"
"""Of the built-in encoder that selects: the signal features alone are faster, and selections stay as they were."""


def selection_encoder() -> Encoder:
    """The encoder that selects windows."""
    return load_encoder("builtin", version=ENCODER_VERSION)


def selection_version() -> str:
    """Identifies the method of selection; changes whenever its results do."""
    return f"facility location 1 on builtin {ENCODER_VERSION}"


class WindowSelector:
    """Collects the windows of a song, segment by segment, and selects those that represent it."""

    def __init__(self, encoder: Encoder, count: int) -> None:
        """encoder: whose similarity decides; count: the number of windows to select."""
        self._encoder = encoder
        self._count = count
        self._vectors: list[Float32] = []
        self._levels: list[float] = []

    def add(self, segment: Segment, starts: Times, ends: Times) -> None:
        """Embed the windows (starts, ends in s of the file) of a segment."""
        rate = self._encoder.sample_rate
        mono = resample(segment.waveform.mono(), segment.waveform.sample_rate, rate)
        times = zip(starts - segment.offset, ends - segment.offset, strict=True)
        crops = [mono[round(start * rate) : round(end * rate)] for start, end in times]
        self._vectors.append(self._encoder.embed(crops))
        self._levels += [rms_level(crop) for crop in crops]

    def selected(self) -> NDArray[np.intp]:
        """Indices, ascending, of the windows selected among all that were added; silent ones never are."""
        levels = np.array(self._levels, dtype=np.float64)
        return select_windows(
            np.concatenate(self._vectors), np.where(levels < SILENCE_DB, -np.inf, levels), self._count
        )


def select_windows(vectors: Float32, levels: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Indices, ascending, of at most `count` of N windows.

    vectors: (N, D) unit rows; levels: (N,) RMS in dB. Ties go to the earlier window. If no more than `count` windows are
    within `QUIET_DB` of the loudest, all of them are returned.
    """
    loud = np.flatnonzero(levels >= levels.max(initial=-np.inf) - QUIET_DB)
    loud = loud[np.isfinite(levels[loud])]
    if len(loud) <= count:
        return loud
    similarity = vectors[loud].astype(np.float64) @ vectors[loud].astype(np.float64).T
    covered = np.full(len(loud), -1.0)
    selected: list[int] = []
    for _ in range(count):
        gains = np.maximum(similarity - covered, 0.0).sum(axis=1)
        gains[selected] = -1.0
        best = int(np.argmax(np.round(gains, 9)))
        selected.append(best)
        covered = np.maximum(covered, similarity[best])
    return np.sort(loud[selected])
