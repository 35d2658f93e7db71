"""Removes what lies below hearing from a waveform: a constant offset (DC), and a drift or rumble below 8 Hz.

Encoders scale a waveform to its peak, trim by level and measure its spectrum, so an offset that nobody hears would
change their vectors. Waveforms without one are returned as they are, bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.waveform import Samples, Waveform

Float64 = NDArray[np.float64]

_FRAME = 0.02  # s
_FEWEST_FRAMES = 8
_LEAST_OFFSET = 1e-3  # of the peak (60 dB below it)
_LEAST_CERTAINTY = 4.0  # standard errors
_DOUBTFUL = 0.5  # of these thresholds, from which they are decided in full precision
_QUIETEST = 1e-4  # of the peak; quieter frames do not count more

_INFRASONIC = 8.0  # Hz
_CUTOFF = 15.0  # Hz, of the high-pass filter
_LEAST_SHARE = 0.01  # of the power, below _INFRASONIC
_LEAST_SHARE_OF_SHORT = 0.2  # where the frequencies below _INFRASONIC cannot be told from the envelope of a drum
_SHORT = 1.0  # s
_BLOCK = 8192  # samples
_SHORTEST = 0.1  # s, less than one period of _INFRASONIC


def remove_offset(waveform: Waveform) -> Waveform:
    """`waveform` without its offset, and without drift or rumble; itself if it has neither.

    Each channel's offset is the mean of its frames of 20 ms, each weighted by the inverse of its variance: in the decay of a
    drum, the quiet end decides. It is removed if it exceeds a thousandth of the peak and four standard errors. If then more
    than 1 % of the power of a waveform of 1 s or longer lies below 8 Hz, a zero-phase high-pass filter of 15 Hz is applied.
    Digital silence before and after the sound, which has no offset, stays as it is.
    """
    begin, end = _sounding(waveform)
    if end - begin < waveform.samples.shape[1]:
        sound = Waveform(waveform.samples[:, begin:end], waveform.sample_rate)
        changed = _without_offset(sound)
        if changed is sound:
            return waveform
        samples = np.zeros_like(waveform.samples)
        samples[:, begin:end] = changed.samples
        return Waveform(samples, waveform.sample_rate)
    return _without_offset(waveform)


def _sounding(waveform: Waveform) -> tuple[int, int]:
    """The samples (first, last) between the digital silences of at least a frame before and after them; all if there are
    none."""
    samples, least = waveform.samples, _FRAME * waveform.sample_rate
    length = int(samples.shape[1])
    before, after = _zeros(samples), _zeros(samples[:, ::-1])
    if before == length:
        return 0, length
    return before if before >= least else 0, length - after if after >= least else length


def _zeros(samples: Samples) -> int:
    """How many samples at the beginning are zero in all channels."""
    length = int(samples.shape[1])
    if length and samples[:, 0].any():
        return 0
    for first in range(0, length, _BLOCK):
        sounding = samples[:, first : first + _BLOCK].any(axis=0)
        if sounding.any():
            return first + int(np.argmax(sounding))
    return length


def _without_offset(waveform: Waveform) -> Waveform:
    samples, rate = waveform.samples, waveform.sample_rate
    length = max(1, round(_FRAME * rate))
    shorter = max(1, min(length, samples.shape[1] // _FEWEST_FRAMES))
    frames = [_Frames.of(channel, shorter) for channel in samples]
    offsets = np.array([_offset(one) for one in frames], dtype=np.float32)
    if offsets.any():
        samples = samples - offsets[:, np.newaxis]
    if samples.shape[1] >= _SHORTEST * rate:
        if offsets.any() or shorter < length:
            frames = [_Frames.of(channel, length) for channel in samples]
        least = _LEAST_SHARE if waveform.duration >= _SHORT else _LEAST_SHARE_OF_SHORT
        if _infrasonic_share(frames, rate) > least:
            samples = _high_pass(samples, rate)
    return waveform if samples is waveform.samples else Waveform(samples, rate)


@dataclass(frozen=True)
class _Frames:
    """One channel in frames of `length` samples, and the rest: all that is decided about it needs no more.

    means, squares: mean and mean square of each frame (frames,); rest: energy of the samples after the last frame.
    """

    channel: Samples
    length: int
    means: Float64
    squares: Float64
    rest: float

    @classmethod
    def of(cls, channel: Samples, length: int, *, precise: bool = False) -> _Frames:
        """precise: sum means pairwise, which takes longer than a matrix product."""
        count = len(channel) // length
        frames = channel[: count * length].reshape(count, length)
        means = frames.mean(axis=1) if precise else frames @ np.full(length, 1 / length, dtype=np.float32)
        squares = np.einsum("ij,ij->i", frames, frames).astype(np.float64) / length
        after = channel[count * length :]
        return cls(channel, length, means.astype(np.float64), squares, float(np.dot(after, after)))

    def offset(self, significance: float = 1.0) -> float:
        """The offset of the channel; 0 if it is not significant, by this multiple of what the thresholds are."""
        peak = max(float(self.channel.max(initial=0.0)), -float(self.channel.min(initial=0.0)))
        if len(self.means) < _FEWEST_FRAMES or peak == 0.0:
            return 0.0
        variances = self.squares - self.means * self.means
        weights = 1.0 / (np.maximum(variances, 0.0) + (_QUIETEST * peak) ** 2)
        weights /= weights.sum()
        offset = float(weights @ self.means)
        deviations = weights * (self.means - offset)
        error = math.sqrt(float(deviations @ deviations))
        least = max(_LEAST_OFFSET * peak, _LEAST_CERTAINTY * error)
        return offset if abs(offset) > significance * least else 0.0


def _offset(frames: _Frames) -> float:
    """The offset of a channel, computed again in full precision where there seems to be one."""
    if frames.offset(_DOUBTFUL) == 0.0:
        return 0.0
    return _Frames.of(frames.channel, frames.length, precise=True).offset()


def _infrasonic_share(channels: Sequence[_Frames], sample_rate: int) -> float:
    """The share of the power that lies below 8 Hz, by the spectrum of the means of frames."""
    power = sum(one.squares.sum() * one.length + one.rest for one in channels)
    if power == 0.0:
        return 0.0
    below = 0.0
    for one in channels:
        spectrum = np.square(np.abs(np.fft.rfft(one.means)))
        spectrum[1:] *= 2
        inside = np.fft.rfftfreq(len(one.means), one.length / sample_rate) < _INFRASONIC
        below += float(spectrum[inside].sum()) / len(one.means) * one.length
    return float(below / power)


def _high_pass(samples: Samples, sample_rate: int) -> Samples:
    from scipy.signal import butter, sosfiltfilt

    sections: Float64 = butter(4, _CUTOFF, "highpass", fs=sample_rate, output="sos")
    return np.ascontiguousarray(sosfiltfilt(sections, samples, axis=1), dtype=np.float32)
