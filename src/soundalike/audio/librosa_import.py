"""librosa, imported by one process at a time.

Importing librosa makes numba compile its kernels and keep them in a cache beside it. numba's cache is not made for
several processes that fill it at once: they may exchange each other's kernels, after which every process that loads
the cache dies of a segmentation fault (seen with two worker processes on a fresh installation). So the first import,
which fills the cache, is done under a lock.
"""

from __future__ import annotations

import functools
import importlib
import tempfile
from pathlib import Path
from types import ModuleType

from filelock import FileLock

from soundalike.config import cache_folder

_COMPILED = ("core.audio", "core.pitch", "util.utils", "feature.rhythm", "filters", "beat")
"""Modules of librosa that are imported only when used, and compile then."""


@functools.cache
def librosa() -> ModuleType:
    """The library, with all its modules that compile anything already imported."""
    with FileLock(_lock_file()):
        for name in _COMPILED:
            importlib.import_module(f"librosa.{name}")
        return importlib.import_module("librosa")


def _lock_file() -> Path:
    """A file that every process of this user can lock; it says nothing."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / "librosa.lock"
        place.touch()
    except OSError:  # a home that cannot be written
        return Path(tempfile.gettempdir()) / "soundalike-librosa.lock"
    return place
