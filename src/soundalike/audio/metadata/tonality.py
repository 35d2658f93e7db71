"""Key estimation from audio: how well each of the 24 keys fits a chroma, the bass and the chords."""

from __future__ import annotations

import functools

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.audio.excerpt_selection import middle_excerpt
from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.metadata.keys import Key
from soundalike.audio.spectral import chroma_filters, estimate_tuning, magnitude_spectrogram
from soundalike.audio.waveform import resample

# Albrecht & Shanahan, "The use of large corpora to train a new type of key-finding algorithm", Music
# Perception 31(1), 2013: mean shares of the pitch classes above the tonic in 982 pieces.
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)

KEYS: tuple[Key, ...] = (*(Key(root, "major") for root in range(12)), *(Key(root, "minor") for root in range(12)))
"""In the order of scores and features."""

FEATURES = ("profile", "root in the bass", "tonic chord", "minor")
"""profile: correlation of the shares of the pitch classes with those of the key; root in the bass: its share, 1 for the most
frequent pitch class; tonic chord: the share of frames whose best triad it is; minor: 1 for minor keys."""

WEIGHTS: tuple[float, ...] = (6.047, 1.134, 3.896, 0.881)
"""Of the features, fitted by `python -m benchmarks.tempo_and_key_fit`."""

_ANALYSED = 90.0  # s from the middle of the recording
_SHORTEST = 1.0  # s; shorter sounds have no key
_RATE = 11_025
_FRAME, _HOP = 4096, 2048  # 2.7 Hz per bin: semitones are resolved from 50 Hz on
_CENTRE_OCTAVE, _OCTAVES = 4.0, 1.5  # the chroma's Gaussian weight over pitch, around A4 (octaves above A0)
_WEAKEST = 0.3  # correlation below which there is no key
_TUNING_FRAMES = 60


_BASS = 180.0  # Hz, below
_LOWEST = 50.0  # Hz
_CHORD_FRAMES = 5  # that are averaged
_AUDIBLE = 0.1  # of the loudest frame's chroma


def estimate_key(mono: NDArray[np.float32], sample_rate: int) -> Estimate:
    """The key of mono samples (samples,), such as "A minor"; None for silence, unpitched sounds and less than 1 s.

    The chroma of the middle 90 s (amplitudes, frames of 0.37 s, tuned) is correlated with the 24 profiles; bass and chords
    help to decide between keys of similar scales. The key has the largest weighted sum of `FEATURES`.

    Confidence is its correlation (0..1) times the margin over the best correlation of a key that is no neighbour on the circle
    of fifths (relatives and fifths are always similar), in units of 0.2, at most 1, and 0 if that is larger.
    """
    chromas = _chromas(mono, sample_rate)
    if chromas is None:
        return Estimate(None, 0.0)
    features = _features(*chromas)
    correlations = features[:, FEATURES.index("profile")]
    if correlations.max() < _WEAKEST:
        return Estimate(None, 0.0)
    best = int(np.argmax(features @ np.array(WEIGHTS)))
    rivals = [correlations[i] for i, key in enumerate(KEYS) if not KEYS[best].compatible(key)]
    margin = min(1.0, float(correlations[best] - max(rivals)) / 0.2)
    return Estimate(str(KEYS[best]), round(max(0.0, float(correlations[best])) * max(0.0, margin), 3))


def key_features(mono: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64] | None:
    """(24, features): the `FEATURES` of each key; None where `estimate_key` has no estimate."""
    chromas = _chromas(mono, sample_rate)
    return None if chromas is None else _features(*chromas)


def mean_chroma(mono: NDArray[np.float32]) -> NDArray[np.float64]:
    """The share of each pitch class, C first, (12,), of mono samples at 11025 Hz; zeros for silence."""
    return _shares(_chroma_and_bass(mono)[0])


def _chromas(mono: NDArray[np.float32], sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """(12, frames): the chroma of a recording, and that of its bass; None for silence, unpitched and short sounds."""
    excerpt = middle_excerpt(mono, sample_rate, _ANALYSED)
    if excerpt.size < _SHORTEST * sample_rate or not excerpt.any():
        return None
    chroma, bass = _chroma_and_bass(resample(excerpt, sample_rate, _RATE))
    shares = _shares(chroma)
    return (chroma, bass) if shares.any() and float(shares.std()) >= 1e-6 else None


def _chroma_and_bass(mono: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(12, frames) each, C first, of mono samples at 11025 Hz."""
    magnitudes = magnitude_spectrogram(mono, _FRAME, _HOP)
    step = max(1, magnitudes.shape[1] // _TUNING_FRAMES)
    filters = _filters(estimate_tuning(magnitudes[:, ::step], _RATE, 100.0, 2000.0))
    amplitudes = np.sqrt(magnitudes)
    end = round(_BASS * _FRAME / _RATE)
    chroma, bass = filters @ amplitudes, filters[:, :end] @ amplitudes[:end]
    return np.asarray(chroma, dtype=np.float64), np.asarray(bass, dtype=np.float64)


@functools.lru_cache(maxsize=32)
def _filters(tuning: float) -> NDArray[np.float32]:
    filters = chroma_filters(_RATE, _FRAME, tuning=tuning, centre_octave=_CENTRE_OCTAVE, octave_width=_OCTAVES)
    filters[:, : round(_LOWEST * _FRAME / _RATE)] = 0.0
    return filters


def _shares(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """(12,): the share of each pitch class; zeros for silence."""
    mean = chroma.mean(axis=1)
    total = float(mean.sum())
    return np.asarray(mean / total if total > 0 else np.zeros(12), dtype=np.float64)


def _features(chroma: NDArray[np.float64], bass: NDArray[np.float64]) -> NDArray[np.float64]:
    """(24, features)."""
    lowest = _shares(bass)
    columns = (
        _correlations(_shares(chroma)),
        np.tile(lowest / max(float(lowest.max()), 1e-12), 2),
        _chord_shares(chroma),
        np.repeat([0.0, 1.0], 12),
    )
    return np.stack(columns, axis=1)


def _chord_shares(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """(24,): the share of the audible frames whose best triad is that on the root of each key."""
    major, minor = np.zeros(12), np.zeros(12)
    major[[0, 4, 7]] = minor[[0, 3, 7]] = 1.0
    triads = np.array([np.roll(triad, root) for triad in (major, minor) for root in range(12)])
    level = chroma.sum(axis=0)
    smooth = scipy.ndimage.uniform_filter1d(
        chroma / np.maximum(np.linalg.norm(chroma, axis=0), 1e-9), _CHORD_FRAMES, axis=1, mode="constant"
    )
    chords = np.argmax(triads @ smooth, axis=0)[level > _AUDIBLE * level.max()]
    return np.asarray(np.bincount(chords, minlength=24) / max(1, len(chords)), dtype=np.float64)


def _correlations(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(24,): Pearson correlation with the profiles of the keys in the order of `KEYS`."""
    rows = np.array([np.roll(profile, root) for profile in (_MAJOR, _MINOR) for root in range(12)])
    rows = rows - rows.mean(axis=1, keepdims=True)
    centred = shares - shares.mean()
    lengths = np.linalg.norm(rows, axis=1) * max(float(np.linalg.norm(centred)), 1e-12)
    return np.asarray(rows @ centred / lengths, dtype=np.float64)
