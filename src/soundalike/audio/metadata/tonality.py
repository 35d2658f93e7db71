"""Key estimation from audio: how well each of the 24 keys fits a chroma, the bass and the chords."""

from __future__ import annotations

import functools
from dataclasses import dataclass

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

FEATURES = ("profile", "root in the bass", "tonic chord", "tonic chord first", "minor")
"""profile: correlation of the shares of the pitch classes with those of the key; root in the bass: its share, 1 for the most
frequent pitch class; tonic chord: the share of frames whose best triad it is; tonic chord first: cosine of the triad with the
chroma of the first 1.5 s that sound; minor: 1 for minor keys."""

WEIGHTS: tuple[float, ...] = (4.717, 1.561, 2.623, 23.532, 0.710)
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
_OPENING = 10.0  # s at the beginning in which the first chord is looked for
_FIRST_CHORD = 1.5  # s


@dataclass(frozen=True)
class _Chromas:
    """(12, frames) each, C first: of the excerpt, of its bass, and of the first `_OPENING` of the recording."""

    excerpt: NDArray[np.float64]
    bass: NDArray[np.float64]
    opening: NDArray[np.float64]


def estimate_key(mono: NDArray[np.float32], sample_rate: int) -> Estimate:
    """The key of mono samples (samples,), such as "A minor"; None for silence, unpitched sounds and less than 1 s.

    The chroma of the middle 90 s (amplitudes, frames of 0.37 s, tuned) is correlated with the 24 profiles; bass and chords,
    above all the first one, help to decide between keys of similar scales: music tends to begin on its tonic. The samples should
    therefore begin where the recording does. The key has the largest weighted sum of `FEATURES`.

    Confidence is its correlation (0..1) times the margin over the best correlation of a key that is not a neighbour on the circle
    of fifths (relatives and fifths are always similar), in units of 0.2, at most 1, and 0 if that is larger.
    """
    chromas = _chromas(mono, sample_rate)
    if chromas is None:
        return Estimate(None, 0.0)
    features = _features(chromas)
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
    return None if chromas is None else _features(chromas)


def _chromas(mono: NDArray[np.float32], sample_rate: int) -> _Chromas | None:
    """The chromas of a recording; None for silence, unpitched and short sounds."""
    excerpt = middle_excerpt(mono, sample_rate, _ANALYSED)
    if excerpt.size < _SHORTEST * sample_rate or not excerpt.any():
        return None
    magnitudes = magnitude_spectrogram(resample(excerpt, sample_rate, _RATE), _FRAME, _HOP)
    filters = _tuned_filters(magnitudes)
    chroma = _chroma(magnitudes, filters)
    shares = _shares(chroma)
    if not shares.any() or float(shares.std()) < 1e-6:
        return None
    bass_end = round(_BASS * _FRAME / _RATE)
    bass = _chroma(magnitudes[:bass_end], filters[:, :bass_end])
    if excerpt.size == mono.size:
        opening = chroma[:, : round(_OPENING * _RATE / _HOP)]
    else:
        beginning = resample(mono[: round(_OPENING * sample_rate)], sample_rate, _RATE)
        opening = _chroma(magnitude_spectrogram(beginning, _FRAME, _HOP), filters)
    return _Chromas(chroma, bass, opening)


def _chroma(magnitudes: NDArray[np.float32], filters: NDArray[np.float32]) -> NDArray[np.float64]:
    """(12, frames) of magnitudes (bins, frames) and filters (12, bins)."""
    return np.asarray(filters @ np.sqrt(magnitudes), dtype=np.float64)


def _tuned_filters(magnitudes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(12, bins), at the tuning of magnitudes (bins, frames)."""
    step = max(1, magnitudes.shape[1] // _TUNING_FRAMES)
    return _filters(estimate_tuning(magnitudes[:, ::step], _RATE, 100.0, 2000.0))


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


def _features(chromas: _Chromas) -> NDArray[np.float64]:
    """(24, features)."""
    lowest = _shares(chromas.bass)
    level = chromas.excerpt.sum(axis=0)
    faintest = _AUDIBLE * float(level.max())
    columns = (
        _correlations(_shares(chromas.excerpt)),
        np.tile(lowest / max(float(lowest.max()), 1e-12), 2),
        _chord_shares(chromas.excerpt, level > faintest),
        _first_chord(chromas.opening, faintest),
        np.repeat([0.0, 1.0], 12),
    )
    return np.stack(columns, axis=1)


@functools.cache
def _triads() -> NDArray[np.float64]:
    """(24, 12): the unit vector of the triad on the root of each key."""
    major, minor = np.zeros(12), np.zeros(12)
    major[[0, 4, 7]] = minor[[0, 3, 7]] = 3**-0.5
    return np.array([np.roll(triad, root) for triad in (major, minor) for root in range(12)])


def _chord_shares(chroma: NDArray[np.float64], audible: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(24,): the share of the audible frames whose best triad is that on the root of each key."""
    smooth = scipy.ndimage.uniform_filter1d(
        chroma / np.maximum(np.linalg.norm(chroma, axis=0), 1e-9), _CHORD_FRAMES, axis=1, mode="constant"
    )
    chords = np.argmax(_triads() @ smooth, axis=0)[audible]
    return np.asarray(np.bincount(chords, minlength=24) / max(1, len(chords)), dtype=np.float64)


def _first_chord(opening: NDArray[np.float64], faintest: float) -> NDArray[np.float64]:
    """(24,): cosine of the triad on the root of each key with the first frames louder than `faintest`; zeros if none is."""
    sounding = np.flatnonzero(opening.sum(axis=0) > faintest)
    if not sounding.size:
        return np.zeros(24)
    first = opening[:, sounding[0] : sounding[0] + round(_FIRST_CHORD * _RATE / _HOP)].sum(axis=1)
    return np.asarray(_triads() @ first / max(float(np.linalg.norm(first)), 1e-12), dtype=np.float64)


def _correlations(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(24,): Pearson correlation with the profiles of the keys in the order of `KEYS`."""
    rows = np.array([np.roll(profile, root) for profile in (_MAJOR, _MINOR) for root in range(12)])
    rows = rows - rows.mean(axis=1, keepdims=True)
    centred = shares - shares.mean()
    lengths = np.linalg.norm(rows, axis=1) * max(float(np.linalg.norm(centred)), 1e-12)
    return np.asarray(rows @ centred / lengths, dtype=np.float64)
