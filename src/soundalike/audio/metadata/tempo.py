"""Tempo: estimating it from audio, and comparing tempos up to factors of two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from soundalike.audio.excerpt_selection import middle_excerpt
from soundalike.audio.metadata import metrical_level
from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.onsets import onset_strengths
from soundalike.audio.spectral import tempo_of_autocorrelation
from soundalike.audio.waveform import resample

_ANALYSED = 90.0  # s from the middle of the recording
_SHORTEST = 2.0  # s; shorter sounds have no tempo
_RATE = 11_025
_HOP = 128  # 86 values per second
_SLOWEST, _FASTEST = 40.0, 240.0
_WINDOW, _WINDOW_STEP = 8.0, 2.0  # s of the windows whose autocorrelations are averaged
_LONGEST_LAG = 4.0  # s
_SHORTEST_LOOP, _LONGEST_LOOP = 0.3, 60.0  # s
LENGTH_AND_PULSE = 0.9
"""Confidence of a loop's tempo on which its length and its pulse agree."""

_RELATIVES = (2.0, 0.5, 4 / 3, 3 / 4, 3 / 2, 2 / 3)
_CONVINCING = 0.3  # confidence from which a tempo is kept although it does not fit the length
# 99th percentile of the onset strength: 0.03 for a drone, 0.09 for wind, 0.15 for an orchestra, 0.5 and more for drums.
_FAINTEST, _CLEAR = 0.05, 0.15
_CONSTANT = 1e-6  # standard deviation of an onset strength that has no onsets
_WEAKEST = 0.1  # autocorrelation below which there is no pulse: white noise reaches some 0.05


def tempo_matches(tempo: float, low: float, high: float) -> bool:
    """Whether `tempo`, half or double of it, is within `low`..`high` (BPM, bounds included)."""
    return any(low <= tempo * factor <= high for factor in (0.5, 1.0, 2.0))


def estimate_tempo(mono: NDArray[np.float32], sample_rate: int) -> Estimate:
    """The tempo of mono samples (samples,) in BPM, 40..240; None if there is no pulse or less than 2 s.

    The onset strength of the middle 90 s is autocorrelated in windows of 8 s; the lag is selected with
    librosa's log-normal prior around 120 BPM and refined on its multiples, to about 0.1 %. In 8 s and more,
    `metrical_level` then decides which of the levels of the rhythm is the beat. The usual error is a factor of two, so
    compare with `tempo_matches`.

    Confidence is the autocorrelation at the lag (1: every beat equals the next, 0: no pulse) times the share of
    windows that repeat at the same lag, reduced if onsets are weak. A steady pulse has 0.2 to 0.6 in real songs, a
    drum loop up to 1.
    """
    rhythm = find_rhythm(mono, sample_rate)
    if rhythm is None:
        return Estimate(None, 0.0)
    tempo = rhythm.tempo if rhythm.levels is None else metrical_level.choose_tempo(rhythm.tempo, rhythm.levels)
    return Estimate(round(tempo, 2), round(rhythm.confidence, 3))


@dataclass(frozen=True)
class Rhythm:
    """What repeats in a recording.

    tempo: of the strongest level, in BPM; confidence: as of `estimate_tempo`; levels: what decides which level is the beat,
    None for less than 8 s.
    """

    tempo: float
    confidence: float
    levels: metrical_level.Levels | None


def find_rhythm(mono: NDArray[np.float32], sample_rate: int) -> Rhythm | None:
    """The rhythm of mono samples (samples,); None where `estimate_tempo` has no estimate."""
    excerpt = middle_excerpt(mono, sample_rate, _ANALYSED)
    if excerpt.size < _SHORTEST * sample_rate or not excerpt.any():
        return None
    ranges = metrical_level.RANGES
    strength, *parts = onset_strengths(resample(excerpt, sample_rate, _RATE), _RATE, _HOP, tuple(ranges.values()))
    clarity = float(np.percentile(strength, 99)) if strength.size else 0.0
    if clarity < _FAINTEST:
        return None
    windows = _autocorrelations(strength)
    mean = np.maximum(windows.mean(axis=0), 0.0)
    lags = _with_multiples(mean)[: round(60.0 / _SLOWEST * _RATE / _HOP) + 1]
    lag = round(60.0 * _RATE / _HOP / tempo_of_autocorrelation(lags, _RATE / _HOP, _FASTEST))
    if not 0 < lag < lags.size or mean[lag] < _WEAKEST:
        return None
    agreeing = float(np.mean(windows[:, lag - 1 : lag + 2].max(axis=1) > 0.5 * mean[lag]))
    confidence = min(1.0, float(mean[lag])) * agreeing * min(1.0, clarity / _CLEAR)
    levels = None
    if strength.size >= _WINDOW * _RATE / _HOP:
        correlations = {"all": windows.mean(axis=0)}
        correlations |= {name: _mean_autocorrelation(part) for name, part in zip(ranges, parts, strict=True)}
        levels = metrical_level.Levels(correlations, metrical_level.onset_density(strength, _RATE / _HOP), _RATE / _HOP)
    return Rhythm(60.0 * _RATE / _HOP / float(_refined(mean, lag)), confidence, levels)


