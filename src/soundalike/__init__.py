"""soundalike: find music that sounds alike, instrument by instrument.

    import soundalike

    soundalike.index("my.library", ["~/Music", "~/Samples"])
    finder = soundalike.open("my.library")
    found = finder.similar("song.ogg", region=(62, 72), weights={"drums": 1, "bass": 0.3})
    for hit in found.hits:
        print(hit.path, hit.start, hit.score, hit.contributions)

Everything is imported when first used, so that `import soundalike` costs nothing.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundalike.analysis import Analyser
    from soundalike.comparison import compare
    from soundalike.errors import SoundalikeError
    from soundalike.finder import Finder, Found, Hit
    from soundalike.indexing import index
    from soundalike.library.filters import Filters, make_filters
    from soundalike.recipe import Recipe, make_recipe

__version__ = "0.1.0"

_PLACES = {
    "Analyser": "analysis",
    "Filters": "library.filters",
    "Finder": "finder",
    "Found": "finder",
    "Hit": "finder",
    "Recipe": "recipe",
    "SoundalikeError": "errors",
    "compare": "comparison",
    "index": "indexing",
    "make_filters": "library.filters",
    "make_recipe": "recipe",
}

__all__ = [
    "Analyser",
    "Filters",
    "Finder",
    "Found",
    "Hit",
    "Recipe",
    "SoundalikeError",
    "compare",
    "index",
    "make_filters",
    "make_recipe",
    "open",
]


def open(path: str | Path, *, device: str = "auto") -> Finder:
    """The library at `path`, ready to be asked; device: where neural models compute (`auto`, `cpu`, `cuda`, `mps`).

    Raises LibraryError where there is none.
    """
    from soundalike.finder import Finder

    return Finder.open(path, device=device)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'soundalike' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"soundalike.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
