"""Progress of embedding clips: one bar a job on a terminal, a plain line now and then where stderr is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundalike.cli.common import say
from soundalike.cli.progress_bar import LiveBar

if TYPE_CHECKING:
    from soundalike.research.reproduce.clip_jobs import Progress


class ClipProgress(LiveBar):
    """A context manager whose `update` draws each `Progress` and whose `say` says words above it."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        super().__init__(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), visible=False
        )

    def say(self, words: str) -> None:
        """Words, above the bar."""
        if self.is_terminal:
            self.bar.print(words, markup=False, highlight=False)
        else:
            say(words)

    def update(self, progress: Progress) -> None:
        """Draw where a job stands."""
        self.draw(
            f"{progress.title}: {progress.done} of {progress.total} clips",
            description=progress.title,
            completed=progress.done,
            total=progress.total,
            visible=progress.done < progress.total,
        )
