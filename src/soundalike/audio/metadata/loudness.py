"""Integrated loudness after ITU-R BS.1770-4, in LUFS (filters for any sample rate as in pyloudnorm)."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.excerpt_selection import spread_excerpts
from soundalike.audio.waveform import Waveform

_BLOCK_SECONDS = 0.4  # a gating block of BS.1770
_STEP_SECONDS = 0.1  # blocks overlap by 75 %
_STEPS_PER_BLOCK = 4
_ABSOLUTE_GATE = -70.0  # LUFS; a file with nothing above it counts as silent
_RELATIVE_GATE = -10.0  # LU
_OFFSET = -0.691
_CHANNEL_GAINS = {5: (1.0, 1.0, 1.0, 1.41, 1.41), 6: (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)}

_SAMPLED_FROM, _SAMPLED_UP_TO = 90.0, 600.0  # s; between these lengths excerpts stand for the whole
_EXCERPT_SECONDS = 5.0

_FILTERED_AT_ONCE = 2**18  # samples a channel: bounds memory, stays in cache


def estimate_loudness(waveform: Waveform) -> float | None:
    """Integrated loudness in LUFS; None for silence (nothing above -70 LUFS) and for no samples.

    Up to 90 s, and from 600 s, all of the waveform is measured, as the standard says. In between, 18 excerpts of 5 s,
    evenly spread, are: their gated mean is within some tenths of a LU of the whole's. A waveform shorter than the
    standard's block of 0.4 s cannot be gated: the level of all of it, K-weighted, is returned.
    """
    samples, rate = waveform.samples, waveform.sample_rate
    excerpts = [samples]
    if _SAMPLED_FROM < waveform.duration <= _SAMPLED_UP_TO:
        excerpts = spread_excerpts(samples, rate, _SAMPLED_FROM, _EXCERPT_SECONDS)
    powers = []
    for excerpt in excerpts:
        meter = LoudnessMeter(rate)
        meter.add(excerpt)
        powers.append(meter.block_powers())
    return _gated(np.concatenate(powers))


class LoudnessMeter:
    """Integrated loudness of a recording that is decoded piece by piece: that of one pass over the whole.

    The filters' state and the samples of an unfinished step go from piece to piece, so where the recording is cut does
    not matter. Holds 80 bytes per second of audio.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._step = round(_STEP_SECONDS * sample_rate)
        self._state: NDArray[np.float64] | None = None
        self._rest = np.zeros(0)  # weighted squares after the last complete step
        self._sums: list[NDArray[np.float64]] = []  # of the complete steps, once there is a block of them

    def add(self, samples: NDArray[np.float32]) -> None:
        """Measure the next `samples` (channels, samples) of the recording."""
        shortest = max(_STEPS_PER_BLOCK * self._step, round(_BLOCK_SECONDS * self._rate))
        for first in range(0, samples.shape[1], _FILTERED_AT_ONCE):
            squares = self._weighted_squares(samples[:, first : first + _FILTERED_AT_ONCE])
            self._rest = np.concatenate([self._rest, squares])
            if self._sums or self._rest.size >= shortest:
                steps = self._rest.size // self._step
                self._sums.append(self._rest[: steps * self._step].reshape(steps, self._step).sum(axis=1))
                self._rest = self._rest[steps * self._step :].copy()

    def block_powers(self) -> NDArray[np.float64]:
        """(blocks,): weighted power of each 400 ms block (every 100 ms), channels summed; one block of all there is
        where that is shorter, none of nothing."""
        if self._sums:
            blocks = np.convolve(np.concatenate(self._sums), np.ones(_STEPS_PER_BLOCK), mode="valid")
            return np.asarray(blocks / (_STEPS_PER_BLOCK * self._step), dtype=np.float64)
        return np.array([self._rest.mean()]) if self._rest.size else np.zeros(0)

    def integrated(self) -> float | None:
        """Integrated loudness in LUFS of all that was added; None where nothing is above -70 LUFS."""
        return _gated(self.block_powers())

    def _weighted_squares(self, samples: NDArray[np.float32]) -> NDArray[np.float64]:
        """(samples,): squares of the K-weighted channels, weighted and summed over the channels."""
        import scipy.signal

        sections = _k_weighting(self._rate)
        if self._state is None:
            if not samples.any():  # nothing was heard so far that the filters could prolong
                return np.zeros(samples.shape[1])
            self._state = np.zeros((len(sections), len(samples), 2))
        weighted, self._state = scipy.signal.sosfilt(sections, samples, axis=1, zi=self._state)
        squares: NDArray[np.float64] = np.einsum("ct,ct,c->t", weighted, weighted, _gains(len(samples)))
        return squares


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
    """K-weighting at `rate` as second-order sections, (2, 6): a high shelf (+4 dB, 1.5 kHz) and a high pass (38 Hz).

    Bristow-Johnson's formulas ("Cookbook formulae for audio EQ biquad filter coefficients") at the standard's corner
    frequencies, as pyloudnorm computes them: they hold at any rate, where the standard tabulates 48 kHz alone.
    """
    return np.array([_high_shelf(1500.0, 4.0, math.sqrt(0.5), rate), _high_pass(38.0, 0.5, rate)])


def _high_shelf(corner: float, gain_db: float, quality: float, rate: int) -> NDArray[np.float64]:
    """(6,): b and a of a high shelf, a0 = 1."""
    gain = 10.0 ** (gain_db / 40.0)
    cos, alpha = _corner(corner, quality, rate)
    middle = 2.0 * math.sqrt(gain) * alpha
    up, down = gain + 1.0, gain - 1.0
    b = gain * np.array([up + down * cos + middle, -2.0 * (down + up * cos), up + down * cos - middle])
    a = np.array([up - down * cos + middle, 2.0 * (down - up * cos), up - down * cos - middle])
    return np.asarray(np.concatenate([b, a]) / a[0], dtype=np.float64)


def _high_pass(corner: float, quality: float, rate: int) -> NDArray[np.float64]:
    """(6,): b and a of a high pass, a0 = 1."""
    cos, alpha = _corner(corner, quality, rate)
    b = np.array([(1.0 + cos) / 2.0, -(1.0 + cos), (1.0 + cos) / 2.0])
    a = np.array([1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    return np.asarray(np.concatenate([b, a]) / a[0], dtype=np.float64)


def _corner(corner: float, quality: float, rate: int) -> tuple[float, float]:
    angle = 2.0 * math.pi * corner / rate
    return math.cos(angle), math.sin(angle) / (2.0 * quality)
