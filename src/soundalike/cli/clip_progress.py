"""Progress of embedding clips: one bar for each job on a terminal, otherwise a plain line now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soundalike.cli.common import echo
from soundalike.cli.progress_bar import LiveBar

if TYPE_CHECKING:
    from soundalike.research.reproduce.clip_jobs import Callbacks, Progress


class ClipProgress(LiveBar):
    """A context manager that shows messages and the progress of jobs."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        super().__init__(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), visible=False
        )

    @property
    def callbacks(self) -> Callbacks:
        """Callbacks that report here."""
        from soundalike.research.reproduce.clip_jobs import Callbacks

        return Callbacks(self.show_message, self.show_progress)

    def show_message(self, message: str) -> None:
        """Print a message above the bar."""
        if self.is_terminal:
            self.bar.print(message, markup=False, highlight=False)
        else:
            echo(message)

    def show_progress(self, progress: Progress) -> None:
        """Draw the progress of a job."""
        self.draw(
            f"{progress.title}: {progress.done} of {progress.total} {progress.unit}",
            description=progress.title,
            completed=progress.done,
            total=progress.total,
            visible=progress.done < progress.total,
        )
