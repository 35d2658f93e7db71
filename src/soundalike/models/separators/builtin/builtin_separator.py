"""The built-in separator: bass, drums and residuals of any mixture by signal processing; no download, no torch.

Each part has one real mask in 0..1, the same for all channels, that multiplies the short-time spectrum (sine window of
64 ms, hop of 16 ms, perfect reconstruction), as in soft harmonic/percussive masking (FitzGerald 2010; Driedger, Müller &
Disch 2014), with a third class for the bass. `masks` computes the masks and names the sources. Vocals, chords and
everything else are residuals: the mixture minus bass and drums in the time domain, so stems add up to the mixture.

Conventions: waveforms are float32 (channels, samples) at 32 kHz. Stems depend on the mixture within half a second on
either side. The mixture is mirrored at its ends, so that a file that begins in the middle of a note does not begin with a
drum. Mixtures are processed in blocks; the size of a block does not change the result (except for rounding), and the
memory needed beyond the stems does not depend on the length of the mixture.
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.models.separators.builtin.masks import BINS, FRAME, HOP, REACH, SAMPLE_RATE, load_network, masks

Samples = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

# Frames processed at once, 2.6 s: larger blocks do not fit the cache, smaller ones recompute more of their margins.
BLOCK = 160
_FFT_ROWS = 32  # frames transformed at once: they and their spectra fit the fastest cache
_OVERLAP = FRAME // HOP
_LEAD = FRAME - HOP  # samples between the start of the first frame and that of the mixture
_WINDOW: Samples = np.sin(np.pi * (np.arange(FRAME) + 0.5) / FRAME).astype(np.float32)
_SYNTHESIS: Samples = (_WINDOW * np.float32(2 * HOP / FRAME)).astype(np.float32)


class BuiltinSeparator:
    """Separates mixtures at 32 kHz, of any number of channels (indexing uses mono), into bass, drums and residuals.

    block: frames processed at once; it does not change the result.
    """

    name = "builtin"
    version = "1"
    parts: tuple[str, ...] = ("bass", "drums", "residuals")
    sample_rate = SAMPLE_RATE
    channels = 1
    context = 1.0
    segment_seconds = 600.0
    licence = "Apache-2.0"

    def __init__(self, block: int = BLOCK) -> None:
        if block < 1:
            raise InputError(f"block is {block}; give at least 1 frame, or leave it out for the default of {BLOCK}")
        self._block = block
        self._network = load_network()

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems of `mixture` (channels, samples), each float32 of the same shape; they add up to the mixture.

        Raises InputError unless `mixture` is a float32 array with two axes.
        """
        if mixture.ndim != 2 or mixture.dtype != np.float32:
            raise InputError(
                f"a mixture of type {mixture.dtype} and shape {mixture.shape} cannot be separated: "
                "give float32 of shape (channels, samples)"
            )
        bass, drums = np.zeros_like(mixture), np.zeros_like(mixture)
        if mixture.size:
            frames = -(-(mixture.shape[1] + _LEAD) // HOP)
            for first in range(0, frames, self._block):
                self._add_block(mixture, first, min(first + self._block, frames), bass, drums)
        residuals = mixture - bass
        residuals -= drums
        return {"bass": bass, "drums": drums, "residuals": residuals}

    def _add_block(self, mixture: Samples, first: int, last: int, bass: Samples, drums: Samples) -> None:
        """Add the frames first..last-1 of the bass and drums of the mixture to `bass` and `drums`."""
        start = first * HOP - _LEAD
        around = _mirrored(mixture, start - REACH * HOP, (last - first + 2 * REACH + _OVERLAP - 1) * HOP)
        spectra = [_spectrum(channel) for channel in around]
        shares = masks(_power(spectra), self._network)
        for stem, mask in zip((bass, drums), shares, strict=True):
            for channel, spectrum in zip(stem, spectra, strict=True):
                _add(channel, _waveform(spectrum[REACH : REACH + last - first], mask), start)


def power_spectrum(samples: Samples) -> Samples:
    """Mean power over channels (frames, BINS) of `samples` (channels, samples), with `REACH` mirrored frames on either
    side."""
    frames = -(-(samples.shape[1] + _LEAD) // HOP)
    around = _mirrored(samples, -_LEAD - REACH * HOP, (frames + 2 * REACH + _OVERLAP - 1) * HOP)
    return _power([_spectrum(channel) for channel in around])


def _power(spectra: list[Spectrum]) -> Samples:
    """Mean of the squared magnitudes."""
    power = np.zeros(spectra[0].shape, np.float32)
    for spectrum in spectra:
        power += np.square(np.abs(spectrum))
    power /= np.float32(len(spectra))
    return power


def _mirrored(mixture: Samples, start: int, length: int) -> Samples:
    """`length` samples from `start` on; beyond its ends the mixture is extended by repeated mirroring."""
    total = mixture.shape[1]
    if start >= 0 and start + length <= total:
        return mixture[:, start : start + length]
    period = max(1, 2 * (total - 1))
    index = np.arange(start, start + length) % period
    return mixture[:, np.minimum(index, period - index) if total > 1 else index]


def _spectrum(samples: Samples) -> Spectrum:
    """Short-time spectrum (frames, BINS) of the frames that are completely within `samples`."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    spectrum = np.empty((len(frames), BINS), np.complex64)
    for row in range(0, len(frames), _FFT_ROWS):
        spectrum[row : row + _FFT_ROWS] = scipy.fft.rfft(frames[row : row + _FFT_ROWS] * _WINDOW, axis=1)
    return spectrum


def _waveform(spectrum: Spectrum, mask: Samples) -> Samples:
    """Overlap-add of the masked frames."""
    out = np.zeros((len(spectrum) + _OVERLAP - 1, HOP), np.float32)
    for row in range(0, len(spectrum), _FFT_ROWS):
        masked = spectrum[row : row + _FFT_ROWS] * mask[row : row + _FFT_ROWS]
        frames = scipy.fft.irfft(masked, n=FRAME, axis=1, overwrite_x=True)
        frames *= _SYNTHESIS
        for quarter in range(_OVERLAP):
            out[row + quarter : row + quarter + len(frames)] += frames[:, quarter * HOP : (quarter + 1) * HOP]
    return out.reshape(-1)


def _add(stem: Samples, samples: Samples, start: int) -> None:
    """Add `samples` to `stem` from `start` on, ignoring what is outside it."""
    skip = max(0, -start)
    end = min(len(stem), start + len(samples))
    if end > start + skip:
        stem[start + skip : end] += samples[skip : end - start]
