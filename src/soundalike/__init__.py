"""soundalike: find music that sounds alike, instrument by instrument.

    import soundalike

    soundalike.index("my.library", ["~/Music", "~/Samples"])
    finder = soundalike.open("my.library")
    result = finder.similar("song.ogg", region=(62, 72), weights={"drums": 1, "bass": 0.3})
    for hit in result.hits:
        print(hit.path, hit.start, hit.score, hit.contributions)

Everything is imported when first used, so that `import soundalike` is fast.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.recipe import Recipe, make_recipe
    from soundalike.errors import SoundalikeError
    from soundalike.search.after_indexing import index
    from soundalike.search.comparison import compare
    from soundalike.search.filters import Filters, make_filters
    from soundalike.search.finder import Finder
    from soundalike.search.request import SearchRequest
    from soundalike.search.results import Hit, SearchResult

__version__ = "0.1.0"

_PLACES = {
    "Analyser": "analysis.analyser",
    "Filters": "search.filters",
    "Finder": "search.finder",
    "Hit": "search.results",
    "Recipe": "analysis.recipe",
    "SearchRequest": "search.request",
    "SearchResult": "search.results",
    "SoundalikeError": "errors",
    "compare": "search.comparison",
    "index": "search.after_indexing",
    "make_filters": "search.filters",
    "make_recipe": "analysis.recipe",
}

__all__ = [
    "Analyser",
    "Filters",
    "Finder",
    "Hit",
    "Recipe",
    "SearchRequest",
    "SearchResult",
    "SoundalikeError",
    "compare",
    "index",
    "make_filters",
    "make_recipe",
    "open",
]


def open(path: str | Path, *, device: str = "auto") -> Finder:
    """Open the library at `path` for searching; device: where neural models compute (`auto`, `cpu`, `cuda`, `mps`).

    Raises LibraryError where there is none, InputError for an unknown device.
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
