"""Front end of aiSFX: log-mel spectrograms in blocks of two seconds. NumPy only.

The published weights were trained on spectrograms by Essentia, which are computed here as Essentia does, on samples at full
scale (aisfx 0.1.2, `spectrogram_essentia.py` and `preprocessing.py`). The librosa variant in that package has other values;
vectors of the two are not comparable. Essentia puts faint noise in place of digital silence, which is left out here.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.models.encoder_protocol import Samples

SAMPLE_RATE = 44_100
FRAME, HOP = 2048, 1024
BANDS = 96
BLOCK = 100
"""Frames of one input of the network: 2.3 s."""

BLOCK_HOP = 50

_HIGHEST = 9.457798957824707
"""The largest value of a spectrogram in the training data; inputs are divided by it."""


def blocks(samples: Samples) -> NDArray[np.float32]:
    """(N, BLOCK, BANDS) inputs of the network from mono samples (T,) at 44.1 kHz, nominally -1 to 1.

    Blocks begin every BLOCK_HOP frames; a last one that is incomplete is left out, unless it is the only one: zeros follow it.
    """
    spectrogram = log_mel(samples) / _HIGHEST
    count = max(1, (len(spectrogram) - BLOCK) // BLOCK_HOP + 1)
    padded = np.pad(spectrogram, ((0, max(0, BLOCK - len(spectrogram))), (0, 0)))
    starts = BLOCK_HOP * np.arange(count)[:, np.newaxis]
    return np.asarray(padded[starts + np.arange(BLOCK)], dtype=np.float32)


def log_mel(samples: Samples) -> NDArray[np.float64]:
    """(frames, BANDS): log10(10,000 x power + 1) of mel bands, in frames that are centred on every HOP-th sample."""
    frames = -(-(len(samples) + HOP) // HOP)
    padded = np.zeros((frames + 2) * HOP)
    padded[HOP : HOP + len(samples)] = samples
    cut = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP][:frames]
    spectra = scipy.fft.rfft(cut * _window(), axis=1, overwrite_x=True)
    power = np.square(spectra.real) + np.square(spectra.imag)
    return np.asarray(np.log10(1e4 * (power @ _mel_bands()) + 1))


@cache
def _window() -> NDArray[np.float64]:
    """(FRAME,): the symmetric Hann window."""
    return np.hanning(FRAME)


@cache
def _mel_bands() -> NDArray[np.float64]:
    """(FRAME // 2 + 1, BANDS): triangles on the mel scale of HTK from 0 Hz, straight in mel, each of sum 1."""
    frequencies = np.linspace(0, SAMPLE_RATE / 2, FRAME // 2 + 1)
    mels = np.log1p(frequencies / 700)
    edges = np.linspace(0, mels[-1], BANDS + 2)
    rising = (mels[:, np.newaxis] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels[:, np.newaxis]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles / triangles.sum(axis=0))
