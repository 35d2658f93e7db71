"""A small encoder with text: sounds and words are compared by the energy in six frequency bands.

The geometry is that of real encoders: sounds and texts lie in separate cones (each has an axis that the other lacks), so
cosines between them are small, of both signs, and not centred on 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.analyser import Analysis
from soundalike.analysis.kinds import Kind
from soundalike.analysis.recipe import Recipe
from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library.indexing import analysis_tasks
from soundalike.models.encoders import ENCODERS, EncoderRow

Float32 = NDArray[np.float32]

NAME = "words"
EDGES = (0, 120, 300, 800, 2_000, 5_000, 11_025)
"""Hz: the bands that the words below name."""
WORDS = ("deep", "low", "full", "middle", "bright", "airy")


class WordEncoder:
    """Energy in six bands, without its mean, beside the axis of sounds; words point at bands, beside that of texts."""

    name = NAME
    version = "1"
    sample_rate = 22_050
    dimension = 8
    clip_seconds = None

    def embed(self, waveforms: Sequence[Float32]) -> Float32:
        rows = np.zeros((len(waveforms), 8), np.float32)
        for row, samples in zip(rows, waveforms, strict=True):
            if np.any(samples):
                power = np.abs(np.fft.rfft(samples)) ** 2
                hertz = np.fft.rfftfreq(len(samples), 1 / self.sample_rate)
                bands = np.sqrt([power[(hertz >= a) & (hertz < b)].sum() for a, b in pairwise(EDGES)])
                row[:6] = 0.6 * direction(bands)
                row[6] = 0.8
                row /= np.linalg.norm(row)
        return rows

    def embed_text(self, texts: Sequence[str]) -> Float32:
        rows = np.zeros((len(texts), 8), np.float32)
        for row, text in zip(rows, texts, strict=True):
            known = [WORDS.index(word) for word in text.split() if word in WORDS]
            if not known:
                raise InputError(f"{text!r} has none of the words {', '.join(WORDS)}")
            bands = np.zeros(6)
            bands[known] = 1
            row[:6] = 0.6 * direction(bands)
            row[7] = 0.8
            row /= np.linalg.norm(row)
        return rows


def direction(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """`bands` without their mean, at unit length."""
    centred = bands - bands.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-12))


ROW = EncoderRow(lambda runtime: WordEncoder(), "six bands and six words, for tests", "Apache-2.0", text=True)


def word_analyser(recipe: Recipe, runtime: Runtime) -> Callable[[tuple[str, Kind | None]], Analysis]:
    """`analysis_tasks.load_analyser` in a worker, where the encoder has to be entered in the table first."""
    ENCODERS[NAME] = ROW
    return analysis_tasks.load_analyser(recipe, runtime)


def write_sounds(folder: Path, sample_rate: int = 22_050) -> None:
    """Twelve one-shots, two a band, named by the band's word, each a tone that falls silent."""
    import soundfile

    folder.mkdir(parents=True)
    time = np.arange(sample_rate // 2) / sample_rate
    fall = np.exp(-8 * time)
    for word, low, high in zip(WORDS, EDGES[:-1], EDGES[1:], strict=True):
        for number, at in enumerate((0.4, 0.6)):
            hertz = low + at * (high - low)
            soundfile.write(folder / f"{word} {number}.wav", 0.5 * fall * np.sin(2 * np.pi * hertz * time), sample_rate)


def write_songs(folder: Path, sample_rate: int = 22_050) -> None:
    """Songs of 24 s: one of a deep bass alone, one that has other sounds in its first 10 s."""
    import soundfile

    folder.mkdir(parents=True)
    time = np.arange(24 * sample_rate) / sample_rate
    bass = 0.4 * np.sin(2 * np.pi * 60 * time)
    bright = np.where(time < 10, 0.2 * np.sin(2 * np.pi * 3_000 * time), 0)
    soundfile.write(folder / "bass alone.wav", bass, sample_rate)
    soundfile.write(folder / "bass and more.wav", bass + bright, sample_rate)
