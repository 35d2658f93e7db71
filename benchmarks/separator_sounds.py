"""Synthesised music with known drums, bass and residuals, to fit the built-in separator's masks.

Everything is synthesised from random numbers: there are no recordings, and no sound is shared with `soundalike.synth`,
whose songs evaluate the separator. Variety matters more than beauty: kicks that ring and basses that click, hats like
consonants, toms like plucked notes, quiet drums, no drums. `example` is deterministic.

Conventions: mono float32 at `SAMPLE_RATE`, `SECONDS` long; a random generator is always the first argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

Samples = NDArray[np.float32]
Rng = np.random.Generator
Item = TypeVar("Item")
Instrument = Callable[[float, float], Samples]
"""A function of frequency (Hz) and duration (s)."""
Steps = NDArray[np.bool_]
Kit = list[tuple[Samples, float, Steps]]
"""Sounds, each with its gain and the sixteen steps on which it plays."""

SAMPLE_RATE = 32000
SECONDS = 10.0
LENGTH = int(SAMPLE_RATE * SECONDS)
SCALE = (-5, -2, 0, 2, 3, 5, 7, 10, 12)


def example(seed: int) -> tuple[Samples, Samples, Samples]:
    """Drums, bass and residuals of one synthesised piece of music; any of them may be silent."""
    rng = np.random.default_rng(seed)
    beat = 60 / rng.uniform(65, 160)
    drums = level(rng, drum_track(rng, beat, random_kit), -16, 3, silent=0.06)
    bass = level(rng, bass_track(rng, beat), -10, 3, silent=0.15)
    rest = level(rng, accompaniment(rng, beat), -6, 3, silent=0.04)
    if rng.random() < 0.12:  # side-chain compression: everything but the drums ducks under each beat
        phase = (np.arange(LENGTH) / SAMPLE_RATE / beat) % 1
        duck = (1 - rng.uniform(0.3, 0.9) * np.exp(-phase * rng.uniform(2, 6))).astype(np.float32)
        bass, rest = bass * duck, rest * duck
    return drums, bass, rest


def drum_track(rng: Rng, beat: float, kit: Callable[[Rng], Kit]) -> Samples:
    """Sixteen-step patterns of one random kit, played with more or less timing jitter."""
    step = beat / 4
    out = np.zeros(LENGTH, np.float32)
    swing = rng.uniform(0, 0.33) if rng.random() < 0.3 else 0.0
    loose = rng.uniform(0, 0.006)
    for sound, gain, pattern in kit(rng):
        peak = gain * rng.uniform(0.3, 1.2) / (np.abs(sound).max() + 1e-9)
        for index in range(int(SECONDS / step)):
            if pattern[index % 16]:
                time = (index + swing * (index % 2)) * step + rng.normal() * loose
                _add_at(out, sound, time, peak * rng.uniform(0.5, 1))
    if rng.random() < 0.15:
        start = rng.integers(0, LENGTH)
        out[start : start + LENGTH // 2] = 0
    return _coloured(rng, out)


def random_kit(rng: Rng) -> Kit:
    """Kick, snare or clap and hat, each sometimes missing, and up to three more sounds."""
    kick, snare, hat = beat_steps(rng)
    make_snare = snare_sound if rng.random() < 0.7 else clap_sound
    kit = [
        (kick_sound(rng), 1.0, kick & (rng.random() < 0.9)),
        (make_snare(rng), 0.9, snare & (rng.random() < 0.85)),
        (hat_sound(rng), 0.45, hat & (rng.random() < 0.85)),
    ]
    for _ in range(rng.integers(0, 4)):
        make = pick(rng, (tom_sound, block_sound, cymbal_sound, hat_sound, clap_sound, kick_sound))
        kit.append((make(rng), 0.6, rng.random(16) < rng.uniform(0.05, 0.3)))
    return kit


def beat_steps(rng: Rng) -> tuple[Steps, Steps, Steps]:
    """The steps of kick, snare and hat in a random beat."""
    kick, snare, hat = np.zeros((3, 16), bool)
    kick[[0, 8]] = True
    if rng.random() < 0.35:
        kick[::4] = True
    kick |= rng.random(16) < rng.uniform(0, 0.25)
    snare[[4, 12]] = True
    snare |= rng.random(16) < rng.uniform(0, 0.1)
    hat[:: int(rng.choice([1, 2, 4]))] = True
    return kick, snare, hat


def kick_sound(rng: Rng) -> Samples:
    """A decaying sine that falls in pitch, with a click."""
    time = _time(rng.uniform(0.12, 0.7))
    fall = np.exp(-time / np.exp(rng.uniform(np.log(0.006), np.log(0.06))))
    frequency = rng.uniform(36, 80) + np.exp(rng.uniform(np.log(30), np.log(800))) * fall
    body = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE)
    body *= np.exp(-time / np.exp(rng.uniform(np.log(0.04), np.log(0.25))))
    click = rng.standard_normal(len(time)) * np.exp(-time / rng.uniform(0.001, 0.012))
    sound = np.tanh((body + rng.uniform(0, 0.6) * _band(click, rng.uniform(200, 3000), 15000)) * rng.uniform(0.5, 4))
    return _release(sound)


def tom_sound(rng: Rng) -> Samples:
    """A drum skin: three modes of a membrane that fall slightly in pitch, with a noisy attack."""
    time = _time(rng.uniform(0.2, 0.8))
    base = np.exp(rng.uniform(np.log(70), np.log(350)))
    decay = rng.uniform(0.05, 0.25)
    bend = 1 + rng.uniform(0, 0.4) * np.exp(-time / 0.04)
    sound = np.zeros(len(time))
    for ratio in (1.0, 1.59, 2.14):
        mode = np.sin(2 * np.pi * np.cumsum(base * ratio * bend) / SAMPLE_RATE)
        sound += rng.uniform(0.1, 1) / ratio * mode * np.exp(-time * ratio / decay)
    sound += rng.uniform(0, 0.8) * rng.standard_normal(len(time)) * np.exp(-time / rng.uniform(0.003, 0.03))
    return _release(sound)


def snare_sound(rng: Rng) -> Samples:
    """A short skin and a longer rattle."""
    time = _time(rng.uniform(0.1, 0.5))
    base = rng.uniform(140, 300) * (1 + rng.uniform(0, 0.6) * np.exp(-time / 0.02))
    phase = 2 * np.pi * np.cumsum(base) / SAMPLE_RATE
    skin = (np.sin(phase) + rng.uniform(0, 0.6) * np.sin(1.6 * phase)) * np.exp(-time / rng.uniform(0.02, 0.1))
    low = np.exp(rng.uniform(np.log(200), np.log(2500)))
    rattle = _band(rng.standard_normal(len(time)), low, rng.uniform(5000, 15500))
    rattle *= np.exp(-time / rng.uniform(0.025, 0.16))
    return _release(rng.uniform(0, 1) * skin + rng.uniform(0.3, 1.2) * rattle / (rattle.std() + 1e-9) * 0.3)


def clap_sound(rng: Rng) -> Samples:
    """Three or four bursts of noise close together, then a tail."""
    time = _time(rng.uniform(0.15, 0.4))
    envelope = 0.6 * np.exp(-time / rng.uniform(0.03, 0.12))
    for burst in range(rng.integers(2, 5)):
        since = time - burst * rng.uniform(0.007, 0.014)
        envelope += np.where(since >= 0, np.exp(-np.maximum(since, 0) / 0.004), 0)
    centre = np.exp(rng.uniform(np.log(700), np.log(2500)))
    return _release(_band(rng.standard_normal(len(time)), centre * 0.6, centre * rng.uniform(1.6, 5)) * envelope)


def hat_sound(rng: Rng) -> Samples:
    """High noise or inharmonic square waves, closed to half open; sometimes the slow attack of a shaker."""
    time = _time(rng.uniform(0.04, 0.6))
    noise = rng.standard_normal(len(time))
    metal = sum(np.sign(np.sin(2 * np.pi * f * time + rng.uniform(0, 6))) for f in rng.uniform(200, 9000, 6))
    mixed = _band(noise + rng.uniform(0, 1) * metal, np.exp(rng.uniform(np.log(2000), np.log(9000))), 15800)
    attack = rng.choice([0.0005, 0.0005, 0.02, 0.04])
    decay = np.exp(rng.uniform(np.log(0.012), np.log(0.25)))
    return _release(mixed * np.minimum(1, time / attack) * np.exp(-time / decay))


def cymbal_sound(rng: Rng) -> Samples:
    """Many inharmonic partials and noise with a long decay."""
    time = _time(rng.uniform(0.8, 2.5))
    noise = _band(rng.standard_normal(len(time)), rng.uniform(300, 3000), 15800)
    for frequency in np.exp(rng.uniform(np.log(300), np.log(12000), 12)):
        noise += rng.uniform(0, 0.3) * np.sin(2 * np.pi * frequency * time) * np.exp(-time * frequency / 4000)
    return _release(noise * np.exp(-time / rng.uniform(0.2, 1.0)))


def block_sound(rng: Rng) -> Samples:
    """Wood, bell or hand drum: a few inharmonic modes with a short decay."""
    time = _time(rng.uniform(0.06, 0.6))
    base = np.exp(rng.uniform(np.log(180), np.log(2500)))
    decay = np.exp(rng.uniform(np.log(0.012), np.log(0.15)))
    sound = rng.uniform(0, 0.5) * rng.standard_normal(len(time)) * np.exp(-time / 0.004)
    for ratio in np.concatenate([[1.0], rng.uniform(1.2, 6, rng.integers(1, 5))]):
        sound += np.sin(2 * np.pi * base * ratio * time) / ratio * np.exp(-time * ratio**0.5 / decay)
    return _release(sound)


def bass_track(rng: Rng, beat: float, recorded: Samples | None = None) -> Samples:
    """A line of low notes from a random instrument, or from one `recorded` note at different speeds."""
    root = np.exp(rng.uniform(np.log(32), np.log(75)))
    return _line(rng, beat, root, 1, recorded)


def accompaniment(rng: Rng, beat: float) -> Samples:
    """One to four layers of chords, melodies, voices, drones and noise."""
    out = np.zeros(LENGTH, np.float32)
    for _ in range(rng.integers(1, 5)):
        kind = rng.random()
        if kind < 0.62:
            layer = _line(rng, beat, np.exp(rng.uniform(np.log(90), np.log(900))), voices=int(rng.integers(1, 5)))
        elif kind < 0.85:
            layer = voice_track(rng, beat)
        elif kind < 0.93:
            layer = noise_track(rng)
        else:
            layer = np.tanh(5 * _line(rng, beat, rng.uniform(70, 180), voices=2))
        out += level(rng, layer, -10, 0)
    return out


def voice_track(rng: Rng, beat: float) -> Samples:
    """Gliding harmonics through moving formants, with fricative and plosive consonants."""
    out = np.zeros(LENGTH, np.float32)
    base, time = rng.uniform(90, 400), 0.0
    while time < SECONDS:
        length = beat * float(rng.choice([0.25, 0.5, 0.5, 1, 2]))
        if rng.random() < 0.8:
            clock = _time(max(0.06, length * rng.uniform(0.6, 1)))
            semitones = rng.choice(SCALE) + rng.uniform(-3, 3) * np.exp(-clock / 0.06)
            semitones = semitones + rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(4, 7) * clock)
            pulse = (np.cumsum(base * 2 ** (semitones / 12)) / SAMPLE_RATE) % 1 - 0.5
            vowel = sum(_band(pulse, f * 0.85, f * 1.18) for f in (rng.uniform(300, 800), rng.uniform(900, 2300), 2900))
            vowel = vowel * np.minimum(1, clock / rng.uniform(0.01, 0.06))
            _add_at(out, _release(vowel, 0.05), time, 1.0)
            if rng.random() < 0.6:
                hiss = _time(rng.uniform(0.03, 0.16))
                noise = _band(rng.standard_normal(len(hiss)), rng.uniform(1500, 6000), 15000)
                shape = np.sin(np.pi * np.linspace(0, 1, len(hiss))) if rng.random() < 0.6 else np.exp(-hiss / 0.02)
                _add_at(out, _release(noise * shape), max(0.0, time - 0.05), rng.uniform(0.02, 0.3))
        time += length
    return _coloured(rng, out)


def noise_track(rng: Rng) -> Samples:
    """Wind, hiss or a riser: noise with a drifting level."""
    noise = rng.standard_normal(LENGTH)
    low = np.exp(rng.uniform(np.log(50), np.log(4000)))
    drift = np.interp(np.arange(LENGTH), np.linspace(0, LENGTH, 8), rng.uniform(0.1, 1, 8))
    return (_band(noise, low, min(15800, low * rng.uniform(2, 30))) * drift).astype(np.float32)


def _line(rng: Rng, beat: float, root: float, voices: int, recorded: Samples | None = None) -> Samples:
    """Notes of one random instrument (or of one recorded note) in a repeated pattern, as chords of `voices` notes."""
    out = np.zeros(LENGTH, np.float32)
    play = _instrument(rng)
    if recorded is not None:
        note = recorded

        def play(frequency: float, duration: float) -> Samples:
            high = pitched(note, 12 * np.log2(frequency / root) - 2)
            return _release(high[: int(duration * SAMPLE_RATE)].astype(np.float64), 0.02)

    pattern = [(rng.random() < 0.75, int(rng.choice(SCALE)), float(rng.choice([0.5, 1, 1, 2]))) for _ in range(8)]
    unit = beat * float(rng.choice([0.25, 0.5, 0.5, 1, 2, 4]))
    gate, time, index = rng.uniform(0.4, 1.05), 0.0, 0
    made: dict[tuple[int, float], Samples] = {}
    while time < SECONDS:
        sounding, semitone, factor = pattern[index % 8]
        if sounding:
            if (semitone, factor) not in made:
                chord = [semitone + extra for extra in (0, 7, int(rng.choice([3, 4])), 12)[:voices]]
                parts = [play(root * 2 ** (s / 12), max(0.05, unit * factor * gate)) for s in chord]
                made[semitone, factor] = np.sum([p[: min(map(len, parts))] for p in parts], axis=0).astype(np.float32)
            _add_at(out, made[semitone, factor], time, rng.uniform(0.6, 1))
        time += unit * factor
        index += 1
    return _coloured(rng, out)


def _instrument(rng: Rng) -> Instrument:
    """A random instrument of one of seven kinds."""
    kind = str(rng.choice(["saw", "square", "sine", "fm", "pluck", "string", "piano"]))
    attack = float(rng.choice([0.001, 0.003, 0.01, 0.05, 0.2])) if kind not in ("pluck", "piano") else 0.002
    decay = float(rng.choice([0.1, 0.25, 0.6, 2, 20])) if kind not in ("pluck", "piano") else rng.uniform(0.15, 1.5)
    bright, glide = rng.uniform(1.5, 30), rng.uniform(0, 1) if rng.random() < 0.15 else 0.0
    index, ratio, stroke = rng.uniform(0.5, 5), float(rng.choice([1, 2, 3, 1.41])), rng.uniform(0, 0.3)
    detune, vibrato = rng.uniform(0, 0.01), rng.uniform(0, 0.006) if kind == "string" else 0.0

    def play(frequency: float, duration: float) -> Samples:
        time = _time(min(duration, SECONDS))
        pitch = 1 + glide * np.exp(-time / 0.05) + vibrato * np.sin(2 * np.pi * 5.5 * time)
        phase = np.cumsum(frequency * pitch) / SAMPLE_RATE + rng.random()
        if kind in ("saw", "string"):
            wave = (phase % 1) + (phase * (1 + detune) % 1) - 1
        elif kind == "square":
            wave = np.sign(np.sin(2 * np.pi * phase)) + np.sign(np.sin(2 * np.pi * phase * (1 + detune)))
        elif kind == "sine":
            wave = np.sin(2 * np.pi * phase)
        elif kind == "fm":
            wave = np.sin(2 * np.pi * phase + index * np.exp(-time / decay) * np.sin(2 * np.pi * ratio * phase))
        else:
            wave = np.zeros(len(time))
            for k in range(1, max(2, min(14, int(12000 / frequency)))):
                stretch = k * (1 + 0.0004 * k * k) ** 0.5 if kind == "piano" else k
                wave += np.sin(2 * np.pi * phase * stretch) / k ** (6 / bright + 0.7) * np.exp(-time * k**0.6 / decay)
            wave += stroke * rng.standard_normal(len(time)) * np.exp(-time / 0.008)
        if kind in ("saw", "square", "string"):
            cutoff = min(0.95, frequency * bright / (SAMPLE_RATE / 2))
            wave = sosfilt(butter(2, cutoff, output="sos"), wave)
        return _release(wave * np.minimum(1, time / attack) * np.exp(-time / decay), min(0.03, duration / 4))

    return play


def _coloured(rng: Rng, samples: Samples) -> Samples:
    """Samples with, sometimes, a room or saturation, and always a slight spectral tilt."""
    out = samples.astype(np.float64)
    if rng.random() < 0.35:
        time = _time(rng.uniform(0.2, 1.2))
        room = rng.standard_normal(len(time)) * np.exp(-time / rng.uniform(0.04, 0.3))
        room /= np.sqrt(np.sum(room**2))
        out = out + rng.uniform(0.05, 0.5) * fftconvolve(out, room)[: len(out)]
    if rng.random() < 0.2:
        out = np.tanh(out / (np.abs(out).max() + 1e-9) * rng.uniform(1, 6))
    tilt = rng.uniform(-0.5, 0.5)
    return np.asarray(lfilter([1.0, tilt], [1.0], out), np.float32)


def level(rng: Rng, samples: Samples, low: float, high: float, silent: float = 0.0) -> Samples:
    """`samples` at a random RMS of 0.1 and `low` to `high` dB; silence with probability `silent`."""
    power = float(np.mean(samples.astype(np.float64) ** 2))
    gain = 0.1 * 10 ** (rng.uniform(low, high) / 20) / np.sqrt(power) if power > 1e-12 else 0.0
    return (samples * (0.0 if rng.random() < silent else gain)).astype(np.float32)


def _time(duration: float) -> NDArray[np.float64]:
    return np.arange(max(1, int(duration * SAMPLE_RATE))) / SAMPLE_RATE


def _band(samples: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    nyquist = SAMPLE_RATE / 2
    edges = [max(20.0, low) / nyquist, min(0.98 * nyquist, max(high, low * 1.1)) / nyquist]
    return np.asarray(sosfilt(butter(1, edges, "bandpass", output="sos"), samples))


def _release(samples: NDArray[np.float64], seconds: float = 0.005) -> Samples:
    count = min(len(samples), int(seconds * SAMPLE_RATE))
    out = samples.astype(np.float32)
    out[len(out) - count :] *= np.linspace(1, 0, count, dtype=np.float32)
    return out


def _add_at(out: Samples, sound: Samples, time: float, gain: float) -> None:
    start = int(max(time, 0) * SAMPLE_RATE)
    count = min(len(sound), len(out) - start)
    if count > 0:
        out[start : start + count] += np.float32(gain) * sound[:count]


def pitched(samples: Samples, semitones: float) -> Samples:
    """`samples` resampled so that pitch and speed change together."""
    return np.asarray(soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE / 2 ** (semitones / 12)), np.float32)


def pick(rng: Rng, options: tuple[Item, ...]) -> Item:
    return options[int(rng.integers(len(options)))]
