"""Which of the levels of a rhythm is the beat: an autocorrelation has peaks at the beat, its multiples and its parts.

Candidates are simple ratios of the strongest tempo. Each is scored by a weighted sum of features: the autocorrelations of the
onset strength in several frequency ranges at the beat, at multiples and parts of it (a kick and a snare that alternate repeat
every two beats), the tempo, and how many onsets there are for each beat. Music with many onsets for a beat is heard at a
faster level (Peeters and Flocon-Cholet, "Perceptual tempo estimation using GMM-regression", MIRUM 2012). The weights were
fitted by `python -m benchmarks.tempo_and_key_fit`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

RANGES: dict[str, tuple[float, float]] = {"low": (0.0, 160.0), "middle": (160.0, 1500.0), "high": (2500.0, math.inf)}
"""Frequency ranges (Hz) of onset strengths; `all` is the whole range."""

RATIOS = (1 / 2, 2 / 3, 3 / 4, 4 / 5, 1, 5 / 4, 4 / 3, 3 / 2, 2)
_SLOWEST, _FASTEST = 50.0, 200.0

_CORRELATIONS = (
    *(("all", beats) for beats in (1.0, 2.0, 4.0, 0.5, 0.25, 1.5, 3.0)),
    *(("low", beats) for beats in (1.0, 2.0, 0.5)),
    *(("middle", beats) for beats in (1.0, 2.0, 0.5)),
    *(("high", beats) for beats in (1.0, 0.5, 0.25)),
)
"""Features: the autocorrelation of the onset strength in a range at so many beats."""

FEATURES = (
    *(f"{name} at {beats:g} beats" for name, beats in _CORRELATIONS),
    "tempo",
    "tempo squared",
    "density",
    "density squared",
)
"""tempo: octaves above 120 BPM; density: binary logarithm of onsets for each beat."""

WEIGHTS: tuple[float, ...] = (
    *(1.621, 0.808, 2.279, 1.524, -2.193, 1.075, 0.890),
    *(-0.057, -0.651, 3.440),
    *(1.730, 0.590, 0.139),
    *(0.152, 2.497, 0.460),
    *(0.617, -1.957, -0.410, -1.207),
)

_LOCAL = 0.4  # s, over which the mean is taken that an onset must exceed
_APART = 0.08  # s
_EXACT, _AS_EXACTLY = 0.6, 0.95  # autocorrelation of what repeats exactly, and the share of it that is as exact
_SPARSEST = 0.2  # onsets per second
_SHARE = 0.25  # of the 99th percentile of the excess


@dataclass(frozen=True)
class Levels:
    """What decides which level is the beat.

    correlations: autocorrelation (lags,) of the onset strength by range, see `RANGES`; density: onsets per second;
    values_per_second: of the onset strength.
    """

    correlations: Mapping[str, NDArray[np.float64]]
    density: float
    values_per_second: float

    def features(self, tempo: float) -> list[float]:
        """The `FEATURES` of a candidate (BPM)."""
        beat = 60.0 * self.values_per_second / tempo
        octaves = math.log2(tempo / 120.0)
        onsets = math.log2(max(self.density, _SPARSEST) * 60.0 / tempo)
        values = [_near(self.correlations[name], beats * beat) for name, beats in _CORRELATIONS]
        return [*values, octaves, octaves**2, onsets, onsets**2]

    def repeat_in_half(self, tempo: float) -> bool:
        """Whether nothing tells the beats of a candidate (BPM) from what is halfway between them, in any range."""
        beat = 60.0 * self.values_per_second / tempo
        heard = [one for one in self.correlations.values() if one.any()]
        return all(_near(one, beat / 2) >= _AS_EXACTLY * max(_near(one, beat), _EXACT) for one in heard)


def choose_tempo(tempo: float, levels: Levels) -> float:
    """The level (BPM, 50..200) of a rhythm that is the beat; tempo: that of its strongest level.

    A rhythm that repeats after half a beat as exactly as after a beat, in all ranges (a metronome), has a faster beat.
    """
    candidates = candidate_tempos(tempo)
    candidates = [one for one in candidates if not levels.repeat_in_half(one)] or candidates
    scores = [float(np.dot(WEIGHTS, levels.features(one))) for one in candidates]
    return candidates[int(np.argmax(scores))]


def candidate_tempos(tempo: float) -> list[float]:
    """The levels of a rhythm whose strongest has this tempo (BPM)."""
    return [tempo * ratio for ratio in RATIOS if _SLOWEST <= tempo * ratio <= _FASTEST] or [tempo]


def onset_density(strength: NDArray[np.float32], values_per_second: float) -> float:
    """Onsets per second: peaks of the onset strength (values,) that exceed the local mean."""
    excess = strength - scipy.ndimage.uniform_filter1d(strength, 2 * round(_LOCAL / 2 * values_per_second) + 1)
    highest = scipy.ndimage.maximum_filter1d(strength, 2 * round(_APART / 2 * values_per_second) + 1)
    peaks = (strength == highest) & (excess > _SHARE * np.percentile(excess, 99))
    return float(np.count_nonzero(peaks)) * values_per_second / max(1, len(strength))


def _near(correlation: NDArray[np.float64], lag: float) -> float:
    """The largest value within one place of `lag`; 0 beyond the end."""
    place = round(lag)
    if place >= len(correlation) - 1:
        return 0.0
    return float(correlation[max(0, place - 1) : place + 2].max())
