"""How suddenly a sound begins at its clearest onset. Wind, rain and hiss are as broad in frequency as drums, but not struck."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME = 0.023
"""Seconds of a spectrum; they overlap by half."""
BANDS = 24
LOWEST, HIGHEST = 80.0, 14_000.0
"""Hz; the bands have equal widths in octaves."""
FLOOR_DB = 55.0
"""Powers further below that of the loudest band and moment are raised to this level."""
AUDIBLE_DB = 25.0
"""Onsets further below the loudest moment do not count."""
BEFORE, AFTER = 4, 2
"""Spectra whose means are compared."""
SHORTEST = 2.0
"""Seconds; in a shorter sound the only onset may be at its edge."""


def strongest_attack(samples: NDArray[np.float32], sample_rate: int) -> float:
    """The greatest mean, over the bands, of the rise in dB from the mean power of four spectra to that of the next two.

    samples (samples,). All bands of a struck sound rise at once; those of a noise do so at different times, so that their mean
    hardly rises. Infinite for a sound shorter than `SHORTEST`, 0 for silence.
    """
    if len(samples) < SHORTEST * sample_rate:
        return float("inf")
    power = _band_power(samples, sample_rate)
    loudest = float(power.max(initial=0.0))
    if not loudest > 0.0:
        return 0.0
    total = np.cumsum(np.vstack([np.zeros(power.shape[1]), power]), axis=0)
    onsets = np.arange(BEFORE, len(power) - AFTER + 1)
    after = (total[onsets + AFTER] - total[onsets]) / AFTER
    before = (total[onsets] - total[onsets - BEFORE]) / BEFORE
    floor = loudest * 10 ** (-FLOOR_DB / 10)
    rises = 10 * np.log10(np.maximum(after, floor) / np.maximum(before, floor)).mean(axis=1)
    levels = after.sum(axis=1)
    audible = levels >= levels.max() * 10 ** (-AUDIBLE_DB / 10)
    return float(rises[audible].max(initial=0.0))


def _band_power(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """(frames, bands) the power in bands that any frequency falls into."""
    size = 2 * round(FRAME * sample_rate / 2)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 2]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), axis=1)) ** 2
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1)
    first = np.searchsorted(np.fft.rfftfreq(size, 1 / sample_rate), edges)
    filled = np.flatnonzero(np.diff(first))
    total = np.cumsum(np.hstack([np.zeros((len(spectra), 1)), spectra]), axis=1)
    return np.asarray(total[:, first[filled + 1]] - total[:, first[filled]], dtype=np.float64)
