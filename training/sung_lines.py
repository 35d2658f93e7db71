"""Sung and spoken lines from recorded speech (`sources.SPEECH`), so that the separator knows voices.

The vocoder WORLD (Morise et al. 2016; the package `pyworld`) takes speech apart into pitch, spectral envelope and noise. A line
is put together again with vowels as long as notes, a melody with glides and vibrato for the pitch, and an envelope that is wider
or narrower, which makes the singer smaller or larger. Above 8 kHz, where the recordings end, is a mirror image (`voices.played`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from training.voices import SCALES, SECONDS, played

Float32 = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]
Rng = np.random.Generator

RATE, FRAME = 16_000, 0.005
"""Of the recordings (Hz); seconds between two frames of the vocoder."""
FOLDER = "usr/share/festival/voices/russian/msu_ru_nsh_clunits"
LINES_EACH = 3
"""Lines made from each recorded sentence."""
VOWELS = frozenset(["a", "aa", "ay", "ae", "ee", "e", "i", "ii", "oo", "o", "u", "uu", "ur", "y", "yy"])
PAUSES = frozenset(("pau", "#"))
SPOKEN, FEMALE, TUNED = 0.2, 0.55, 0.25
"""Shares of the lines that are spoken, that have the range of a woman, and that have neither glides nor vibrato."""


@dataclass(frozen=True)
class Speech:
    """One sentence: pitch (frames,) in Hz, 0 where unvoiced; natural logarithm of the envelope and share of noise (frames, bins);
    sounds: begin and end (s) and name of each."""

    pitch: Floats
    envelope: Float32
    noise: Float32
    sounds: list[tuple[float, float, str]]


def lines(packages: Path, seed: int, first: int = 0, last: int | None = None) -> Iterator[tuple[str, Float32]]:
    """(name, samples at 32 kHz) of `LINES_EACH` lines from each recorded sentence. packages: where festvox-ru is unpacked."""
    recordings = sorted((packages / FOLDER / "wav").glob("*.wav"))
    for number, path in list(enumerate(recordings))[first:last]:
        speech = analyse(path)
        for index in range(LINES_EACH):
            yield f"{path.stem} {index}", line(speech, np.random.default_rng([20 + seed, number, index]))


def analyse(path: Path) -> Speech:
    """A recorded sentence, taken apart; its sounds are those of the file of labels beside it."""
    import pyworld

    samples, rate = soundfile.read(path)
    pitch, times = pyworld.dio(samples, rate, f0_floor=60, f0_ceil=400)
    pitch = pyworld.stonemask(samples, pitch, times, rate)
    envelope = np.log(pyworld.cheaptrick(samples, pitch, times, rate) + 1e-16)
    noise = pyworld.d4c(samples, pitch, times, rate)
    sounds, before = [], 0.0
    for row in (path.parent.parent / "lab" / f"{path.stem}.lab").read_text(encoding="latin1").splitlines():
        fields = row.split()
        if len(fields) == 3 and fields[0] != "#":
            sounds.append((before, float(fields[0]), fields[2]))
            before = float(fields[0])
    return Speech(pitch, envelope.astype(np.float32), noise.astype(np.float32), sounds)


def line(speech: Speech, rng: Rng) -> Float32:
    """A line of `voices.SECONDS` at 32 kHz."""
    import pyworld

    woman = rng.random() < FEMALE
    size = float(rng.uniform(1.08, 1.3) if woman else rng.uniform(0.85, 1.08))
    spoken = rng.random() < SPOKEN
    positions, wanted = _score(speech, rng, woman, spoken)
    place = np.clip(positions, 0, len(speech.pitch) - 1)
    before = np.floor(place).astype(int)
    after, share = np.minimum(before + 1, len(speech.pitch) - 1), (place - before)[:, None].astype(np.float32)
    envelope = speech.envelope[before] * (1 - share) + speech.envelope[after] * share
    noise = speech.noise[before] * (1 - share) + speech.noise[after] * share
    voiced = speech.pitch[np.round(place).astype(int)] > 0
    pitch = wanted if spoken else _sung(wanted, rng) * voiced
    pitch = np.where(pitch > 0, np.clip(pitch, 60, 900), 0.0)
    samples = pyworld.synthesize(
        np.ascontiguousarray(pitch),
        np.ascontiguousarray(np.exp(_stretched(envelope, size).astype(np.float64))),
        np.ascontiguousarray(
            np.clip(_stretched(noise, size) * rng.uniform(0.8, 1.3), 1e-3, 1 - 1e-3).astype(np.float64)
        ),
        RATE,
        1000 * FRAME,
    )
    samples = _compressed(samples, rng)
    needed = round(SECONDS * RATE) + 2000
    return played(np.pad(samples, (0, max(0, needed - len(samples))))[:needed], 1.0, rng)


def _score(speech: Speech, rng: Rng, woman: bool, spoken: bool) -> tuple[Floats, Floats]:
    """For each frame of the line which frame of the speech it is, and its pitch in Hz: 0 in pauses, -1 where the notes before and
    after decide."""
    scale = SCALES[int(rng.integers(len(SCALES)))]
    root = float(rng.uniform(170, 300) if woman else rng.uniform(85, 165))
    beat, degree = float(rng.uniform(0.25, 0.6)), int(rng.integers(len(scale)))
    mean = float(np.exp(np.log(speech.pitch[speech.pitch > 0]).mean()))
    number = int(rng.integers(0, max(1, len(speech.sounds) - 20)))
    needed, total = int(SECONDS / FRAME), 0
    positions, pitches = [], []
    while total < needed:
        begin, end, name = speech.sounds[number % len(speech.sounds)]
        number += 1
        length = len(np.arange(begin, end, FRAME))
        if not length:
            continue
        if name in PAUSES:
            short = spoken or rng.random() < 0.6
            count = max(1, int((min(end - begin, 0.3) if short else beat * rng.integers(1, 4)) / FRAME))
            place, pitch = np.linspace(begin, end, count) / FRAME, np.zeros(count)
        elif spoken:
            place = np.linspace(begin, end, max(2, int(length * rng.uniform(0.8, 1.1)))) / FRAME
            pitch = speech.pitch[np.clip(np.round(place).astype(int), 0, len(speech.pitch) - 1)] * root / mean
        elif name in VOWELS:
            beats = float(rng.choice([0.5, 1, 1, 1, 2, 3], p=[0.25, 0.3, 0.2, 0.1, 0.1, 0.05]))
            count = max(int(beat * beats / FRAME), length)
            place = (begin + (end - begin) * np.linspace(0, 1, count) ** rng.uniform(0.6, 1.2)) / FRAME
            if rng.random() < 0.85:
                degree = int(np.clip(degree + rng.integers(-2, 3), 0, 2 * len(scale) - 1))
            octave, step = divmod(degree, len(scale))
            note = root * 2 ** (octave + scale[step] / 12)
            pitch = np.full(count, note / 2 if note > (700 if woman else 400) else note)
            if rng.random() < 0.12:  # two notes on one syllable
                pitch[count // 2 :] *= 2 ** (float(rng.choice([-2, 2, 3, -3])) / 12)
        else:
            count = max(1, int(length * rng.uniform(0.8, 1.3)))
            place, pitch = np.linspace(begin, end, count) / FRAME, np.full(count, -1.0)
        positions.append(place)
        pitches.append(pitch)
        total += len(place)
    return np.concatenate(positions)[:needed], np.concatenate(pitches)[:needed]


def _sung(notes: Floats, rng: Rng) -> Floats:
    """The pitch of notes, carried through what is between them, with glides and vibrato."""
    known = np.flatnonzero(notes > 0)
    logarithm = (
        np.interp(np.arange(len(notes)), known, np.log(notes[known])) if len(known) else np.full(len(notes), 5.0)
    )
    if rng.random() >= TUNED:
        half = max(1, int(rng.uniform(0.02, 0.09) / FRAME))
        window = np.hanning(2 * half + 1)
        logarithm = np.convolve(np.pad(logarithm, half, "edge"), window / window.sum(), "valid")
        time = np.arange(len(notes)) * FRAME
        depth = float(rng.uniform(0, 0.6)) if rng.random() < 0.8 else 0.0
        swell = 0.3 + 0.7 * np.abs(np.sin(1.7 * time))
        vibrato = np.sin(2 * np.pi * rng.uniform(5, 6.5) * time + rng.uniform(0, 6)) * swell
        logarithm = logarithm + depth / 12 * np.log(2) * vibrato
        logarithm = logarithm + 8e-5 * np.cumsum(rng.standard_normal(len(notes)))
    return np.asarray(np.exp(logarithm))


def _stretched(values: Float32, factor: float) -> Float32:
    """Values (frames, bins) at `factor` times their frequencies."""
    source = np.minimum(np.arange(values.shape[1]) / factor, values.shape[1] - 1)
    below = np.floor(source).astype(int)
    above, share = np.minimum(below + 1, values.shape[1] - 1), (source - below).astype(np.float32)
    return np.asarray(values[:, below] * (1 - share) + values[:, above] * share, np.float32)


def _compressed(samples: Floats, rng: Rng) -> Float32:
    """Quiet syllables louder, by a random amount; without clicks of the vocoder."""
    level = np.sqrt(np.convolve(samples**2, np.ones(800) / 800, "same") + 1e-9)
    middle = float(np.median(level[level > 0.05 * level.max()]))
    louder = samples * (level / middle) ** -rng.uniform(0, 0.6)
    most = 50 * float(np.std(louder))
    return np.clip(louder, -most, most).astype(np.float32)
