"""Front end of LAION-CLAP: log-mel spectrograms of windows of ten seconds. NumPy only.

Follows laion_clap 1.1.7: `hook.py` and `training/data.py` (quantisation, repeat and pad), `clap_module/htsat.py` (spectrogram
and mel bands, there computed by torchlibrosa).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.audio.spectral import mel_filters
from soundalike.models.encoder_protocol import Samples

SAMPLE_RATE = 48_000
WINDOW = 480_000
"""Samples of one input of the network."""

FRAMES = 1001
BANDS = 64
FRAME = 1024
HOP = 480
LOWEST, HIGHEST = 50.0, 14_000.0
"""Hz. All published checkpoints of LAION-CLAP were trained with these limits."""

_FLOOR = 1e-10
_FULL_SCALE = np.float32(32767)


def split_windows(samples: Samples) -> list[Samples]:
    """Consecutive windows of `samples` (T,) of at most WINDOW samples, none if T is 0; the last may be shorter.

    The original uses one random window instead.
    """
    return [samples[start : start + WINDOW] for start in range(0, len(samples), WINDOW)]


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """(FRAMES, BANDS): mel bands in dB of one window, `samples` (T,) at SAMPLE_RATE, 1 <= T <= WINDOW, nominally -1 to 1."""
    power = _power(_fill(_quantise(samples)))
    return np.asarray(10 * np.log10(np.maximum(power @ mel_bands(), _FLOOR)), dtype=np.float32)


def _quantise(samples: Samples) -> Samples:
    """`samples` as in training: clipped, and truncated (not rounded) to 16 bits."""
    integers = (np.clip(samples, -1, 1) * _FULL_SCALE).astype(np.int16)
    return np.asarray(integers / _FULL_SCALE, dtype=np.float32)


def _fill(samples: Samples) -> Samples:
    """(WINDOW,): `samples` repeated as often as they fit completely, then zeros."""
    filled = np.zeros(WINDOW, dtype=np.float32)
    repeated = np.tile(samples, WINDOW // len(samples))
    filled[: len(repeated)] = repeated
    return filled


def _power(samples: Samples) -> NDArray[np.float64]:
    """(FRAMES, FRAME // 2 + 1): power spectra of frames centred on every HOP-th sample, with mirrored ends.

    In float64, because in a loud frame with quiet bands, such as that of a sine sweep, float32 rounding reaches 0.1 dB.
    """
    mirrored = np.pad(samples, FRAME // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(mirrored, FRAME)[::HOP]
    spectra = scipy.fft.rfft(frames * hann(), axis=1, overwrite_x=True)
    return np.asarray(np.square(spectra.real) + np.square(spectra.imag))


@cache
def hann() -> NDArray[np.float64]:
    """(FRAME,): the periodic Hann window."""
    return np.hanning(FRAME + 1)[:-1]


@cache
def mel_bands() -> NDArray[np.float64]:
    """(FRAME // 2 + 1, BANDS): triangles of equal area on Slaney's mel scale."""
    bands = mel_filters(SAMPLE_RATE, FRAME, BANDS, LOWEST, HIGHEST)
    return np.ascontiguousarray(bands.T, dtype=np.float64)
