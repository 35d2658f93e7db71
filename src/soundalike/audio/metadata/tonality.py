"""Key estimation from audio: a chroma correlated with published key profiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from soundalike.audio.excerpt_selection import middle_excerpt
from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.metadata.keys import Key, Mode
from soundalike.audio.spectral import chroma_filters, estimate_tuning, magnitude_spectrogram
from soundalike.audio.waveform import resample

# Albrecht & Shanahan, "The use of large corpora to train a new type of key-finding algorithm", Music
# Perception 31(1), 2013: mean shares of the pitch classes above the tonic in 982 pieces.
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)

_ANALYSED = 90.0  # s from the middle of the recording
_SHORTEST = 1.0  # s; shorter sounds have no key
_RATE = 11_025
_FRAME, _HOP = 4096, 2048  # 2.7 Hz per bin: semitones are resolved from 50 Hz on
_CENTRE_OCTAVE, _OCTAVES = 4.0, 1.5  # the chroma's Gaussian weight over pitch, around A4 (octaves above A0)
_WEAKEST = 0.3  # correlation below which there is no key
_TUNING_FRAMES = 60


def estimate_key(mono: NDArray[np.float32], sample_rate: int) -> Estimate:
    """The key of mono samples (samples,), such as "A minor"; None for silence, unpitched sounds and less than 1 s.

    The chroma of the middle 90 s (amplitudes, frames of 0.37 s, tuned) is correlated with the 24 profiles.

    Confidence is the best correlation (0..1) times its margin over the best key that is no neighbour on the circle of
    fifths (relatives and fifths are always similar), in units of 0.2, at most 1.
    """
    excerpt = middle_excerpt(mono, sample_rate, _ANALYSED)
    if excerpt.size < _SHORTEST * sample_rate or not excerpt.any():
        return Estimate(None, 0.0)
    chroma = mean_chroma(resample(excerpt, sample_rate, _RATE))
    if not chroma.any() or float(chroma.std()) < 1e-6:
        return Estimate(None, 0.0)
    scores = _correlations(chroma)
    best = int(np.argmax(scores))
    if scores[best] < _WEAKEST:
        return Estimate(None, 0.0)
    key = _key(best)
    rivals = [scores[i] for i in range(24) if not key.compatible(_key(i))]
    margin = min(1.0, float(scores[best] - max(rivals)) / 0.2)
    return Estimate(str(key), round(max(0.0, float(scores[best]) * margin), 3))


def mean_chroma(mono: NDArray[np.float32]) -> NDArray[np.float64]:
    """The share of each pitch class, C first, (12,), of mono samples at 11025 Hz; zeros for silence."""
    magnitudes = magnitude_spectrogram(mono, _FRAME, _HOP)
    step = max(1, magnitudes.shape[1] // _TUNING_FRAMES)
    tuning = estimate_tuning(magnitudes[:, ::step], _RATE, 100.0, 2000.0)
    filters = chroma_filters(_RATE, _FRAME, tuning=tuning, centre_octave=_CENTRE_OCTAVE, octave_width=_OCTAVES)
    filters[:, : round(50.0 * _FRAME / _RATE)] = 0.0
    chroma = filters @ np.sqrt(magnitudes)
    mean = chroma.mean(axis=1)
    total = float(mean.sum())
    return np.asarray(mean / total if total > 0 else np.zeros(12), dtype=np.float64)


def _correlations(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """(24,): Pearson correlation with the major keys from C up, then the minor ones."""
    rows = np.array([np.roll(profile, root) for profile in (_MAJOR, _MINOR) for root in range(12)])
    rows = rows - rows.mean(axis=1, keepdims=True)
    centred = chroma - chroma.mean()
    return np.asarray(rows @ centred / (np.linalg.norm(rows, axis=1) * np.linalg.norm(centred)), dtype=np.float64)


def _key(index: int) -> Key:
    mode: Mode = "major" if index < 12 else "minor"
    return Key(index % 12, mode)
