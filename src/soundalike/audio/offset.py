"""Removes what lies below hearing from a waveform: a constant offset (DC), and a drift or rumble below 8 Hz.

Encoders scale a waveform to its peak, trim by level and measure its spectrum, so an offset that nobody hears would
change their vectors. Waveforms without one are returned as they are, bit by bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.waveform import Samples, Waveform

_FRAME = 0.02  # s
_FEWEST_FRAMES = 8
_LEAST_OFFSET = 1e-3  # of the peak (60 dB below it)
_LEAST_CERTAINTY = 4.0  # standard errors
_QUIETEST = 1e-4  # of the peak; quieter frames do not count more

_INFRASONIC = 8.0  # Hz
_CUTOFF = 15.0  # Hz, of the high-pass filter
_LEAST_SHARE = 0.01  # of the power, below _INFRASONIC
_LEAST_SHARE_OF_SHORT = 0.2  # where the frequencies below _INFRASONIC cannot be told from the envelope of a drum
_SHORT = 1.0  # s
_SHORTEST = 0.1  # s, less than one period of _INFRASONIC


def remove_offset(waveform: Waveform) -> Waveform:
    """`waveform` without its offset, and without drift or rumble; itself if it has neither.

    Each channel's offset is the mean of its frames of 20 ms, each weighted by the inverse of its variance: in the decay of a
    drum, the quiet end decides. It is removed if it exceeds a thousandth of the peak and four standard errors. If then more
    than 1 % of the power of a waveform of 1 s or longer lies below 8 Hz, a zero-phase high-pass filter of 15 Hz is applied.
    """
    offsets = np.array([_offset(channel, waveform.sample_rate) for channel in waveform.samples], dtype=np.float32)
    samples = waveform.samples - offsets[:, np.newaxis] if offsets.any() else waveform.samples
    least = _LEAST_SHARE if waveform.duration >= _SHORT else _LEAST_SHARE_OF_SHORT
    if _infrasonic_share(samples, waveform.sample_rate) > least:
        samples = _high_pass(samples, waveform.sample_rate)
    return waveform if samples is waveform.samples else Waveform(samples, waveform.sample_rate)


def _frames(channel: Samples, sample_rate: int, at_least: int = 1) -> Samples:
    """(frames, samples of a frame), without the rest; shorter frames where there would be fewer than `at_least`."""
    length = max(1, min(round(_FRAME * sample_rate), len(channel) // at_least))
    count = len(channel) // length
    return channel[: count * length].reshape(count, length)


def _offset(channel: Samples, sample_rate: int) -> float:
    """The offset of one channel; 0 if it is not significant."""
    frames = _frames(channel, sample_rate, _FEWEST_FRAMES)
    peak = float(np.abs(channel).max(initial=0.0))
    if len(frames) < _FEWEST_FRAMES or peak == 0.0:
        return 0.0
    means = frames.mean(axis=1).astype(np.float64)
    variances = np.einsum("ij,ij->i", frames, frames).astype(np.float64) / frames.shape[1] - np.square(means)
    weights = 1.0 / (np.maximum(variances, 0.0) + (_QUIETEST * peak) ** 2)
    offset = float(np.average(means, weights=weights))
    error = float(np.sqrt(np.square(weights * (means - offset)).sum()) / weights.sum())
    return offset if abs(offset) > max(_LEAST_OFFSET * peak, _LEAST_CERTAINTY * error) else 0.0


def _infrasonic_share(samples: Samples, sample_rate: int) -> float:
    """The share of the power that lies below 8 Hz, by the spectrum of the means of frames."""
    power = float(np.einsum("ij,ij->", samples, samples, dtype=np.float64))
    if power == 0.0 or samples.shape[1] < _SHORTEST * sample_rate:
        return 0.0
    length = max(1, round(_FRAME * sample_rate))
    below = 0.0
    for channel in samples:
        means = _frames(channel, sample_rate).mean(axis=1).astype(np.float64)
        spectrum = np.square(np.abs(np.fft.rfft(means)))
        spectrum[1:] *= 2
        inside = np.fft.rfftfreq(len(means), length / sample_rate) < _INFRASONIC
        below += float(spectrum[inside].sum()) / len(means) * length
    return below / power


def _high_pass(samples: Samples, sample_rate: int) -> Samples:
    from scipy.signal import butter, sosfiltfilt

    sections: NDArray[np.float64] = butter(4, _CUTOFF, "highpass", fs=sample_rate, output="sos")
    return np.ascontiguousarray(sosfiltfilt(sections, samples, axis=1), dtype=np.float32)
