"""How audio is cut into segments: pieces that are decoded, or separated, at once. Nothing else cuts audio.

A segment is long enough to be efficient and short enough to fit in memory, whatever the length of the file. Windows are
grouped into segments; around what is to be separated comes the context that the separator needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.audio import decode
from soundalike.audio.offset import remove_offset
from soundalike.audio.waveform import Waveform, resample, to_channels
from soundalike.errors import AudioError
from soundalike.models.separators import Separator, StemFiles
from soundalike.parts import MIX

Float32 = NDArray[np.float32]
Times = NDArray[np.float64]

SEGMENT_SECONDS = 600.0
"""Songs are decoded this many seconds at a time, so that memory is bounded whatever their length."""


@dataclass(frozen=True)
class Segment:
    """Decoded audio that begins `offset` s into its file."""

    waveform: Waveform
    offset: float

    @property
    def end(self) -> float:
        """Where it ends, in seconds of the file."""
        rate = self.waveform.sample_rate
        return (round(self.offset * rate) + int(self.waveform.samples.shape[1])) / rate

    def crop(self, start: float, end: float) -> Segment:
        """The seconds `start` to `end` of the file, as far as the segment holds them."""
        rate = self.waveform.sample_rate
        first = max(0, round((start - self.offset) * rate))
        last = max(first, round((end - self.offset) * rate))
        return Segment(Waveform(self.waveform.samples[:, first:last], rate), self.offset + first / rate)


@dataclass(frozen=True)
class SeparatedSegment:
    """Mono stems (samples,) by part, `mix` always among them, of a segment that begins `offset` s into its file."""

    stems: dict[str, Float32]
    sample_rate: int
    offset: float


@dataclass(frozen=True)
class Separation:
    """What a segment is separated into, and by what.

    separator: None if only the mix is wanted; parts: those wanted; recipe_parts: all that the recipe has; sample_rate: Hz
    of the stems; removes_offset: whether what is decoded loses its offset (see `audio.offset`).
    """

    separator: Separator | StemFiles | None
    parts: tuple[str, ...]
    recipe_parts: tuple[str, ...]
    sample_rate: int
    removes_offset: bool = False

    @property
    def context(self) -> float:
        """Seconds of audio that the separator needs either side of what it separates."""
        return self.separator.context if isinstance(self.separator, Separator) else 0.0

    @property
    def segment_seconds(self) -> float:
        """Seconds that can be separated at once, without context."""
        return self.separator.segment_seconds if isinstance(self.separator, Separator) else SEGMENT_SECONDS

    def prepared(self, waveform: Waveform) -> Waveform:
        """A decoded waveform as models get it."""
        return remove_offset(waveform) if self.removes_offset else waveform

    def separate(self, path: Path, segment: Segment) -> SeparatedSegment:
        """The parts and the mix of a segment of the file at `path`. A part without a true stem is all zeros."""
        waveform, rate = segment.waveform, self.sample_rate
        stems = {MIX: resample(waveform.mono(), waveform.sample_rate, rate)}
        wanted = [part for part in self.parts if part != MIX]
        if not wanted or self.separator is None:
            return SeparatedSegment(stems, rate, segment.offset)
        if isinstance(self.separator, Separator):
            parts = separate_waveform(self.separator, waveform, wanted)
        else:
            parts = self.separator.read(path, segment.offset, waveform.duration, wanted, among=self.recipe_parts)
            parts = {part: self.prepared(stem) for part, stem in parts.items()}
        silence = np.zeros(round(waveform.duration * rate), dtype=np.float32)
        for part in wanted:
            stem = parts.get(part)
            stems[part] = silence if stem is None else resample(stem.mono(), stem.sample_rate, rate)
        return SeparatedSegment(stems, rate, segment.offset)


@dataclass(frozen=True)
class Segmenter:
    """The segments of one file.

    duration: seconds that the file is taken to last; whole: all of it, if it has been decoded already.
    """

    path: Path
    duration: float
    separation: Separation
    whole: Segment | None = None

    def decoded(self, starts: Times, ends: Times) -> Iterator[tuple[slice, Segment]]:
        """Segments with the windows (starts, ends in s) that each contains; the last one reaches to the file's end."""
        if self.whole is not None:
            yield slice(0, len(starts)), self.whole
            return
        for windows in group_windows(starts, ends, SEGMENT_SECONDS):
            end = self.duration if windows.stop == len(starts) else float(ends[windows][-1])
            yield windows, self._read(float(starts[windows][0]), end)

    def separated(
        self, starts: Times, ends: Times, *, within: Segment | None = None, gap: float = np.inf, audible: float = 0.0
    ) -> Iterator[tuple[slice, SeparatedSegment]]:
        """Separated segments with the windows that each contains.

        within: the decoded segment that holds the windows (None: they are read from the file); gap: windows further
        apart than these seconds are separated apart, and nothing of what is between them; audible: segments of which no
        sample reaches this amplitude are left out, without being separated.
        """
        source = within or self.whole
        for windows in group_windows(starts, ends, self.separation.segment_seconds, gap):
            start, end = float(starts[windows][0]), float(ends[windows][-1])
            if source is None:
                segment = self._read(start, end)
            else:
                context = self.separation.context
                segment = source.crop(start - context, end + context)
            if segment.waveform.stays_below(audible):
                continue
            yield windows, self.separation.separate(self.path, segment)

    def stems(self, start: float, end: float) -> dict[str, Float32]:
        """The stems and the mix (samples,) of the seconds `start` to `end`, joined from as many segments as needed."""
        edges = np.arange(start, end, self.separation.segment_seconds)
        pieces = []
        for begin, finish in zip(edges, [*edges[1:], end], strict=True):
            for _, segment in self.separated(np.array([begin]), np.array([finish])):
                first = round((begin - segment.offset) * segment.sample_rate)
                last = first + round((finish - begin) * segment.sample_rate)
                pieces.append({part: stem[first:last] for part, stem in segment.stems.items()})
        return {part: np.concatenate([piece[part] for piece in pieces]) for part in pieces[0]}

    def _read(self, start: float, end: float) -> Segment:
        """The seconds `start` to `end`, decoded with the separator's context around them."""
        first = max(0.0, start - self.separation.context)
        last = min(self.duration, end + self.separation.context)
        return Segment(self.separation.prepared(decode.read(self.path, first, last - first)), first)


