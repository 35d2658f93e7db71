"""What worker processes do. A light module: a worker imports it and, through it, only what analysing needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soundalike.analysis import Analysis
    from soundalike.kinds import Kind
    from soundalike.recipe import Recipe
    from soundalike.runtime import Runtime


def analyser(recipe: Recipe, runtime: Runtime) -> Callable[[tuple[str, Kind | None]], Analysis]:
    """The recipe's models, loaded once and tried, as a function of (path or address of a file, its kind or None).

    Raises what `Analyser.load` raises.
    """
    from soundalike.analysis import Analyser
    from soundalike.library.brought import brought_here
    from soundalike.library.location import as_location

    loaded = Analyser(recipe, runtime)
    loaded.load()

    def analyse(task: tuple[str, Kind | None]) -> Analysis:
        with brought_here(as_location(task[0])) as path:
            return loaded.analyse(path, task[1])

    return analyse
