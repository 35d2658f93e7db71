"""What worker processes do. A light module: a worker imports it and, through it, only what analysing needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soundalike.analysis import Analysis
    from soundalike.kinds import Kind
    from soundalike.recipe import Recipe
    from soundalike.runtime import Runtime


def analyser(recipe: Recipe, runtime: Runtime) -> Callable[[tuple[str, Kind | None]], Analysis]:
    """The recipe's models, loaded once and tried, as a function of (path of a file, its kind or None).

    Raises what `Analyser.load` raises.
    """
    from soundalike.analysis import Analyser

    loaded = Analyser(recipe, runtime)
    loaded.load()
    return lambda task: loaded.analyse(Path(task[0]), task[1])
