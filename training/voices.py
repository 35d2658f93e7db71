"""Sung and spoken lines of flite's voices (permissive licence), so that the separator has heard consonants in music.

Each word of a sung line is spoken at the pitch of its note, longer than usual; then the line is played faster or slower,
which makes the singer smaller or larger, with vibrato. Above 8 kHz, where the voices end, is a quieter mirror image of what
is below.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from soundalike.synth.seeds import generator

Float32 = NDArray[np.float32]

RATE = 32_000
SECONDS = 14.0
VOICES = {"slt": 210.0, "awb": 120.0, "kal16": 105.0}
"""Those whose pitch can be set, with the pitch (Hz) at which they speak."""
SPOKEN = 0.25
"""Share of the lines that are spoken, as in rap."""
_TEXT = """
a all alone and around away baby back beat because before behind believe better black blue break bright broken burn
call can catch cause change chase city clear close cold come cry dance dark day deep desire did do door down dream
drive dust easy every eyes face fade faith fall far feel fight find fire flow fly follow forever free friend from gave
ghost girl give go gold gone good got hand hard have head hear heart heaven hello here high hold home hope hot how
hurt if inside into it just keep kiss know last late leave let lie life light like line listen little live lonely long
look lose lost love make maybe mind moment moon more move much music my name need never new night no nothing now of oh
on one only open over pain paper place play please power pretty promise pull push quiet radio rain reach ready
remember ride right river road rock roll run sad said same save say sea secret see shadow shake shine show silence
silver sing sister sky sleep slow smile so soft some song soul sound space speak stand star start stay step stop story
strange street strong such summer sun sweet take talk tell than that the then there these thing think this thousand
through time to together tonight touch town true trust try turn under until up us voice wait wake walk wall want war
watch water way we well what when where whisper who why wild will wind wish with woman wonder word world would yeah
yes yesterday you young your
"""
WORDS = _TEXT.split()
SCALES = ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11))


def lines(packages: Path, seed: int, count: int) -> Iterator[tuple[str, Float32]]:
    """(voice, samples at RATE) of `count` lines of about SECONDS. packages: where flite and libflite1 are unpacked."""
    with tempfile.TemporaryDirectory() as folder:
        flite = _Flite(packages, Path(folder) / "word.wav")
        for index in range(count):
            rng = generator("voice", seed, index)
            voice = str(rng.choice(list(VOICES)))
            yield voice, _line(flite, voice, rng)


class _Flite:
    """Speaks words by the program `flite`."""

    def __init__(self, packages: Path, path: Path) -> None:
        self._program, self._path = packages / "usr/bin/flite", path
        libraries = next((packages / "usr/lib").rglob("libflite.so*")).parent
        self._environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}

    def say(self, text: str, voice: str, pitch: float, stretch: float, spread: float) -> Float32:
        """Samples at 16 kHz. pitch, spread: mean and standard deviation of f0 in Hz; stretch: of durations."""
        settings = {
            "int_f0_target_mean": pitch,
            "int_f0_target_stddev": spread,
            "duration_stretch": stretch,
        }
        options = [text for name, value in settings.items() for text in ("--setf", f"{name}={value:.2f}")]
        command = [str(self._program), "-voice", voice, *options, "-t", text, str(self._path)]
        subprocess.run(command, check=True, env=self._environment, timeout=60, capture_output=True)
        samples, _ = soundfile.read(self._path, dtype="float32")
        return np.asarray(samples, np.float32)


def _line(flite: _Flite, voice: str, rng: np.random.Generator) -> Float32:
    speed = float(np.exp(rng.uniform(np.log(0.82), np.log(1.3))))
    needed = round(SECONDS * 16_000 * speed)
    line = np.zeros(needed + 16_000, np.float32)
    spoken = rng.random() < SPOKEN
    beat = float(rng.uniform(0.25, 0.6)) * 16_000 * speed
    scale, root = SCALES[int(rng.integers(len(SCALES)))], VOICES[voice] * 2 ** float(rng.uniform(-0.2, 0.9))
    at, degree = 0.0, int(rng.integers(len(scale)))
    while at < needed:
        if rng.random() < 0.15:
            at += beat * int(rng.integers(1, 5))
            continue
        word = str(rng.choice(WORDS))
        if spoken:
            sound = flite.say(
                word, voice, VOICES[voice] * float(rng.uniform(0.85, 1.2)), float(rng.uniform(0.7, 1)), 15
            )
        else:
            degree = int(np.clip(degree + rng.integers(-2, 3), 0, 2 * len(scale) - 1))
            octave, step = divmod(degree, len(scale))
            pitch = min(root * 2 ** (octave + scale[step] / 12) / 2, 620.0)
            sound = flite.say(word, voice, pitch, float(np.exp(rng.uniform(0, 1.2))), 2)
        heard = np.flatnonzero(np.abs(sound) > 0.02 * max(float(np.abs(sound).max()), 1e-6))
        sound = sound[heard[0] : heard[-1] + 1] if len(heard) else sound[:0]
        start = round(at)
        sound = sound[: len(line) - start]
        line[start : start + len(sound)] += sound * np.float32(rng.uniform(0.6, 1))
        at += max(1, -(-len(sound) // beat)) * beat
    return played(line[:needed], speed, rng)


def played(line: Float32, speed: float, rng: np.random.Generator) -> Float32:
    """A line at 16 kHz at RATE, `speed` times as fast, with vibrato and sound above 8 kHz."""
    wide = np.zeros(2 * len(line), np.float32)
    wide[::2] = line
    between = np.interp(np.arange(2 * len(line)) / 2, np.arange(len(line)), line)
    brightness = float(rng.uniform(0.05, 0.3))
    wide = (1 - brightness) * between + brightness * wide
    time = np.arange(round(SECONDS * RATE)) / RATE
    depth, rate = float(rng.uniform(0, 0.012)), float(rng.uniform(4.5, 6.5))
    position = speed * (time + depth / (2 * np.pi * rate) * np.sin(2 * np.pi * rate * time)) * RATE
    return np.interp(position, np.arange(len(wide)), wide).astype(np.float32)
