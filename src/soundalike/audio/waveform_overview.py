"""Waveform overviews: the lowest and highest sample in equal intervals of a recording, for drawing it.

Conventions: samples float32 (channels, samples) or (samples,); an overview is float32 (points, 2), low then high, with
low <= 0 <= high. All channels count, so that channels of opposite sign do not cancel. As int8, 127 is full scale and
louder samples are clipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

OVERVIEW_POINTS = 120
"""Points of an overview that a library stores: a bar one or two pixels wide in a list."""

OVERSAMPLING = 10
"""How many times finer the overviews of segments are than the one they are joined into."""

Overview = NDArray[np.float32]
Int8 = NDArray[np.int8]


def waveform_overview(samples: NDArray[np.float32], points: int = OVERVIEW_POINTS) -> Overview:
    """(points, 2): lowest and highest sample of equal intervals, which share samples if there are fewer than points."""
    length = samples.shape[-1]
    overview = np.zeros((points, 2), dtype=np.float32)
    if length >= points:
        firsts = np.arange(points) * length // points
        channels = samples.reshape(-1, length)
        overview[:, 0] = np.minimum.reduceat(channels, firsts, axis=1).min(axis=0)
        overview[:, 1] = np.maximum.reduceat(channels, firsts, axis=1).max(axis=0)
    elif length:
        shared = samples[..., np.arange(points) * length // points].reshape(-1, points)
        overview[:, 0], overview[:, 1] = shared.min(axis=0), shared.max(axis=0)
    overview[:, 0] = np.minimum(overview[:, 0], 0.0)
    overview[:, 1] = np.maximum(overview[:, 1], 0.0)
    return overview


def join_overviews(segments: Sequence[tuple[float, float, Overview]], points: int = OVERVIEW_POINTS) -> Overview:
    """One overview from those of segments (start s, end s, overview) that follow each other and may overlap.

    A peak near the boundary of an interval may count for the neighbouring interval, by as much as the segments'
    overviews are coarse.
    """
    duration = max((end for _, end, _ in segments), default=0.0)
    joined = np.zeros((points, 2), dtype=np.float32)
    for start, end, overview in segments:
        if not len(overview) or duration <= 0:
            continue
        centres = start + (np.arange(len(overview)) + 0.5) * ((end - start) / len(overview))
        rows = np.minimum((centres / duration * points).astype(np.int64), points - 1)
        np.minimum.at(joined[:, 0], rows, overview[:, 0])
        np.maximum.at(joined[:, 1], rows, overview[:, 1])
    return joined


def overview_to_int8(overview: Overview) -> tuple[Int8, Int8]:
    """Low and high as int8: -127..0 and 0..127."""
    scaled = np.rint(np.clip(overview, -1.0, 1.0) * 127).astype(np.int8)
    return scaled[:, 0], scaled[:, 1]
