from __future__ import annotations

import numpy as np
import pytest

from soundalike.audio.level import rms_level


def test_a_full_scale_sine_is_3_db_below_full_scale() -> None:
    tone = np.sin(2 * np.pi * np.arange(8_000) / 80).astype(np.float32)
    assert rms_level(tone) == pytest.approx(-3.01, abs=0.01)
    assert rms_level(tone / 10) == pytest.approx(rms_level(tone) - 20, abs=1e-3)
    assert rms_level(np.ones(5, dtype=np.float32)) == 0


def test_silence_and_no_samples_have_no_level() -> None:
    assert rms_level(np.zeros(5, dtype=np.float32)) == -np.inf
    assert rms_level(np.zeros(0, dtype=np.float32)) == -np.inf


def test_long_sounds_are_measured_precisely() -> None:
    samples = np.random.default_rng(0).standard_normal(10_000_000, dtype=np.float32)
    exact = 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))
    assert rms_level(samples) == pytest.approx(exact, abs=1e-3)
