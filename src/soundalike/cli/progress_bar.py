"""A progress bar on stderr, which plain lines now and then stand in for where that is no terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from soundalike.cli.common import say

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

PLAIN_SECONDS = 30.0
"""Where stderr is no terminal, a line is said this often."""


class LiveBar:
    """A context manager. columns: rich's; fields: what they name, to begin with; show: False for silence."""

    def __init__(self, *columns: ProgressColumn, show: bool = True, **fields: Any) -> None:
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        self._show = show
        self.is_terminal = console.is_terminal
        self.bar = Progress(*columns, console=console, transient=True, disable=not (show and self.is_terminal))
        self.task = self.bar.add_task("", total=None, **fields)
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def draw(self, plain: str, **values: Any) -> None:
        """Draw `values` (rich's `Progress.update`), or say `plain` if that was not done for a while."""
        self.bar.update(self.task, **values)
        now = time.monotonic()
        if self._show and not self.is_terminal and now - self._said > PLAIN_SECONDS:
            self._said = now
            say(plain)
