"""Front end of the built-in encoder: spectra of a mono waveform, computed once and shared by all its features.

Axes are (frames, bands), times seconds, frequencies Hz. The level of the waveform does not matter: it is scaled to a peak
of 1 first. There are three resolutions: frames of 32 ms over the whole range (attacks, modulation, timbre), frames of
256 ms below 4 kHz (pitch, harmony, tonality), and envelopes at 2.5 ms (attack time, roughness).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy
import soxr
from numpy.typing import NDArray

from soundalike.errors import InputError

Array = NDArray[np.float32]

SAMPLE_RATE = 32_000
FRAME = 1024
HOP = 512
FRAME_RATE = SAMPLE_RATE / HOP
BANDS = 40
LOWEST, HIGHEST = 40.0, 14_000.0
SPARSE = 8
"""A complete power spectrum is stored every so many frames."""

SLOW_RATE = 8_000
SLOW_FRAME = 2048
SLOW_HOP = 1024
SLOW_BINS = 800
"""Bins of the slow spectrum that are stored: up to 3.1 kHz."""

ENVELOPE_HOP = 80
ENVELOPE_RATE = SAMPLE_RATE / ENVELOPE_HOP

MELS = 64
LOWEST_MEL, HIGHEST_MEL = 30.0, 15_500.0

LOUDNESS_EXPONENT = 0.3
"""Stevens' law: loudness grows as the 0.3rd power of intensity."""

_BLOCK = 128  # frames per FFT call, so that they fit the cache; a multiple of SPARSE


@dataclass(frozen=True)
class Spectra:
    """Spectra of a waveform.

    loudness (T, BANDS): specific loudness at FRAME_RATE; the bands of the loudest frame sum to 1.
    power (T / SPARSE, FRAME // 2 + 1): power spectra of every SPARSE-th frame.
    slow (S, SLOW_BINS): amplitude spectra below 3.1 kHz.
    envelopes (3, E): mean squares at ENVELOPE_RATE of the low frequencies (below about 1 kHz), of the waveform, and of its
        derivative (the high frequencies).
    mels (T, MELS): power in mel bands at FRAME_RATE, the input of the network of version 2; None for version 1.
    """

    loudness: Array
    power: Array
    slow: Array
    envelopes: Array
    mels: Array | None = None


