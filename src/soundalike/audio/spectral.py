"""Spectra and filter banks: short-time Fourier transform, mel and chroma filters, tuning, tempo from an autocorrelation.

The formulas are those of librosa 0.11 (McFee et al., "librosa: Audio and music signal analysis in Python", SciPy 2015);
the tests compare with librosa itself. Conventions: samples (samples,), rates in Hz, spectra (bins, frames), filters
(bands, bins) with `frame_length // 2 + 1` bins.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_LINEAR_MEL = 200.0 / 3  # Hz per mel below 1 kHz (Slaney, Auditory Toolbox, 1998)
_LOG_FROM = 1000.0  # Hz
_LOG_STEP = math.log(6.4) / 27.0

_A440 = 440.0
_PEAK_SHARE = 0.1  # of a frame's largest magnitude that a spectral peak must exceed
_TUNING_STEP = 0.01  # of a semitone

_PREFERRED_TEMPO = 120.0  # beats per minute


def magnitude_spectrogram(samples: Float32, frame_length: int, hop: int) -> Float32:
    """Magnitudes (bins, frames) of Hann-windowed frames centred on every `hop`-th sample; outside the signal is silence.

    samples: mono (samples,). There are `1 + samples // hop` frames.
    """
    padded = np.pad(samples, frame_length // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame_length)[::hop]
    window = np.hanning(frame_length + 1)[:-1].astype(np.float32)
    return np.ascontiguousarray(np.abs(scipy.fft.rfft(frames * window, axis=1)).T, dtype=np.float32)


def mel_filters(sample_rate: int, frame_length: int, bands: int, lowest: float, highest: float) -> Float32:
    """Triangular filters (bands, bins) of equal area on Slaney's mel scale between `lowest` and `highest` Hz."""
    frequencies = np.fft.rfftfreq(frame_length, 1.0 / sample_rate)
    edges = _mel_to_hz(np.linspace(_hz_to_mel(lowest), _hz_to_mel(highest), bands + 2))
    widths = np.diff(edges)
    distances = edges[:, np.newaxis] - frequencies[np.newaxis]
    rising = -distances[:-2] / widths[:-1, np.newaxis]
    falling = distances[2:] / widths[1:, np.newaxis]
    filters = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    area = 2.0 / (edges[2:] - edges[:-2])
    return np.asarray(filters * area[:, np.newaxis], dtype=np.float32)


def chroma_filters(
    sample_rate: int, frame_length: int, *, tuning: float = 0.0, centre_octave: float = 5.0, octave_width: float = 2.0
) -> Float32:
    """Filters (12, bins) that sum a spectrum into pitch classes, C first.

    tuning: deviation from A = 440 Hz in semitones (-0.5 to 0.5); centre_octave, octave_width: the Gaussian weight over
    pitch, in octaves above 27.5 Hz (Ellis, "Chroma feature analysis and synthesis", 2007).
    """
    frequencies = np.arange(1, frame_length) * sample_rate / frame_length
    semitones = 12.0 * _octaves(frequencies, tuning)
    # The bin at 0 Hz has no pitch: it is put 1.5 octaves below the next.
    semitones = np.concatenate([[semitones[0] - 18.0], semitones])
    widths = np.concatenate([np.maximum(np.diff(semitones), 1.0), [1.0]])
    distance = np.remainder(semitones - np.arange(12.0)[:, np.newaxis] + 126.0, 12.0) - 6.0
    filters = np.exp(-0.5 * (2.0 * distance / widths) ** 2)
    filters /= np.linalg.norm(filters, axis=0)
    filters *= np.exp(-0.5 * ((semitones / 12.0 - centre_octave) / octave_width) ** 2)
    from_c = np.roll(filters, -3, axis=0)  # pitch classes are counted from A before
    return np.ascontiguousarray(from_c[:, : frame_length // 2 + 1], dtype=np.float32)


def estimate_tuning(magnitudes: Float32, sample_rate: int, lowest: float, highest: float) -> float:
    """Deviation of the spectral peaks between `lowest` and `highest` Hz from A = 440 Hz, in semitones, -0.5 to 0.5.

    magnitudes: (bins, frames). The mode of the peaks' deviations in steps of 0.01; 0 where there is no peak.
    """
    pitches, heights = _spectral_peaks(magnitudes, sample_rate, lowest, highest)
    if not pitches.size:
        return 0.0
    deviation = np.mod(12.0 * _octaves(pitches[heights >= np.median(heights)]), 1.0)
    deviation[deviation >= 0.5] -= 1.0
    counts, edges = np.histogram(deviation, np.linspace(-0.5, 0.5, round(1.0 / _TUNING_STEP) + 1))
    return float(edges[np.argmax(counts)])


def tempo_of_autocorrelation(autocorrelation: Float64, values_per_second: float, fastest: float) -> float:
    """The tempo (beats per minute, under `fastest`) whose lag stands out in an `autocorrelation` (lags,).

    A log-normal prior one octave wide around 120 decides between multiples (Ellis, "Beat tracking by dynamic
    programming", JNMR 36(1), 2007).
    """
    lags = np.arange(1, autocorrelation.size)
    tempos = 60.0 * values_per_second / lags
    prior = -0.5 * (np.log2(tempos) - math.log2(_PREFERRED_TEMPO)) ** 2
    prior[tempos >= fastest] = -np.inf
    return float(tempos[np.argmax(np.log1p(1e6 * autocorrelation[1:]) + prior)])


def _spectral_peaks(
    magnitudes: Float32, sample_rate: int, lowest: float, highest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies (Hz) and heights of the peaks, refined by parabolas (Smith, "Spectral Audio Signal Processing")."""
    bins = magnitudes.shape[0]
    frequencies = np.arange(bins) * sample_rate / (2 * (bins - 1))
    loud = magnitudes * (magnitudes > _PEAK_SHARE * magnitudes.max(axis=0))
    below, centre, above = loud[:-2], loud[1:-1], loud[2:]
    inside = ((lowest <= frequencies) & (frequencies < min(highest, sample_rate / 2)))[1:-1, np.newaxis]
    rows, columns = np.nonzero(inside & (centre > below) & (centre >= above))
    left, top, right = (magnitudes[rows + shift, columns].astype(np.float64) for shift in range(3))
    bend, slope = left + right - 2 * top, (right - left) / 2
    near = np.abs(slope) < np.abs(bend)  # else the parabola's top is farther than one bin
    shift = np.where(near, -slope / np.where(near, bend, 1.0), 0.0)
    pitches = (rows + 1 + shift) * sample_rate / (2 * (bins - 1))
    return pitches, top + 0.5 * slope * shift


def _octaves(frequencies: Float64, tuning: float = 0.0) -> Float64:
    """Octaves above 27.5 Hz (A0) at a tuning in semitones."""
    return np.asarray(np.log2(frequencies / (_A440 * 2.0 ** (tuning / 12.0) / 16.0)))


def _hz_to_mel(frequency: float) -> float:
    if frequency < _LOG_FROM:
        return frequency / _LINEAR_MEL
    return _LOG_FROM / _LINEAR_MEL + math.log(frequency / _LOG_FROM) / _LOG_STEP


def _mel_to_hz(mels: Float64) -> Float64:
    first_log = _LOG_FROM / _LINEAR_MEL
    return np.where(mels >= first_log, _LOG_FROM * np.exp(_LOG_STEP * (mels - first_log)), mels * _LINEAR_MEL)
