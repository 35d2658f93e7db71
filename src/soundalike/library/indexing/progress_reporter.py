"""How far an indexing run is, and when that is reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from soundalike.library.indexing.index_report import IndexReport, Progress
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.indexing.work_estimate import RateMeter, work_of

OnProgress = Callable[[Progress], None]

PROGRESS_SECONDS = 1.0
"""Progress is reported at least so often while files are being analysed."""


class ProgressReporter:
    """Counts the files of a run and reports its progress. The run begins when this is made.

    on_progress: called with each report; report: of the run, for the audio that was analysed; current: returns the name of the
    file that is being analysed, None if there is none.
    """

    def __init__(self, on_progress: OnProgress | None, report: IndexReport, current: Callable[[], str | None]) -> None:
        self._on_progress, self._report, self._current = on_progress, report, current
        self._begin = time.monotonic()
        self._last = 0.0
        self._total = 0
        self._meter = RateMeter(0.0)
        self.done = 0

    def start(self, todo: Collection[ScannedFile]) -> None:
        """Begin with the files that have to be read, and report that."""
        self._total, self._meter = len(todo), RateMeter(sum(map(work_of, todo)))
        self.send()

    def count_done(self, found: ScannedFile) -> None:
        """Count a file for which it is decided what becomes of it, and report that."""
        self.done += 1
        self._meter.add(work_of(found), self._report.audio_seconds, time.monotonic())
        self.send()

    def send_if_due(self) -> None:
        """Report the progress if the last time is long enough ago."""
        if time.monotonic() - self._last >= PROGRESS_SECONDS:
            self.send()

    def send(self) -> None:
        """Report the progress."""
        if self._on_progress is None:
            return
        self._last = time.monotonic()
        self._on_progress(
            Progress(
                done=self.done,
                total=self._total,
                audio_seconds=self._report.audio_seconds,
                seconds=self._last - self._begin,
                current=self._current(),
                rate=self._meter.rate(),
            )
        )
