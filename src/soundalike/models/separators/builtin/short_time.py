"""Short-time spectra of the built-in separators: sine window of 64 ms, hop of 16 ms, perfect reconstruction.

Conventions: waveforms are float32 (channels, samples) at 32 kHz; frame n begins `LEAD` samples before sample n HOP, so that
every sample is in four frames. Nothing here loads audio.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.models.separators.builtin.masks import BINS, FRAME, HOP, REACH

Samples = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

OVERLAP = FRAME // HOP
LEAD = FRAME - HOP  # samples between the start of the first frame and that of the mixture

_FFT_ROWS = 32  # frames transformed at once: they and their spectra fit the fastest cache
_WINDOW: Samples = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME).astype(np.float32)
_SYNTHESIS: Samples = (_WINDOW * np.float32(2 * HOP / FRAME)).astype(np.float32)


def frame_count(samples: int) -> int:
    """Frames that hold any of so many samples."""
    return -(-(samples + LEAD) // HOP)


def spectra_around(mixture: Samples, first: int, last: int, reach: int) -> list[Spectrum]:
    """Spectra of the frames first..last-1 of each channel, with `reach` frames on either side; beyond its ends the mixture
    is mirrored."""
    start = (first - reach) * HOP - LEAD
    return [spectrum(channel) for channel in mirrored(mixture, start, (last - first + 2 * reach + OVERLAP - 1) * HOP)]


def power_spectrum(samples: Samples) -> Samples:
    """Mean power over channels (frames, BINS) of `samples` (channels, samples), with `REACH` mirrored frames on either
    side."""
    return power(spectra_around(samples, 0, frame_count(samples.shape[1]), REACH))


def power(spectra: list[Spectrum]) -> Samples:
    """Mean of the squared magnitudes."""
    total = np.zeros(spectra[0].shape, np.float32)
    for one in spectra:
        total += np.square(np.abs(one))
    total /= np.float32(len(spectra))
    return total


def mirrored(mixture: Samples, start: int, length: int) -> Samples:
    """`length` samples from `start` on; beyond its ends the mixture is extended by repeated mirroring."""
    total = mixture.shape[1]
    if start >= 0 and start + length <= total:
        return mixture[:, start : start + length]
    period = max(1, 2 * (total - 1))
    index = np.arange(start, start + length) % period
    return mixture[:, np.minimum(index, period - index) if total > 1 else index]


def spectrum(samples: Samples) -> Spectrum:
    """Short-time spectrum (frames, BINS) of the frames that are completely within `samples`."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    result = np.empty((len(frames), BINS), np.complex64)
    for row in range(0, len(frames), _FFT_ROWS):
        result[row : row + _FFT_ROWS] = scipy.fft.rfft(frames[row : row + _FFT_ROWS] * _WINDOW, axis=1)
    return result


def waveform(spectrum: Spectrum, mask: Samples) -> Samples:
    """Overlap-add of the masked frames."""
    out = np.zeros((len(spectrum) + OVERLAP - 1, HOP), np.float32)
    for row in range(0, len(spectrum), _FFT_ROWS):
        masked = spectrum[row : row + _FFT_ROWS] * mask[row : row + _FFT_ROWS]
        frames = scipy.fft.irfft(masked, n=FRAME, axis=1, overwrite_x=True)
        frames *= _SYNTHESIS
        for quarter in range(OVERLAP):
            out[row + quarter : row + quarter + len(frames)] += frames[:, quarter * HOP : (quarter + 1) * HOP]
    return out.reshape(-1)


def add_at(stem: Samples, samples: Samples, start: int) -> None:
    """Add `samples` to `stem` from `start` on, ignoring what is outside it."""
    skip = max(0, -start)
    end = min(len(stem), start + len(samples))
    if end > start + skip:
        stem[start + skip : end] += samples[skip : end - start]
