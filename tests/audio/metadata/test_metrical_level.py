"""Which level of a rhythm is the beat: features of known autocorrelations, and made-up songs of known tempo."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from soundalike.audio.metadata.metrical_level import (
    FEATURES,
    RANGES,
    WEIGHTS,
    Levels,
    candidate_tempos,
    choose_tempo,
    onset_density,
)

PER_SECOND = 100.0


def pulse(period: float, seconds: float = 4.0) -> NDArray[np.float64]:
    """An autocorrelation (lags,) that is 1 at multiples of a period (s), else 0."""
    lags = np.arange(round(seconds * PER_SECOND)) / PER_SECOND
    return np.asarray(np.abs(lags / period - np.round(lags / period)) * period < 0.5 / PER_SECOND, dtype=np.float64)


def levels(density: float, **periods: float) -> Levels:
    return Levels({"all": pulse(0.5), **{name: pulse(periods[name]) for name in RANGES}}, density, PER_SECOND)


def test_features_of_a_pulse_at_120() -> None:
    found = levels(8.0, low=1.0, middle=2.0, high=0.25).features(120.0)
    values = dict(zip(FEATURES, found, strict=True))
    assert len(WEIGHTS) == len(FEATURES)
    assert (values["all at 1 beats"], values["all at 2 beats"], values["all at 0.5 beats"]) == (1.0, 1.0, 0.0)
    assert (values["low at 1 beats"], values["low at 2 beats"]) == (0.0, 1.0)
    assert (values["high at 1 beats"], values["high at 0.5 beats"], values["high at 0.25 beats"]) == (1.0, 1.0, 0.0)
    assert (values["tempo"], values["density"]) == (0.0, 2.0)
    assert values["density squared"] == 4.0


def test_lags_beyond_the_end_count_as_zero() -> None:
    values = dict(zip(FEATURES, levels(4.0, low=1.0, middle=1.0, high=1.0).features(50.0), strict=True))
    assert values["all at 4 beats"] == 0.0
    assert all(math.isfinite(value) for value in values.values())


def test_the_choice_is_among_the_candidates_and_follows_the_density() -> None:
    sparse = choose_tempo(86.0, levels(1.5, low=0.7, middle=1.4, high=0.7))
    dense = choose_tempo(86.0, levels(12.0, low=0.7, middle=1.4, high=0.175))
    assert {sparse, dense} <= set(candidate_tempos(86.0))
    assert dense > sparse


def test_a_metronome_has_the_tempo_of_its_clicks() -> None:
    """Nothing lies between its beats, unlike in the songs that the weights were fitted to."""
    for period in (0.4, 0.5, 0.75):
        clicks = Levels(dict.fromkeys(("all", *RANGES), pulse(period)), 1 / period, PER_SECOND)
        assert choose_tempo(60 / period, clicks) == pytest.approx(60 / period)


def test_candidates_are_between_50_and_200() -> None:
    assert candidate_tempos(120.0) == pytest.approx([60.0, 80.0, 90.0, 96.0, 120.0, 150.0, 160.0, 180.0])
    assert candidate_tempos(20.0) == [20.0]


def test_onsets_are_counted() -> None:
    strength = np.zeros(1000, dtype=np.float32)
    strength[20::50] = 1.0
    assert onset_density(strength, PER_SECOND) == pytest.approx(2.0)
    assert onset_density(np.zeros(1000, dtype=np.float32), PER_SECOND) == 0.0
