"""Synthetic sounds that are the same everywhere, on which models are compared without recordings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


def clip(seconds: float, rate: int, seed: int, gain: float = 1.0) -> Float32:
    """A mono sound (samples,) with peak `gain`; consecutive seeds give sounds of different kinds.

    Kinds by the remainder of the seed: chords, drum-like bursts, coloured noise, chirps, all of them together.
    Deterministic; with another rate or length the same seed gives a similar sound, not the same.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    count = round(seconds * rate)
    kinds = (_chords, _drums, _noise, _chirps)
    kind = seed % (len(kinds) + 1)
    chosen = kinds if kind == len(kinds) else (kinds[kind],)
    sound: Float64 = np.zeros(count)
    for make in chosen:
        sound += _peak(make(count, rate, random))
    return (gain * _peak(sound)).astype(np.float32)


def _peak(sound: Float64) -> Float64:
    return sound / max(float(np.abs(sound).max(initial=0.0)), 1e-9)


def _place(
    count: int, rate: int, every: float, random: np.random.Generator, make: Callable[[Float64], Float64]
) -> Float64:
    """A sound that `make` returns for times (n,) in seconds, about every `every` seconds, with random strength."""
    sound: Float64 = np.zeros(count)
    length = min(count, round(1.5 * rate))
    start = 0
    while start < count:
        part = make(np.arange(min(length, count - start)) / rate)
        sound[start : start + len(part)] += random.uniform(0.3, 1.0) * part
        start += round(every * rate * random.uniform(0.7, 1.3)) + 1
    return sound


def _chords(count: int, rate: int, random: np.random.Generator) -> Float64:
    """Four decaying notes at a time, with six partials each."""

    def chord(time: Float64) -> Float64:
        notes = 110 * 2 ** (random.integers(0, 30, 4) / 12)
        partials = notes[:, None] * np.arange(1, 7)
        tones = np.sin(2 * np.pi * partials[..., None] * time) / np.arange(1, 7)[None, :, None]
        return np.asarray(tones.sum(axis=(0, 1)) * np.exp(-time / random.uniform(0.1, 0.8)))

    return _place(count, rate, random.uniform(0.3, 0.9), random, chord)


def _drums(count: int, rate: int, random: np.random.Generator) -> Float64:
    """Falling sines and short noise, with silence in between."""

    def hit(time: Float64) -> Float64:
        thump = np.sin(2 * np.pi * (50 * time + 8 * (1 - np.exp(-time / 0.03)))) * np.exp(-time / 0.1)
        noise = np.diff(random.standard_normal(len(time) + 1)) * np.exp(-time / random.uniform(0.01, 0.06))
        share = random.uniform()
        return np.asarray(share * thump + (1 - share) * noise)

    return _place(count, rate, random.uniform(0.12, 0.4), random, hit)


def _noise(count: int, rate: int, random: np.random.Generator) -> Float64:
    """Noise with a random spectral slope and a changing level."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / rate), 20.0)
    coloured = np.fft.irfft(spectrum * (frequency / 1000) ** random.uniform(-1.2, 0.3), n=count)
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * random.uniform(0.2, 2.0) * np.arange(count) / rate)
    return np.asarray(coloured * swell)


def _chirps(count: int, rate: int, random: np.random.Generator) -> Float64:
    """Sweeps between 80 Hz and a third of the rate, up and down."""

    def sweep(time: Float64) -> Float64:
        low, high = 80 * (rate / 240) ** random.uniform(0, 1, 2)
        phase = low * time + (high - low) * time**2 / (2 * max(float(time[-1]), 1e-3))
        return np.asarray(np.sin(2 * np.pi * phase) * np.exp(-2 * time))

    return _place(count, rate, random.uniform(0.5, 1.2), random, sweep)
