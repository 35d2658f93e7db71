"""The library on disk: tables, indexing, exact search, upkeep, exchange.

The names below are loaded when first asked for: worker processes import this package too, and need none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soundalike.library.indexing import index
    from soundalike.library.report import IndexInterrupted, IndexReport, Progress
    from soundalike.library.store import Library
    from soundalike.library.upkeep import relocate, remove

_HOMES = {
    "IndexInterrupted": "report",
    "IndexReport": "report",
    "Library": "store",
    "Progress": "report",
    "index": "indexing",
    "relocate": "upkeep",
    "remove": "upkeep",
}

__all__ = ["IndexInterrupted", "IndexReport", "Library", "Progress", "index", "relocate", "remove"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
