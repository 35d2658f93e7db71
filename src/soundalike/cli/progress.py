"""The progress bar of indexing: files done, rate, time left. Drawn on stderr; a few plain lines where that is no
terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from soundalike.cli.common import say

if TYPE_CHECKING:
    from soundalike.library import IndexReport, Progress

PLAIN_SECONDS = 30.0
"""Where stderr is no terminal, a line is said this often."""


def summary(report: IndexReport) -> str:
    """The outcome of a run in one line: found = indexed + unchanged + skipped."""
    more = [
        f"{count} {word}"
        for count, word in (
            (report.moved, "moved"),
            (report.copied, "copies of known files"),
            (report.returned, "back again"),
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


class IndexProgress:
    """A context manager whose `update` draws each `Progress`."""

    def __init__(self, *, show: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._console = Console(stderr=True)
        self._show = show
        self._bar = Bar(
            TextColumn("indexing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[current]}", table_column=None),
            console=self._console,
            transient=True,
            disable=not (show and self._console.is_terminal),
        )
        self._task = self._bar.add_task("", total=None, rate="", current="")
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Draw the state of a run."""
        now = time.monotonic()
        seconds = max(now - self._began, 1e-6)
        rate = f"{progress.done / seconds:.1f} files/s, {progress.audio_seconds / seconds:.0f}x real time"
        starting = "starting (the first time on a machine takes some seconds more)"
        current = (progress.current or "")[-40:] if progress.done else starting
        self._bar.update(self._task, completed=progress.done, total=progress.total or None, rate=rate, current=current)
        if self._show and not self._console.is_terminal and now - self._said > PLAIN_SECONDS:
            self._said = now
            say(f"{progress.done} of {progress.total} files, {rate}")
