"""Whether two libraries are the same, row for row."""

from __future__ import annotations

from typing import Any

from soundalike.library.storage.store import Library
from soundalike.parts import MIX

Rows = dict[str, list[dict[str, Any]]]


def rows_of(library: Library, *, without: tuple[str, ...] = ()) -> Rows:
    """All rows of all tables, vectors among them, in an order of their own; all columns but `without` and the moment of
    indexing."""
    parts = library.recipe.parts
    names = ["content", "start", "end", *parts, *(f"{part}_present" for part in parts)]
    tables = {
        "items": library.items(),
        "windows": library.windows(names),
        "clips": library.clips(["content", "start", "end", MIX]),
        "peaks": library.peaks(library.items()["content"].unique().to_pylist()),
        "skipped": library.skipped(),
    }
    left_out = {"indexed_at", *without}
    return {
        name: sorted(
            ({column: value for column, value in row.items() if column not in left_out} for row in table.to_pylist()),
            key=repr,
        )
        for name, table in tables.items()
    }
