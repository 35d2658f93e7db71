"""Progress of embedding clips: one bar a job on a terminal, a plain line now and then where stderr is none."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from soundalike.cli.common import say

if TYPE_CHECKING:
    from soundalike.reproduce.embedding import Progress

PLAIN_SECONDS = 30.0
"""Where stderr is no terminal, a line is said this often."""


class ClipProgress:
    """A context manager whose `update` draws each `Progress` and whose `say` says words above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("clips", total=None, visible=False)
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def say(self, words: str) -> None:
        """Words, above the bar."""
        if self._console.is_terminal:
            self._bar.print(words, markup=False, highlight=False)
        else:
            say(words)

    def update(self, progress: Progress) -> None:
        """Draw where a job stands."""
        self._bar.update(
            self._task,
            description=progress.title,
            completed=progress.done,
            total=progress.total,
            visible=progress.done < progress.total,
        )
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said > PLAIN_SECONDS:
            self._said = now
            say(f"{progress.title}: {progress.done} of {progress.total} clips")
