"""The progress bar of indexing: files done, rate, time left. On stderr; a few plain lines if that is not a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from soundalike.cli.progress_bar import LiveBar

if TYPE_CHECKING:
    from soundalike.library import IndexReport, Progress


def summary(report: IndexReport) -> str:
    """The outcome of a run in one line: found = indexed + unchanged + skipped."""
    more = [
        f"{count} {word}"
        for count, word in (
            (report.moved, "moved"),
            (report.copied, "copies of known files"),
            (report.returned, "returned"),
            (report.missing, "missing"),
            (report.dropped, "dropped"),
        )
        if count
    ]
    rate = f", {report.audio_seconds / report.seconds:.0f} x real time" if report.audio_seconds else ""
    return (
        f"found {report.found} = indexed {report.indexed} + unchanged {report.unchanged} + skipped "
        f"{len(report.skipped)}{' (' + ', '.join(more) + ')' if more else ''} in {report.seconds:.1f} s{rate}"
    )


class IndexProgress(LiveBar):
    """A context manager whose `update` draws each `Progress`."""

    def __init__(self, *, show: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        super().__init__(
            TextColumn("indexing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[current]}", table_column=None),
            show=show,
            rate="",
            current="",
        )
        self._began = time.monotonic()

    def update(self, progress: Progress) -> None:
        """Draw the state of a run."""
        seconds = max(time.monotonic() - self._began, 1e-6)
        rate = f"{progress.done / seconds:.1f} files/s, {progress.audio_seconds / seconds:.0f}x real time"
        starting = "starting (the first time on a machine takes some seconds more)"
        current = (progress.current or "")[-40:] if progress.done else starting
        self.draw(
            f"{progress.done} of {progress.total} files, {rate}",
            completed=progress.done,
            total=progress.total or None,
            rate=rate,
            current=current,
        )
