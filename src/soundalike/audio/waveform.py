"""Waveforms in memory, and the one resampler.

Conventions: samples are float32, shape (channels, samples), nominally within -1..1 (float files and lossy
codecs may exceed it; nothing here clips); a mono waveform may be a bare (samples,) where a docstring says so.
Rates are in Hz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import ArrayLike, NDArray

from soundalike.errors import InputError

Samples = NDArray[np.float32]

# ITU-R BS.775-4 Table 2: the surround and centre channels enter the stereo pair 3 dB down.
_MINUS_3_DB = np.float32(np.sqrt(0.5))

# What stands where in the channel order of WAVE files: L R front, C centre or back centre, l r surrounds, -
# the LFE. More channels than these (ambisonics, multitrack exports) say nothing of places and are taken in
# pairs.
_LAYOUTS = {3: "LRC", 4: "LRlr", 5: "LRClr", 6: "LRC-lr", 7: "LRC-Clr", 8: "LRC-lrlr"}


@dataclass(frozen=True)
class Waveform:
    """Decoded audio: `samples` float32 (channels, samples) and their `sample_rate` in Hz.

    The constructor stores what it is given; use `waveform` to check and convert.
    """

    samples: Samples
    sample_rate: int

    @property
    def channels(self) -> int:
        return int(self.samples.shape[0])

    @property
    def duration(self) -> float:
        """Seconds."""
        return int(self.samples.shape[1]) / self.sample_rate

    def mono(self) -> Samples:
        """The mean of the channels, float32 (samples,)."""
        mono: Samples = to_channels(self.samples, 1)[0]
        return mono


def waveform(samples: ArrayLike, sample_rate: int) -> Waveform:
    """A Waveform from any array of shape (channels, samples) or (samples,).

    Raises InputError for another shape, no channel or a rate that is not positive.
    """
    array = np.asarray(samples, dtype=np.float32)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[0] == 0:
        raise InputError(f"samples of shape {np.shape(samples)}; give (channels, samples) or (samples,)")
    if sample_rate <= 0:
        raise InputError(f"sample rate {sample_rate} Hz; it must be above 0")
    return Waveform(array, int(sample_rate))


def to_channels(samples: Samples, channels: int) -> Samples:
    """`samples` (C, T) mapped to 1 or 2 channels; unchanged (not copied) where C is already right.

    To mono: the mean of all channels, whatever they are (what librosa's `to_mono` does). Mono to stereo: the
    channel twice. Many channels to stereo, read in the order of WAVE and FLAC files (L R C LFE then surrounds
    in left-right pairs; four channels are L R Ls Rs, three are L R C): left + 0.71 centre + 0.71 each left
    surround (ITU-R BS.775-4), the LFE left out, and the sum divided by the sum of its gains so that nothing
    can clip.

    Raises InputError for another number of channels wanted.
    """
    present = samples.shape[0]
    if channels not in (1, 2):
        raise InputError(f"{channels} channels asked for; 1 or 2 are possible")
    if present == channels:
        return samples
    if channels == 1:
        return np.asarray(samples.mean(axis=0, dtype=np.float32, keepdims=True), dtype=np.float32)
    if present == 1:
        return np.repeat(samples, 2, axis=0)
    return _stereo_gains(present) @ samples


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """`samples`, (channels, samples) or (samples,), at another rate by soxr's HQ recipe (no delay).

    The result has round(samples * to_rate / from_rate) samples, give or take one; equal rates return the
    input itself.
    """
    if from_rate == to_rate:
        return samples
    if samples.shape[-1] == 0:
        return samples
    along_time = np.ascontiguousarray(samples.T, dtype=np.float32)
    moved = np.asarray(soxr.resample(along_time, from_rate, to_rate, quality="HQ"), dtype=np.float32)
    return np.ascontiguousarray(moved.T)


def _stereo_gains(present: int) -> Samples:
    """The (2, present) matrix that takes `present` >= 3 channels to stereo; each row sums to 1."""
    gains = np.zeros((2, present), dtype=np.float32)
    layout = _LAYOUTS.get(present) or "LR" * (present // 2) + "C" * (present % 2)
    for channel, place in enumerate(layout):
        for row, side in enumerate("LR"):
            if place == side:
                gains[row, channel] = 1.0
            elif place in ("C", side.lower()):
                gains[row, channel] = _MINUS_3_DB
    gains /= gains.sum(axis=1, keepdims=True)
    return gains
