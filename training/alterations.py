"""What producers do to a sound: pitch, equaliser, saturation, decay, room; and its level. Mono float32 at 32 kHz, deterministic
in `rng`."""

from __future__ import annotations

import numpy as np
import scipy
import soxr
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

RATE = 32_000


def rms(samples: Float32) -> float:
    """The root mean square; 0 where there are no samples."""
    return float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0


def pitched(samples: Float32, semitones: float) -> Float32:
    """Played faster or slower, as a sampler does."""
    if abs(semitones) < 0.01 or len(samples) < 64:
        return samples
    return np.asarray(soxr.resample(samples, RATE * 2 ** (semitones / 12), RATE, quality="LQ"), dtype=np.float32)


def equalised(samples: Float32, rng: np.random.Generator, decibels: float) -> Float32:
    """Through a smooth random curve of about +-`decibels`."""
    count = scipy.fft.next_fast_len(len(samples) + 512, real=True)
    points = np.log2([40, 120, 350, 1000, 3000, 9000, 15000])
    gains = rng.normal(0, decibels / 1.6, len(points)) + rng.normal(0, decibels / 8) * np.arange(len(points))
    frequency = np.log2(np.maximum(scipy.fft.rfftfreq(count, 1 / RATE), 20))
    curve = 10 ** (np.interp(frequency, points, np.clip(gains, -2 * decibels, 2 * decibels)) / 20)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(samples, count) * curve, count)[: len(samples)], dtype=np.float32)


def saturated(samples: Float32, drive: float) -> Float32:
    """Through a soft clipper; drive 1 bends peaks, 8 is heavy distortion."""
    peak = max(float(np.abs(samples).max(initial=0)), 1e-9)
    return np.asarray(np.tanh(samples * (drive / peak)), dtype=np.float32)


def shortened(samples: Float32, seconds: float) -> Float32:
    """With an exponential envelope of 20 dB in `seconds`."""
    fall = np.exp(np.float32(-2.303 / (seconds * RATE)) * np.arange(len(samples), dtype=np.float32))
    return samples * fall


def in_room(samples: Float32, rng: np.random.Generator) -> Float32:
    """With a short decaying noise as a room, 6 to 20 dB below."""
    length = round(rng.uniform(0.08, 0.5) * RATE)
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    wet = scipy.signal.fftconvolve(samples, tail)[: len(samples)]
    level = np.sqrt(np.mean(samples**2) / max(float(np.mean(wet**2)), 1e-12)) * 10 ** (-rng.uniform(6, 20) / 20)
    return np.asarray(samples + level * wet, dtype=np.float32)


def new_sound(samples: Float32, rng: np.random.Generator, semitones: float) -> Float32:
    """Another sound of the same kind, so that there are more sounds than recordings."""
    samples = pitched(samples, float(rng.uniform(-semitones, semitones)))
    if rng.random() < 0.4:
        samples = shortened(samples, float(np.exp(rng.uniform(np.log(0.05), np.log(0.8)))))
    if rng.random() < 0.6:
        samples = equalised(samples, rng, 8)
    if rng.random() < 0.3:
        samples = saturated(samples, float(np.exp(rng.uniform(0, 2))))
    return samples


def altered(samples: Float32, rng: np.random.Generator) -> Float32:
    """The sound as a producer may have used it: a listener still recognises it."""
    if rng.random() < 0.6:
        samples = pitched(
            samples, float(rng.choice([-2, -1, 1, 2])) if rng.random() < 0.7 else float(rng.normal(0, 0.6))
        )
    if rng.random() < 0.4:
        samples = saturated(samples, float(np.exp(rng.uniform(0, 2))))
    if rng.random() < 0.6:
        samples = equalised(samples, rng, 5)
    if rng.random() < 0.25:
        samples = in_room(samples, rng)
    if rng.random() < 0.2:
        samples = shortened(samples, float(np.exp(rng.uniform(np.log(0.1), np.log(0.8)))))
    return samples


def faded(samples: Float32) -> Float32:
    """With an end that fades for 20 ms."""
    fade = min(len(samples), RATE // 50)
    samples = samples.copy()
    samples[len(samples) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return samples