def read_beginning(path: Path, duration: float) -> Waveform:
    """The first segment of a file that is `duration` s long by its header: all of it, if that is at most
    `SEGMENT_SECONDS`."""
    return decode.read(path, 0.0, min(duration, SEGMENT_SECONDS) if duration > 0 else None)


def fits_one_segment(duration: float) -> bool:
    """Whether a file of `duration` s is decoded at once."""
    return duration <= SEGMENT_SECONDS


def read_segments(
    path: Path, start: float = 0.0, end: float | None = None, *, seconds: float, values: int
) -> Iterator[Segment]:
    """A file from `start` to `end` (s; None: up to its actual end, whatever its header states), one segment after the other.

    A segment has at most `seconds` and at most `values` samples times channels. Raises AudioError if nothing can be
    decoded.
    """
    info = decode.probe(path)
    longest = min(seconds, max(1.0, values / (info.sample_rate * info.channels)))
    position = start
    while end is None or position < end:
        wanted = longest if end is None else min(longest, end - position)
        try:
            waveform = decode.read(path, position, wanted)
        except AudioError:
            if position > start:  # the file ended just where the last segment did, or is damaged from here on
                return
            raise
        segment = Segment(waveform, position)
        yield segment
        position = segment.end
        if waveform.duration < wanted - 1.5 / waveform.sample_rate:
            return


def separate_waveform(separator: Separator, waveform: Waveform, parts: Sequence[str]) -> dict[str, Waveform]:
    """The stems of `parts` (without `mix`) of a waveform, mono, at the separator's rate."""
    mixture = resample(to_channels(waveform.samples, separator.channels), waveform.sample_rate, separator.sample_rate)
    stems = separator.separate(mixture)
    return {part: Waveform(to_channels(stems[part], 1), separator.sample_rate) for part in parts}


def group_windows(starts: Times, ends: Times, seconds: float, gap: float = np.inf) -> Iterator[slice]:
    """Slices of consecutive windows that span at most `seconds` (a single window may span more) and are at most `gap` s
    apart."""
    first = 0
    for index in range(1, len(starts) + 1):
        if index == len(starts) or ends[index] - starts[first] > seconds or starts[index] - ends[index - 1] > gap:
            yield slice(first, index)
            first = index
