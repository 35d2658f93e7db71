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
    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import Recipe, make_recipe
    from soundalike.errors import SoundalikeError
    from soundalike.library.indexing.library_update import index
    from soundalike.search.comparison import compare
    from soundalike.search.filters import Filters, make_filters
    from soundalike.search.finder import Finder, Found, Hit

__version__ = "0.1.0"

_PLACES = {
    "Analyser": "analysis.analyser",
    "Filters": "search.filters",
    "Finder": "search.finder",
    "Found": "search.finder",
    "Hit": "search.finder",
    "Recipe": "analysis.recipe",
    "SoundalikeError": "errors",
    "compare": "search.comparison",
    "index": "library.indexing.library_update",
    "make_filters": "search.filters",
    "make_recipe": "analysis.recipe",
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
    from soundalike.search.finder import Finder

    return Finder.open(path, device=device)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'soundalike' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"soundalike.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
