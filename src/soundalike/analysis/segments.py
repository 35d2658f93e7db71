"""A stretch of a file, taken apart: its stems and mix, mono, at the encoder's rate.

One decode, one resampling a rate, and no separation where only the mix is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decode
from soundalike.audio.waveform import Waveform, resample, to_channels
from soundalike.models.separators import Separator, StemFiles
from soundalike.parts import MIX

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Stretch:
    """Mono stems (samples,) by part, `mix` always among them, of a stretch that begins `offset` s into its file."""

    stems: dict[str, Float32]
    sample_rate: int
    offset: float


@dataclass(frozen=True)
class Source:
    """A file to be taken apart.

    separator: None where only the mix is wanted; parts: those wanted; among: all that the recipe has; sample_rate: Hz of
    what comes out; most_seconds: how long a stretch may be where the separator sets no bound.
    """

    path: Path
    separator: Separator | StemFiles | None
    parts: tuple[str, ...]
    among: tuple[str, ...]
    sample_rate: int
    most_seconds: float

    @property
    def context(self) -> float:
        """Seconds of music that the separator wants either side of what it is to separate."""
        return self.separator.context if isinstance(self.separator, Separator) else 0.0

    @property
    def longest(self) -> float:
        """Seconds to be taken apart at a time."""
        return self.separator.segment_seconds if isinstance(self.separator, Separator) else self.most_seconds

    def decode(self, start: float, end: float, duration: float) -> tuple[Waveform, float]:
        """The native waveform from `start` to `end` (s) of the file, which lasts `duration`, with the separator's
        context around it, and the second it begins at."""
        begin = max(0.0, start - self.context)
        return decode.read(self.path, begin, min(duration, end + self.context) - begin), begin

    def read(self, start: float, end: float, duration: float) -> Stretch:
        """The stretch from `start` to `end`, decoded with its context and taken apart."""
        return self.take_apart(*self.decode(start, end, duration))

    def take_apart(self, waveform: Waveform, offset: float) -> Stretch:
        """The parts and the mix of a waveform that begins `offset` s into the file.

        A part of which there is no true stem (`StemFiles`) is all zeros.
        """
        rate = self.sample_rate
        found = {MIX: resample(waveform.mono(), waveform.sample_rate, rate)}
        wanted = [part for part in self.parts if part != MIX]
        if wanted and isinstance(self.separator, Separator):
            stems = separated(self.separator, waveform, wanted)
            found |= {part: resample(stem.mono(), stem.sample_rate, rate) for part, stem in stems.items()}
        elif wanted and isinstance(self.separator, StemFiles):
            files = self.separator.read(self.path, offset, waveform.duration, wanted, among=self.among)
            silence = np.zeros(round(waveform.duration * rate), dtype=np.float32)
            for part in wanted:
                stem = files.get(part)
                found[part] = silence if stem is None else resample(stem.mono(), stem.sample_rate, rate)
        return Stretch(found, rate, offset)


def separated(separator: Separator, waveform: Waveform, parts: Sequence[str]) -> dict[str, Waveform]:
    """The stems of `parts` (without `mix`) of a waveform, mono, at the separator's rate."""
    fed = resample(to_channels(waveform.samples, separator.channels), waveform.sample_rate, separator.sample_rate)
    stems = separator.separate(fed)
    return {part: Waveform(to_channels(stems[part], 1), separator.sample_rate) for part in parts}


def part_of(waveform: Waveform, start: float, end: float) -> tuple[Waveform, float]:
    """The seconds `start` to `end` of a waveform, as far as it holds them, and the second they begin at."""
    first = max(0, round(start * waveform.sample_rate))
    last = round(end * waveform.sample_rate)
    return Waveform(waveform.samples[:, first:last], waveform.sample_rate), first / waveform.sample_rate


def groups(
    starts: NDArray[np.float64], ends: NDArray[np.float64], seconds: float, gap: float = np.inf
) -> Iterator[slice]:
    """Slices of consecutive windows that span at most `seconds` (a single window may span more) and lie no more than
    `gap` s apart."""
    begin = 0
    for index in range(1, len(starts) + 1):
        if index == len(starts) or ends[index] - starts[begin] > seconds or starts[index] - ends[index - 1] > gap:
            yield slice(begin, index)
            begin = index
