"""What worker processes do. A light module: a worker imports it and, through it, only what analysing needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analysis
    from soundalike.analysis.kinds import Kind
    from soundalike.analysis.preparation import Prepared
    from soundalike.analysis.recipe import Recipe
    from soundalike.config import Runtime

Task = tuple[str, "Kind | None"]
"""Path or address of a file, and its kind where that is known."""


def analyser(recipe: Recipe, runtime: Runtime) -> Callable[[Task], Analysis]:
    """The recipe's models, loaded once and tried, as a function of a task.

    Raises what `Analyser.load` raises.
    """
    from soundalike.analysis.analyser import Analyser
    from soundalike.library.storage.location import as_location
    from soundalike.library.storage.remote_cache import brought_here

    loaded = Analyser(recipe, runtime)
    loaded.load()

    def analyse(task: Task) -> Analysis:
        with brought_here(as_location(task[0])) as path:
            return loaded.analyse(path, task[1])

    return analyse


def preparer() -> Callable[[Task], Prepared]:
    """The first half of `analyser`'s function, for which no model is needed."""
    from soundalike.analysis.preparation import prepare
    from soundalike.library.storage.location import as_location
    from soundalike.library.storage.remote_cache import brought_here

    def work(task: Task) -> Prepared:
        with brought_here(as_location(task[0])) as path:
            return prepare(path, task[1])

    return work


def finisher(recipe: Recipe, runtime: Runtime) -> Callable[[Task, Any], Analysis]:
    """The second half: the recipe's models, loaded once and tried, as a function of a task and what the first half gave.

    Raises what `Analyser.load` raises.
    """
    from soundalike.analysis.analyser import Analyser
    from soundalike.errors import SoundalikeError
    from soundalike.library.storage.location import Remote, as_location
    from soundalike.library.storage.remote_cache import brought_here

    loaded = Analyser(recipe, runtime)
    loaded.load()

    def work(task: Task, prepared: Prepared) -> Analysis:
        place = as_location(task[0])
        if isinstance(place, Remote) and not prepared.complete:
            with brought_here(place) as path:
                return loaded.finish(path, prepared)
        stand_in = Path(task[0])
        try:
            return loaded.finish(stand_in, prepared)
        except SoundalikeError as error:
            raise type(error)(str(error).replace(str(stand_in), task[0])) from error

    return work
