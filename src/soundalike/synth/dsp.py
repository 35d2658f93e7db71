"""The signal processing that all synthesised instruments share.

Conventions: `SAMPLE_RATE` everywhere; mono signals are float64 (samples,) while they are being made; decays
are given as the time in seconds in which a level falls by 60 dB; frequencies in Hz; cut-offs are clipped to
what the rate can carry.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfilt

SAMPLE_RATE = 44_100

Signal = NDArray[np.float64]
Stereo = NDArray[np.float32]
"""float32 of shape (2, samples)."""

_LN_60_DB = np.log(1000.0)
_ROWS, _COLUMNS, _PARTIALS = 32, 64, 48  # of the small matrix products in `modal`
_HIGHEST = 0.45 * SAMPLE_RATE


def seconds(count: int) -> Signal:
    """The times of `count` samples, in seconds."""
    return np.arange(count) / SAMPLE_RATE


def decay(count: int, fall: float) -> Signal:
    """An exponential envelope that starts at 1 and falls by 60 dB in `fall` seconds."""
    return np.asarray(np.exp(-_LN_60_DB / fall * seconds(count)))


def gate(count: int, attack: float, release: float) -> Signal:
    """An envelope of `count` samples that rises linearly in `attack` seconds, holds, and falls in the last
    `release` seconds.
    """
    envelope = np.ones(count)
    up = min(count, max(1, round(attack * SAMPLE_RATE)))
    down = min(count, max(1, round(release * SAMPLE_RATE)))
    envelope[:up] *= np.linspace(0.0, 1.0, up)
    envelope[count - down :] *= 0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, down))
    return envelope


def modal(count: int, frequencies: ArrayLike, levels: ArrayLike, falls: ArrayLike, phases: ArrayLike = 0.0) -> Signal:
    """The sum of exponentially decaying sines: strings, bars, membranes, plates, organ pipes.

    `frequencies` (Hz), `levels` (linear), `falls` (s for 60 dB; infinite for a steady sine) and `phases`
    (radians) broadcast against each other; partials above what the sample rate carries are left out.

    Time is split in three, n = 2048 i + 64 j + k, so that exp(s n) is a product of three small tables and the
    sum over partials a stack of small matrix products. Small on purpose: BLAS computes them on one thread, so
    that the samples do not depend on how many threads there are.
    """
    hz, level, fall, phase = (np.ravel(x) for x in np.broadcast_arrays(frequencies, levels, falls, phases))
    kept = (hz < _HIGHEST) & (np.abs(level) > 1e-6)
    rates = (-_LN_60_DB / fall[kept] + 2j * np.pi * hz[kept]) / SAMPLE_RATE
    starts = level[kept] * np.exp(1j * (phase[kept] - np.pi / 2))
    slow = np.arange(-(-count // (_ROWS * _COLUMNS))) * _ROWS * _COLUMNS
    total = np.zeros((slow.size, _ROWS, _COLUMNS), dtype=np.float32)
    for first in range(0, rates.size, _PARTIALS):
        rate, start = rates[first : first + _PARTIALS], starts[first : first + _PARTIALS]
        outer = (start * np.exp(np.multiply.outer(slow, rate))).astype(np.complex64)
        middle = np.exp(np.multiply.outer(np.arange(_ROWS) * _COLUMNS, rate)).astype(np.complex64)
        inner = np.exp(np.multiply.outer(rate, np.arange(_COLUMNS)))
        left = outer[:, None, :] * middle
        right = np.concatenate([inner.real, -inner.imag]).astype(np.float32)
        total += np.concatenate([left.real, left.imag], axis=2) @ right
    return total.ravel()[:count].astype(np.float64)


def sweep(count: int, start: float, end: float, time: float) -> Signal:
    """A sine whose frequency falls exponentially from `start` to `end` Hz with time constant `time`
    seconds.
    """
    t = seconds(count)
    cycles = end * t + (start - end) * time * (1.0 - np.exp(-t / time))
    return np.asarray(np.sin(2 * np.pi * cycles))


@lru_cache(maxsize=512)
def _sections(kind: Literal["lowpass", "highpass", "bandpass"], edges: tuple[float, ...], order: int) -> Signal:
    at: float | tuple[float, ...] = edges if kind == "bandpass" else edges[0]
    return np.asarray(butter(order, at, btype=kind, fs=SAMPLE_RATE, output="sos"))


def lowpass(signal: Signal, cutoff: float, order: int = 2) -> Signal:
    """`signal` through a Butterworth low-pass at `cutoff` Hz."""
    return np.asarray(sosfilt(_sections("lowpass", (round(min(cutoff, _HIGHEST), 2),), order), signal))


def highpass(signal: Signal, cutoff: float, order: int = 2) -> Signal:
    """`signal` through a Butterworth high-pass at `cutoff` Hz."""
    return np.asarray(sosfilt(_sections("highpass", (round(min(cutoff, _HIGHEST), 2),), order), signal))


def bandpass(signal: Signal, low: float, high: float, order: int = 2) -> Signal:
    """`signal` through a Butterworth band-pass from `low` to `high` Hz (`high` beyond the rate: a
    high-pass).
    """
    if high >= _HIGHEST:
        return highpass(signal, low, order)
    return np.asarray(sosfilt(_sections("bandpass", (round(low, 2), round(high, 2)), order), signal))


def overdrive(signal: Signal, drive: float) -> Signal:
    """`signal` (peak about 1) through a soft clipper; `drive` 0 leaves it alone, 10 is heavy distortion."""
    if drive <= 0.0:
        return signal
    return np.asarray(np.tanh((1.0 + drive) * signal) / np.tanh(1.0 + drive))


def crush(signal: Signal, bits: float, hold: int) -> Signal:
    """An old sampler: `hold` samples share one value, of `bits` bits."""
    held = np.repeat(signal[::hold], hold)[: signal.size]
    steps = 2.0 ** (bits - 1)
    return np.asarray(np.round(held * steps) / steps)


def normalise(signal: Signal, peak: float) -> Signal:
    """`signal` scaled to the absolute peak `peak`; silence stays silence."""
    highest = float(np.max(np.abs(signal), initial=0.0))
    return signal * (peak / highest) if highest > 0.0 else signal


def to_hz(midi: float) -> float:
    """The frequency of a MIDI note number (69 = 440 Hz)."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def pan_gains(pan: float) -> tuple[float, float]:
    """Left and right gains of constant power for `pan` from -1 (left) to 1 (right), 1 and 1 in the middle."""
    angle = (pan + 1.0) * np.pi / 4.0
    return float(np.sqrt(2.0) * np.cos(angle)), float(np.sqrt(2.0) * np.sin(angle))
