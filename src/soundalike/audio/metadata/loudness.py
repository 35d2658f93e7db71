"""Loudness after ITU-R BS.1770-4, in LUFS (pyloudnorm's filters, gating and channel weights)."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.excerpt_selection import spread
from soundalike.audio.waveform import Waveform

_BLOCK = 0.4  # s, BS.1770's
_STEP = 0.1
_ABSOLUTE_GATE = -70.0  # LUFS; what lies under it all through counts as silence
_RELATIVE_GATE = -10.0  # LU
_HEARD, _PIECE = 90.0, 5.0  # s listened to in a long file, in pieces of
_OFFSET = -0.691
_CHANNEL_GAINS = {5: (1.0, 1.0, 1.0, 1.41, 1.41), 6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)}


def estimate_loudness(waveform: Waveform) -> float | None:
    """Integrated loudness in LUFS; None for silence (nothing above -70 LUFS) and for no samples.

    Up to 90 s are measured whole, as the standard says. Of a longer file 18 pieces of 5 s, spread evenly,
    are: their gated mean lies within some tenths of a LU of the whole's. Under 0.4 s, the standard's block,
    there is nothing to gate: the level of the whole K-weighted sound is given.
    """
    samples, rate = waveform.samples, waveform.sample_rate
    if samples.shape[1] == 0 or not samples.any():
        return None
    powers = np.concatenate([_block_powers(piece, rate) for piece in spread(samples, rate, _HEARD, _PIECE)])
    return _gated(powers)


def _block_powers(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Weighted power of each 400 ms block (every 100 ms), channels summed; one block where the sound is shorter."""
    import scipy.signal

    weighted = scipy.signal.sosfilt(_k_weighting(rate), samples, axis=1)
    squares = np.einsum("ct,ct,c->t", weighted, weighted, _gains(samples.shape[0]))
    step = round(_STEP * rate)
    steps = squares.size // step
    if squares.size < round(_BLOCK * rate) or steps < 4:
        return np.array([squares.mean()])
    sums = squares[: steps * step].reshape(steps, step).sum(axis=1)
    return np.asarray(np.convolve(sums, np.ones(4), mode="valid") / (4 * step), dtype=np.float64)


def _gated(powers: NDArray[np.float64]) -> float | None:
    """The mean power of the blocks over both gates, in LUFS."""
    heard = powers[powers > _power(_ABSOLUTE_GATE)]
    if heard.size == 0:
        return None
    loud = heard[heard > heard.mean() * 10.0 ** (_RELATIVE_GATE / 10.0)]
    return _OFFSET + 10.0 * math.log10(float(loud.mean()))


def _power(lufs: float) -> float:
    return float(10.0 ** ((lufs - _OFFSET) / 10.0))


def _gains(channels: int) -> NDArray[np.float64]:
    return np.array(_CHANNEL_GAINS.get(channels, (1.0,) * channels), dtype=np.float64)


@functools.lru_cache(maxsize=16)
def _k_weighting(rate: int) -> NDArray[Any]:
    """The two filters of pyloudnorm's K-weighting at `rate` as second-order sections, (2, 6)."""
    import pyloudnorm

    shelf = pyloudnorm.IIRfilter(4.0, 1.0 / np.sqrt(2.0), 1500.0, rate, "high_shelf")
    high_pass = pyloudnorm.IIRfilter(0.0, 0.5, 38.0, rate, "high_pass")
    return np.array([[*section.b, *section.a] for section in (shelf, high_pass)])
