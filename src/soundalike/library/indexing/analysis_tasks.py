"""What workers do for an indexing run. Light: a worker imports this module and, through it, only what analysing needs."""

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


def load_analyser(recipe: Recipe, runtime: Runtime) -> Callable[[Task], Analysis]:
    """Load the recipe's models and return the function that analyses a file.

    Raises what `Analyser.load` raises.
    """
    from soundalike.analysis.analyser import Analyser
    from soundalike.library.storage.location import as_location
    from soundalike.library.storage.remote_cache import downloaded

    analyser = Analyser(recipe, runtime)
    analyser.load()

    def analyse(task: Task) -> Analysis:
        with downloaded(as_location(task[0])) as path:
            return analyser.analyse(path, task[1])

    return analyse


def load_preparer() -> Callable[[Task], Prepared]:
    """Return the function that does the first half of an analysis, for which no model is needed."""
    from soundalike.analysis.preparation import prepare
    from soundalike.library.storage.location import as_location
    from soundalike.library.storage.remote_cache import downloaded

    def prepare_file(task: Task) -> Prepared:
        with downloaded(as_location(task[0])) as path:
            return prepare(path, task[1])

    return prepare_file


def load_finisher(recipe: Recipe, runtime: Runtime) -> Callable[[Task, Any], Analysis]:
    """Load the recipe's models and return the function that does the second half, from what the first half returned.

    Raises what `Analyser.load` raises.
    """
    from soundalike.analysis.analyser import Analyser
    from soundalike.errors import SoundalikeError
    from soundalike.library.storage.location import Remote, as_location
    from soundalike.library.storage.remote_cache import downloaded

    analyser = Analyser(recipe, runtime)
    analyser.load()

    def finish(task: Task, prepared: Prepared) -> Analysis:
        place = as_location(task[0])
        if isinstance(place, Remote) and not prepared.complete:
            with downloaded(place) as path:
                return analyser.finish(path, prepared)
        path = Path(task[0])  # not read where the first half has decoded all of the file
        try:
            return analyser.finish(path, prepared)
        except SoundalikeError as error:
            raise type(error)(str(error).replace(str(path), task[0])) from error

    return finish
