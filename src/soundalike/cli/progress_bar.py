"""A progress bar on stderr; where stderr is not a terminal, a plain line at intervals instead."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from soundalike.cli.common import echo

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

PLAIN_LINE_SECONDS = 30.0
"""Interval between plain lines where stderr is not a terminal."""


class LiveBar:
    """A context manager that draws a progress bar.

    columns: rich progress columns; fields: initial values of the fields that the columns show; show: False draws and
    prints nothing.
    """

    def __init__(self, *columns: ProgressColumn, show: bool = True, **fields: Any) -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        self._show = show
        self.is_terminal = console.is_terminal
        self.bar = Progress(
            *columns, console=console, transient=True, disable=not (show and self.is_terminal), expand=True
        )
        self.task = self.bar.add_task("", total=None, **fields)
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def draw(self, plain: str, **values: Any) -> None:
        """Draw `values` (arguments of rich's `Progress.update`), or print `plain` if the last line is long ago."""
        self.bar.update(self.task, **values)
        now = time.monotonic()
        if self._show and not self.is_terminal and now - self._last_line > PLAIN_LINE_SECONDS:
            self._last_line = now
            echo(plain)
