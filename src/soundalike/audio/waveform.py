"""Waveforms in memory, and the one resampler.

Conventions: samples are float32, shape (channels, samples), nominally within -1..1 (float files and lossy
codecs may exceed it; nothing here clips); mono samples may be (samples,) if a docstring says so.
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

# Channel positions in the order of WAVE files: L R front, C centre or back centre, l r surrounds, - the LFE. More
# channels than these (ambisonics, multitrack exports) have no defined positions and are taken in pairs.
_LAYOUTS = {3: "LRC", 4: "LRlr", 5: "LRClr", 6: "LRC-lr", 7: "LRC-Clr", 8: "LRC-lrlr"}

_APART = 1009  # samples

# Channels cancel if the power of their mean is below this share of what uncorrelated channels would give: 3 dB. The
# mean of two uncorrelated channels is itself 3 dB below the channels, which makes 6 dB for stereo.
_CANCELLED = 0.5


@dataclass(frozen=True)
class Waveform:
    """Decoded audio: `samples` float32 (channels, samples) and their `sample_rate` in Hz.

    The constructor does not check its arguments; use `waveform` to check and convert.
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

    def stays_below(self, amplitude: float) -> bool:
        """Whether no sample reaches `amplitude`."""
        pieces = (self.samples[:, ::_APART], self.samples)  # some of what can be heard is soon found
        return all(piece.max(initial=0.0) < amplitude and -piece.min(initial=0.0) < amplitude for piece in pieces)

    def mono(self) -> Samples:
        """The channels as one (see `to_channels`), float32 (samples,)."""
        mono: Samples = to_channels(self.samples, 1)[0]
        return mono


def waveform(samples: ArrayLike, sample_rate: int) -> Waveform:
    """A Waveform from any array of shape (channels, samples) or (samples,).

    Raises InputError for any other shape, no channels or a rate that is not positive.
    """
    array = np.asarray(samples, dtype=np.float32)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[0] == 0:
        raise InputError(
            f"samples of shape {np.shape(samples)} are not possible; give (channels, samples) or (samples,)"
        )
    if sample_rate <= 0:
        raise InputError(f"a sample rate of {sample_rate} Hz is not possible; it must be above 0")
    return Waveform(array, int(sample_rate))


def to_channels(samples: Samples, channels: int) -> Samples:
    """`samples` (C, T) mapped to 1 or 2 channels; returned as they are (not copied) if C is already right.

    To mono: the mean of all channels (as librosa's `to_mono`), except where they cancel: if the power of the mean is
    less than half of what uncorrelated channels of the same powers would give (for stereo, more than 6 dB below the
    mean power of the channels), the channels opposed to the loudest one are inverted before the mean is taken. So
    right = -left gives left, and vectors are not computed from silence or from what is left over. Of three or more
    channels, this is decided first within each pair of left and right, whatever the others hold, then for all. The
    decision is made for the samples given, such as one segment of a file. Mono to stereo: the channel twice. Many channels to
    stereo, in the order of WAVE and FLAC files (L R C LFE, then surrounds in left-right pairs; four channels are
    L R Ls Rs, three are L R C): left + 0.71 centre + 0.71 each left surround (ITU-R BS.775-4), without the LFE,
    divided by the sum of the gains so that nothing clips.

    Raises InputError if `channels` is not 1 or 2.
    """
    count = samples.shape[0]
    if channels not in (1, 2):
        raise InputError(f"{channels} channels are not possible; choose 1 or 2")
    if count == channels:
        return samples
    if channels == 1:
        return _mono(samples)
    if count == 1:
        return np.repeat(samples, 2, axis=0)
    return _stereo_gains(count) @ samples


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """`samples`, (channels, samples) or (samples,), resampled by soxr's HQ recipe (no delay).

    The result has round(samples * to_rate / from_rate) samples, give or take one; for equal rates it is the input
    itself.
    """
    if from_rate == to_rate:
        return samples
    if samples.shape[-1] == 0:
        return samples
    along_time = np.ascontiguousarray(samples.T, dtype=np.float32)
    resampled = np.asarray(soxr.resample(along_time, from_rate, to_rate, quality="HQ"), dtype=np.float32)
    return np.ascontiguousarray(resampled.T)


def _mono(samples: Samples) -> Samples:
    """(1, samples): the mean of the channels, or with opposed ones inverted if they cancel (see `to_channels`)."""
    energies = np.array([np.dot(channel, channel) for channel in samples], dtype=np.float64)
    for left, right in _pairs(len(samples)) if len(samples) > 2 else ():
        opposed = 2 * float(np.dot(samples[left], samples[right]))
        power = energies[left] + energies[right]
        if power + opposed < _CANCELLED * power:
            samples = samples.copy()
            samples[right] *= -1
    mean = np.asarray(samples.mean(axis=0, dtype=np.float32, keepdims=True), dtype=np.float32)
    if not float(np.dot(mean[0], mean[0])) < _CANCELLED * energies.sum() / len(samples) ** 2:
        return mean
    loudest = samples[int(np.argmax(energies))]
    signs = np.array([[-1.0 if np.dot(channel, loudest) < 0 else 1.0] for channel in samples], dtype=np.float32)
    # The first channel keeps its polarity, whichever is the loudest: otherwise neighbouring segments could differ in it.
    return np.asarray((samples * (signs * signs[0])).mean(axis=0, dtype=np.float32, keepdims=True), dtype=np.float32)


def _layout(channels: int) -> str:
    return _LAYOUTS.get(channels) or "LR" * (channels // 2) + "C" * (channels % 2)


def _pairs(channels: int) -> list[tuple[int, int]]:
    """The numbers of the left and right channels that belong together."""
    layout = _layout(channels)
    return [(place, place + 1) for place in range(channels - 1) if layout[place : place + 2] in ("LR", "lr")]


def _stereo_gains(channels: int) -> Samples:
    """The (2, channels) matrix that maps 3 or more channels to stereo; each row sums to 1."""
    gains = np.zeros((2, channels), dtype=np.float32)
    for channel, position in enumerate(_layout(channels)):
        for row, side in enumerate("LR"):
            if position == side:
                gains[row, channel] = 1.0
            elif position in ("C", side.lower()):
                gains[row, channel] = _MINUS_3_DB
    gains /= gains.sum(axis=1, keepdims=True)
    return gains
