"""What is mistaken for a voice: synthesised leads with glides and vibrato, and wind that whistles; LENGTH samples each."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from benchmarks.separator_sounds import SCALE, noise_track
from training.alterations import RATE
from training.separator_examples import LENGTH, placed

Float32 = NDArray[np.float32]
Rng = np.random.Generator

HARMONICS, TOP = 40, 14_000.0
"""Of a lead at most; Hz above which there are none."""


def lead(rng: Rng) -> Float32:
    """A melody of one synthesised voice: harmonics under a low-pass filter that follows each note, or a slow wave."""
    time = np.arange(LENGTH) / RATE
    pitch, since = _melody(rng)
    pitch *= 2 ** (rng.uniform(0, 0.5) / 12 * np.sin(2 * np.pi * rng.uniform(4, 7) * time))
    phase = np.cumsum(pitch) / RATE
    slope, odd = float(rng.uniform(0.5, 1.6)), rng.random() < 0.35
    cutoff = float(np.exp(rng.uniform(np.log(500), np.log(9000))))
    if rng.random() < 0.5:
        cutoff = cutoff * (1 + rng.uniform(0, 4) * np.exp(-since / rng.uniform(0.05, 0.6)))
    else:
        cutoff = cutoff * 2 ** (rng.uniform(0, 1.5) * np.sin(2 * np.pi * rng.uniform(0.1, 6) * time))
    out = np.zeros(LENGTH)
    for number in range(1, HARMONICS + 1, 2 if odd else 1):
        if number * pitch.min() > TOP:
            break
        gain = number**-slope / np.sqrt(1 + (number * pitch / cutoff) ** 4) * (number * pitch < TOP)
        out += gain * np.sin(2 * np.pi * number * phase)
    attack, decay = float(rng.choice([0.003, 0.01, 0.05])), float(rng.choice([0.3, 1.0, 20.0]))
    out *= np.minimum(1, since / attack) * np.exp(-since / decay)
    return np.asarray(placed(out.astype(np.float32), rng, "residuals").mean(axis=0), np.float32)


def _melody(rng: Rng) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The pitch (Hz) of each sample, gliding from note to note, and the seconds since its note began."""
    base, beat = float(np.exp(rng.uniform(np.log(120), np.log(800)))), float(rng.uniform(0.1, 0.6))
    glide = max(1, round(rng.uniform(0.003, 0.15) * RATE))
    notes, since, start = np.zeros(LENGTH), np.zeros(LENGTH), 0
    while start < LENGTH:
        length = min(LENGTH - start, round(beat * float(rng.choice([0.5, 1, 1, 2, 4])) * RATE))
        notes[start : start + length] = float(rng.choice(SCALE))
        since[start : start + length] = np.arange(length) / RATE
        start += length
    smooth = scipy.ndimage.uniform_filter1d(notes, glide, mode="nearest")
    return base * 2 ** (smooth / 12), since


def wind(rng: Rng) -> Float32:
    """Noise in one to four narrow bands that drift, over a broad one."""
    out = np.zeros(LENGTH)
    for _ in range(int(rng.integers(1, 5))):
        centre = np.exp(_drift(rng, np.log(200), np.log(4000)))
        width = float(np.exp(rng.uniform(np.log(15), np.log(300))))
        low_pass = scipy.signal.butter(2, width, fs=RATE, output="sos")
        noise = scipy.signal.sosfilt(low_pass, rng.standard_normal((2, LENGTH)))
        phase = 2 * np.pi * np.cumsum(centre) / RATE
        band = noise[0] * np.cos(phase) - noise[1] * np.sin(phase)
        out += band / max(float(band.std()), 1e-9) * np.exp(_drift(rng, -2.5, 0.0))
    broad = noise_track(rng)
    out += broad / max(float(broad.std()), 1e-9) * rng.uniform(0.1, 1.5)
    return out.astype(np.float32)


def _drift(rng: Rng, low: float, high: float) -> NDArray[np.float64]:
    """A slow random curve between two values."""
    points = rng.uniform(low, high, int(rng.integers(4, 20)))
    curve = scipy.interpolate.PchipInterpolator(np.linspace(0, LENGTH, len(points)), points)
    return np.asarray(curve(np.arange(LENGTH)))
