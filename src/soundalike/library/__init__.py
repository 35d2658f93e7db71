"""The library on disk: its tables, indexing, maintenance.

The names below are imported lazily: worker processes import this package too, and need none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundalike.library.indexing.index_report import IndexInterrupted, IndexReport, Progress
    from soundalike.library.indexing.library_update import index
    from soundalike.library.maintenance.roots import relocate, remove
    from soundalike.library.storage.store import Library

_HOMES = {
    "IndexInterrupted": "indexing.index_report",
    "IndexReport": "indexing.index_report",
    "Library": "storage.store",
    "Progress": "indexing.index_report",
    "index": "indexing.library_update",
    "relocate": "maintenance.roots",
    "remove": "maintenance.roots",
}

__all__ = ["IndexInterrupted", "IndexReport", "Library", "Progress", "index", "relocate", "remove"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
