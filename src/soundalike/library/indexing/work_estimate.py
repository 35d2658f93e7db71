"""How long files will take: for the number of workers that pays, and for the rate and the time left that are shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from soundalike.library.indexing.scanned_file import ScannedFile

SECONDS_PER_FILE = 0.01
"""Of one core, for the shortest one-shot, with the built-in models."""

BYTES_PER_SECOND = 4_000_000
"""Of one core, for lossy formats; files without compression are faster for each byte, so their time is overestimated."""

SECONDS_PER_WORKER = 2.0
"""A worker process costs .7 to .9 s of processor time before its first file: it pays with this much work."""

WINDOW_SECONDS = 60.0
"""The rate is that of so many seconds before."""

_SAMPLE_SECONDS = 0.25


def work_of(found: ScannedFile) -> float:
    """Estimated seconds of one core for a file."""
    return SECONDS_PER_FILE + found.size / BYTES_PER_SECOND


def useful_workers(files: Iterable[ScannedFile], *, slowness: float = 1.0) -> int:
    """How many worker processes pay for these files, at least 1. slowness: how many times as long the models take."""
    return max(1, int(slowness * sum(map(work_of, files)) / SECONDS_PER_WORKER))


@dataclass(frozen=True)
class _Sample:
    seconds: float
    done: int
    work: float
    audio_seconds: float


@dataclass(frozen=True)
class Rate:
    """files, audio_seconds: per second; seconds_left: until all is done."""

    files: float
    audio_seconds: float
    seconds_left: float


class RateMeter:
    """Measures the rate from the first result on, so that the start of the workers does not count.

    total: the estimated work of all files, in any unit.
    """

    def __init__(self, total: float) -> None:
        self._total = total
        self._done, self._work = 0, 0.0
        self._samples: deque[_Sample] = deque()

    def add(self, work: float, audio_seconds: float, seconds: float) -> None:
        """Record one more finished file. audio_seconds: analysed so far in all; seconds: the time now."""
        self._done += 1
        self._work += work
        if len(self._samples) > 1 and seconds - self._samples[-2].seconds < _SAMPLE_SECONDS:
            self._samples.pop()
        self._samples.append(_Sample(seconds, self._done, self._work, audio_seconds))
        while len(self._samples) > 2 and seconds - self._samples[1].seconds >= WINDOW_SECONDS:
            self._samples.popleft()

    def rate(self) -> Rate | None:
        """The rate between the first and the last result within the window; None while there is only one."""
        if len(self._samples) < 2:
            return None
        first, last = self._samples[0], self._samples[-1]
        seconds = last.seconds - first.seconds
        if seconds <= 0:
            return None
        return Rate(
            files=(last.done - first.done) / seconds,
            audio_seconds=(last.audio_seconds - first.audio_seconds) / seconds,
            seconds_left=max(0.0, self._total - self._work) * seconds / (last.work - first.work),
        )