def loop_tempo(duration: float, estimate: Estimate) -> Estimate:
    """The tempo of a loop of `duration` s, assuming that it is cut to 1, 2, 4, 8 ... beats; `estimate`: from its audio.

    The length allows one tempo per octave. Confidence (set by hand) 0.9: the estimate agrees within 3 %; 0.6: it is 1/2,
    2, 2/3, 3/2, 3/4 or 4/3 of an allowed tempo, the usual errors, and the length decides; 0.4: there is no clear pulse,
    and the allowed tempo within 85..170 is used. A clear pulse that does not fit the length is kept.
    """
    if not _SHORTEST_LOOP <= duration <= _LONGEST_LOOP:
        return estimate
    allowed = [60.0 * 2**power / duration for power in range(8)]
    allowed = [tempo for tempo in allowed if _SLOWEST <= tempo <= _FASTEST]
    if isinstance(estimate.value, float):
        for ratios, confidence in (((1.0,), LENGTH_AND_PULSE), (_RELATIVES, 0.6)):
            candidates = [estimate.value * ratio for ratio in ratios]
            matching = [tempo for tempo in allowed if any(abs(tempo / one - 1.0) < 0.03 for one in candidates)]
            if matching:
                usual_first = sorted(matching, key=lambda tempo: abs(math.log2(tempo / 120.0)))
                return Estimate(round(usual_first[0], 2), confidence)
        if estimate.confidence >= _CONVINCING:
            return estimate
    usual = [tempo for tempo in allowed if 85.0 <= tempo < 170.0]
    return Estimate(round(usual[0], 2), 0.4) if usual else estimate


def _mean_autocorrelation(strength: NDArray[np.float32]) -> NDArray[np.float64]:
    """(lags,): the mean of `_autocorrelations`; zeros where nothing changes."""
    if float(strength.std()) < _CONSTANT:
        return np.zeros(1)
    return np.asarray(_autocorrelations(strength).mean(axis=0), dtype=np.float64)


def _autocorrelations(strength: NDArray[np.float32]) -> NDArray[np.float64]:
    """(windows, lags): the unbiased autocorrelation of each window, 1 at lag 0; silent windows are left out."""
    centred = strength - strength.mean()
    length = min(round(_WINDOW * _RATE / _HOP), centred.size)
    windows = np.lib.stride_tricks.sliding_window_view(centred, length)[:: round(_WINDOW_STEP * _RATE / _HOP)]
    size = scipy.fft.next_fast_len(2 * length, real=True)
    spectrum = scipy.fft.rfft(windows, size, axis=1)
    raw = scipy.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[
        :, : min(length * 3 // 4, round(_LONGEST_LAG * _RATE / _HOP))
    ]
    energy = raw[:, :1]
    raw = raw[energy[:, 0] > 1e-2 * energy.max()]
    overlap = 1.0 - np.arange(raw.shape[1]) / length
    return np.asarray(raw / raw[:, :1] / overlap, dtype=np.float64)


def _with_multiples(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each lag's value and, with half the weight, that of the double lag: a beat repeats, a syncopation does not."""
    lags = np.arange(mean.size)
    doubled = np.where(2 * lags < mean.size, mean[np.minimum(2 * lags, mean.size - 1)], mean)
    return np.asarray((mean + 0.5 * doubled) / 1.5, dtype=np.float64)


def _refined(mean: NDArray[np.float64], lag: int) -> float:
    """`lag` to a fraction of a frame, from the peaks at 1, 2, 4 and 8 times the lag."""
    best = float(lag)
    for multiple in (1, 2, 4, 8):
        centre = round(best * multiple)
        near = np.arange(centre - 2, centre + 3)
        if near[0] < 1 or near[-1] >= mean.size - 1:
            break
        peak = int(near[np.argmax(mean[near])])
        if mean[peak] < 0.4 * mean[lag] or mean[peak] < max(mean[peak - 1], mean[peak + 1]):
            break
        left, centre_value, right = mean[peak - 1 : peak + 2]
        curvature = left - 2 * centre_value + right
        best = (peak + (0.5 * (left - right) / curvature if curvature < 0 else 0.0)) / multiple
    return best
