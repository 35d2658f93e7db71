"""What is struck, and what is only noise."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.analysis.attacks import SHORTEST, strongest_attack

RATE = 32_000


def noise(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=0.1, size=round(seconds * rate)).astype(np.float32)


def struck(seconds: float, rate: int = RATE, decay: float = 0.08) -> np.ndarray:
    """A burst of noise that decays, in the middle."""
    times = np.arange(round(seconds * rate)) / rate - seconds / 2
    return noise(seconds, rate) * np.where(times >= 0, np.exp(-np.maximum(times, 0) / decay), 0).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 24_000, 32_000, 48_000])
def test_a_struck_sound_has_an_attack_at_any_rate_and_level(rate: int) -> None:
    assert strongest_attack(struck(10, rate), rate) > 20
    assert strongest_attack(1e-3 * struck(10, rate), rate) == pytest.approx(
        strongest_attack(struck(10, rate), rate), abs=0.01
    )


@pytest.mark.parametrize("seed", range(5))
def test_noise_that_swells_has_none(seed: int) -> None:
    """As wind and rain, whose loudness wanders by 12 dB."""
    times = np.arange(10 * RATE) / RATE
    swell = 10 ** (6 * np.sin(2 * np.pi * 0.9 * times) / 20)
    assert strongest_attack(noise(10, seed=seed), RATE) < 5
    assert strongest_attack((noise(10, seed=seed) * swell).astype(np.float32), RATE) < 5


def test_the_attack_is_the_mean_rise_in_decibels() -> None:
    """Of noise that becomes 12 dB louder from one sample to the next, all bands rise by 12 dB, but for chance."""
    louder = noise(10)
    louder[5 * RATE :] *= 10 ** (12 / 20)
    assert strongest_attack(louder, RATE) == pytest.approx(12, abs=2.5)


def test_edges_and_quiet_moments_do_not_count() -> None:
    edge = noise(10)  # it begins and ends in full
    assert strongest_attack(edge, RATE) < 5
    quiet = noise(10)
    quiet[: 4 * RATE] = 0
    quiet[RATE : RATE + 400] = 1e-4 * noise(400 / RATE)  # 60 dB below the rest, which fades in
    fade = np.minimum(1, np.maximum(0, np.arange(len(quiet)) / RATE - 4) ** 2 / 4).astype(np.float32)
    fade[: 4 * RATE] = 1
    assert strongest_attack(quiet * fade, RATE) < 7


def test_silence_and_short_sounds() -> None:
    assert strongest_attack(np.zeros(10 * RATE, np.float32), RATE) == 0
    assert strongest_attack(noise(0.99 * SHORTEST), RATE) == np.inf
