"""Tempo: estimating it from sound, and comparing two tempi as musicians do."""

from __future__ import annotations

import math

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from soundalike.audio.excerpt_selection import middle_excerpt
from soundalike.audio.metadata.estimate import Estimate
from soundalike.audio.onsets import onset_strength
from soundalike.audio.spectral import tempo_of_autocorrelation
from soundalike.audio.waveform import resample

_HEARD = 90.0  # s listened to
_SHORTEST = 2.0  # s in which a tempo can be told
_RATE = 11_025
_HOP = 128  # 86 values a second
_SLOWEST, _FASTEST = 40.0, 240.0
_WINDOW, _WINDOW_STEP = 8.0, 2.0  # s of the windows whose autocorrelations are averaged
_LONGEST_LAG = 4.0  # s
_SHORTEST_LOOP, _LONGEST_LOOP = 0.3, 60.0  # s
_RELATIVES = (2.0, 0.5, 4 / 3, 3 / 4, 3 / 2, 2 / 3)
_CONVINCING = 0.3  # confidence from which a pulse that fits no length is believed all the same
# The 99th percentile of the onset strength: a drone has 0.03, wind 0.09, an orchestra 0.15, drums 0.5 and more.
_FAINTEST, _CLEAR = 0.05, 0.15
_WEAKEST = 0.1  # autocorrelation under which there is no pulse: white noise reaches some 0.05


def tempo_matches(tempo: float, low: float, high: float) -> bool:
    """Whether `tempo`, its half or its double lies within `low`..`high` (beats a minute, ends included)."""
    return any(low <= tempo * factor <= high for factor in (0.5, 1.0, 2.0))


def estimate_tempo(mono: NDArray[np.float32], sample_rate: int) -> Estimate:
    """The tempo of mono samples in beats a minute, 40..240; None for what has no pulse or lasts under 2 s.

    The onset strength of the middle 90 s is autocorrelated in windows of 8 s; librosa's `feature.tempo` picks
    the lag by its log-normal prior around 120; the pick is refined on its multiples, to some 0.1 %. Halves
    and doubles are the usual error, so compare with `tempo_matches`.

    Confidence is the autocorrelation at the pick (1: every beat is like the next, 0: no pulse) times the share of
    windows that repeat at the same lag, less where onsets are faint. A steady pulse gives 0.2 to 0.6 in real
    songs, a bare drum loop up to 1.
    """
    heard = middle_excerpt(mono, sample_rate, _HEARD)
    if heard.size < _SHORTEST * sample_rate or not heard.any():
        return Estimate(None, 0.0)
    strength = onset_strength(resample(heard, sample_rate, _RATE), _RATE, _HOP)
    clarity = float(np.percentile(strength, 99)) if strength.size else 0.0
    if clarity < _FAINTEST:
        return Estimate(None, 0.0)
    windows = _autocorrelations(strength, round(_WINDOW * _RATE / _HOP), round(_WINDOW_STEP * _RATE / _HOP))
    mean = np.maximum(windows.mean(axis=0), 0.0)
    lags = _with_multiples(mean)[: round(60.0 / _SLOWEST * _RATE / _HOP) + 1]
    lag = round(60.0 * _RATE / _HOP / tempo_of_autocorrelation(lags, _RATE / _HOP, _FASTEST))
    if not 0 < lag < lags.size or mean[lag] < _WEAKEST:
        return Estimate(None, 0.0)
    agreeing = float(np.mean(windows[:, lag - 1 : lag + 2].max(axis=1) > 0.5 * mean[lag]))
    confidence = min(1.0, float(mean[lag])) * agreeing * min(1.0, clarity / _CLEAR)
    return Estimate(round(60.0 * _RATE / _HOP / float(_refined(mean, lag)), 2), round(confidence, 3))


def loop_tempo(duration: float, estimate: Estimate) -> Estimate:
    """The tempo of a loop of `duration` s that is cut to 1, 2, 4, 8 ... beats, as loops are; `estimate` is its sound's.

    The length allows one tempo an octave. Confidence (set by hand) 0.9: the sound says the same, within 3 %; 0.6: the
    sound says 1/2, 2, 2/3, 3/2, 3/4 or 4/3 of it, the usual confusions, and the length decides; 0.4: the sound has no
    clear pulse, and the tempo within 85..170 is taken. A clear pulse that fits no length is left as it is.
    """
    if not _SHORTEST_LOOP <= duration <= _LONGEST_LOOP:
        return estimate
    allowed = [60.0 * 2**power / duration for power in range(8)]
    allowed = [tempo for tempo in allowed if _SLOWEST <= tempo <= _FASTEST]
    if isinstance(estimate.value, float):
        for ratios, confidence in (((1.0,), 0.9), (_RELATIVES, 0.6)):
            wanted = [estimate.value * ratio for ratio in ratios]
            near = [tempo for tempo in allowed if any(abs(tempo / one - 1.0) < 0.03 for one in wanted)]
            if near:
                usual_first = sorted(near, key=lambda tempo: abs(math.log2(tempo / 120.0)))
                return Estimate(round(usual_first[0], 2), confidence)
        if estimate.confidence >= _CONVINCING:
            return estimate
    usual = [tempo for tempo in allowed if 85.0 <= tempo < 170.0]
    return Estimate(round(usual[0], 2), 0.4) if usual else estimate


def _autocorrelations(strength: NDArray[np.float32], length: int, step: int) -> NDArray[np.float64]:
    """(windows, lags): the unbiased autocorrelation of each window, 1 at lag 0; windows without a sound left out."""
    centred = strength - strength.mean()
    length = min(length, centred.size)
    windows = np.lib.stride_tricks.sliding_window_view(centred, length)[::step]
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
    """Each lag's value and, at half the weight, those of its double: a beat repeats, a syncopation does not."""
    lags = np.arange(mean.size)
    doubled = np.where(2 * lags < mean.size, mean[np.minimum(2 * lags, mean.size - 1)], mean)
    return np.asarray((mean + 0.5 * doubled) / 1.5, dtype=np.float64)


def _refined(mean: NDArray[np.float64], lag: int) -> float:
    """`lag` to a fraction of a frame, from the peaks at its multiples 1, 2, 4, 8."""
    best = float(lag)
    for multiple in (1, 2, 4, 8):
        centre = round(best * multiple)
        near = np.arange(centre - 2, centre + 3)
        if near[0] < 1 or near[-1] >= mean.size - 1:
            break
        top = int(near[np.argmax(mean[near])])
        if mean[top] < 0.4 * mean[lag] or mean[top] < max(mean[top - 1], mean[top + 1]):
            break
        left, middle_, right = mean[top - 1 : top + 2]
        bend = left - 2 * middle_ + right
        best = (top + (0.5 * (left - right) / bend if bend < 0 else 0.0)) / multiple
    return best