def erb_rate(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Number of equivalent rectangular bandwidths below `frequency` (Glasberg & Moore 1990)."""
    return np.asarray(21.4 * np.log10(1 + 0.00437 * frequency), dtype=np.float64)


def erb_frequency(rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `erb_rate`."""
    return np.asarray((10 ** (rate / 21.4) - 1) / 0.00437, dtype=np.float64)


def ear_gain(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power gain of the ear, 1 at 1 kHz: the inverse of Terhardt's (1979) threshold in quiet, halved in dB.

    It is halved because at listening levels the ear is more sensitive to low frequencies than at threshold.
    """
    khz = np.maximum(frequency, 20.0) / 1000
    threshold = 3.64 * khz**-0.8 - 6.5 * np.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
    return np.asarray(10 ** (-0.5 * (threshold - 3.64) / 10), dtype=np.float64)


@cache
def band_matrix() -> Array:
    """(bins, BANDS): triangles equally spaced in ERB rate, 1.5 times as wide as their spacing, and at least one bin."""
    low, high = erb_rate(np.array([LOWEST, HIGHEST]))
    centres = np.linspace(low, high, BANDS)
    bins = np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME
    one_bin = erb_rate(erb_frequency(centres) + SAMPLE_RATE / FRAME) - centres
    width = np.maximum(1.5 * (centres[1] - centres[0]), one_bin)
    distance = np.abs(erb_rate(bins)[:, None] - centres[None, :])
    matrix = np.maximum(0.0, 1 - distance / width[None, :])
    matrix[0] = 0  # DC is inaudible
    return np.asarray(matrix * ear_gain(erb_frequency(centres))[None, :], dtype=np.float32)


@cache
def mel_matrix() -> Array:
    """(bins, MELS): triangles of height 1, equally spaced in mel (O'Shaughnessy 1987), and at least one bin wide."""
    low, high = 2595 * np.log10(1 + np.array([LOWEST_MEL, HIGHEST_MEL]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)
    bins = np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME
    one_bin = SAMPLE_RATE / FRAME
    centres = edges[1:-1, None]
    rising = (bins - centres) / np.maximum(centres - edges[:-2, None], one_bin) + 1
    falling = (centres - bins) / np.maximum(edges[2:, None] - centres, one_bin) + 1
    return np.ascontiguousarray(np.maximum(0, np.minimum(rising, falling)).T, dtype=np.float32)


@cache
def _window(length: int) -> Array:
    return np.hanning(length + 1)[:-1].astype(np.float32)


def _frames(samples: Array, frame: int, hop: int) -> Array:
    """Frames (T, frame) of `samples` padded with zeros: frame t is centred on sample t * hop."""
    count = -(-len(samples) // hop) + 1
    padded = np.zeros((count - 1) * hop + frame, dtype=np.float32)
    padded[frame // 2 : frame // 2 + len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(padded, frame)[::hop]


def _power(frames: Array) -> Array:
    spectrum = scipy.fft.rfft(frames * _window(frames.shape[1]), axis=1, overwrite_x=True)
    power: Array = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power


def _mean_squares(samples: Array, hop: int) -> Array:
    count = -(-len(samples) // hop)
    padded = np.zeros(count * hop, dtype=np.float32)
    padded[: len(samples)] = samples
    grid = padded.reshape(count, hop)
    return np.asarray(np.einsum("ij,ij->i", grid, grid) / hop, dtype=np.float32)


def _envelopes(samples: Array, slow_samples: Array) -> Array:
    whole = _mean_squares(samples, ENVELOPE_HOP)
    envelopes = np.zeros((3, len(whole)), dtype=np.float32)
    quarter = slow_samples[: len(slow_samples) // 4 * 4]
    low = quarter[0::4] + quarter[1::4]
    low += quarter[2::4]
    low += quarter[3::4]
    lower = _mean_squares(low, ENVELOPE_HOP * SLOW_RATE // SAMPLE_RATE // 4)[: len(whole)]
    envelopes[0, : len(lower)] = lower
    envelopes[1] = whole
    steps = _mean_squares(samples[1:] - samples[:-1], ENVELOPE_HOP)[: len(whole)]
    envelopes[2, : len(steps)] = steps
    return envelopes


def mel_power(samples: Array) -> Array:
    """(T, MELS) power in mel bands of `samples` (T,) at SAMPLE_RATE, as in `Spectra.mels` but at the level that they have."""
    frames, matrix = _frames(samples, FRAME, HOP), mel_matrix()
    blocks = [_power(frames[first : first + _BLOCK]) @ matrix for first in range(0, len(frames), _BLOCK)]
    return np.concatenate(blocks)


def compute_spectra(samples: Array, *, with_mels: bool = False) -> Spectra | None:
    """Spectra of `samples` (T,) at SAMPLE_RATE, None for silence (all samples zero).

    Raises InputError if a sample is not finite.
    """
    peak = max(float(samples.max(initial=0.0)), -float(samples.min(initial=0.0)))
    if peak == 0:
        return None
    if not np.isfinite(peak):
        raise InputError("a waveform has samples that are not finite; decode the file again")
    samples = samples / np.float32(peak)
    frames, matrix = _frames(samples, FRAME, HOP), band_matrix()
    bands = np.empty((len(frames), BANDS), dtype=np.float32)
    sparse = np.empty((-(-len(frames) // SPARSE), FRAME // 2 + 1), dtype=np.float32)
    mels = np.empty((len(frames), MELS), dtype=np.float32) if with_mels else None
    for first in range(0, len(frames), _BLOCK):
        power = _power(frames[first : first + _BLOCK])
        np.matmul(power, matrix, out=bands[first : first + _BLOCK])
        if mels is not None:
            np.matmul(power, mel_matrix(), out=mels[first : first + _BLOCK])
        rows = power[::SPARSE]
        sparse[first // SPARSE : first // SPARSE + len(rows)] = rows
    loudness: Array = np.power(bands, np.float32(LOUDNESS_EXPONENT), out=bands)
    loudness /= max(float(loudness.sum(axis=1).max()), 1e-12)
    slow_samples = soxr.resample(samples, SAMPLE_RATE, SLOW_RATE, quality="LQ")
    slow_frames = _frames(slow_samples, SLOW_FRAME, SLOW_HOP)
    slow = np.concatenate([np.sqrt(_power(slow_frames[i : i + _BLOCK])) for i in range(0, len(slow_frames), _BLOCK)])
    return Spectra(loudness, sparse, slow, _envelopes(samples, slow_samples), mels)
