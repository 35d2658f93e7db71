"""Favourites: items of a library that the user has marked.

Items are named by their ids, which outlive a file's moving about. An item that is removed stays on the list, and is shown
again should it return.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from soundalike.errors import LibraryError
from soundalike.library.storage.location import Location
from soundalike.listening.listening_file import ListeningFile, Values

FILE_NAME = "favourites.json"
MAX_COUNT = 100_000

Entry = Mapping[str, Any]
"""When an item was marked, and where its file was then."""


class Favourites:
    """The favourites of one library; thread-safe. Several servers may share the file."""

    def __init__(self, library: Location) -> None:
        self._file = ListeningFile(library, FILE_NAME, "favourites", checked_entries, "mark favourites")

    def ids(self) -> Mapping[str, Entry]:
        """By id in the order of marking. Raises LibraryError for a damaged file."""
        return self._file.values()

    def mark(self, item: Mapping[str, Any]) -> None:
        """Make an item a favourite; repeating it is allowed. Raises LibraryError if that cannot be stored."""

        def marked(known: Values) -> Values:
            if item["id"] in known:
                return known
            if len(known) >= MAX_COUNT:
                raise LibraryError(f"there are {MAX_COUNT:,} favourites already; remove some first")
            return {**known, item["id"]: entry_of(item)}

        self._file.change(marked)

    def unmark(self, item: str) -> None:
        """Remove an item from the favourites; repeating it is allowed. Raises LibraryError if that cannot be stored."""
        if item in self.ids():
            self._file.change(lambda known: {name: entry for name, entry in known.items() if name != item})


def entry_of(item: Mapping[str, Any]) -> Entry:
    """What is stored about an item that is marked now."""
    return {
        "root": item["root"],
        "path": item["path"],
        "content": item["content"],
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def checked_entries(stored: Any) -> dict[str, dict[str, Any]]:
    """Entries by id as they were stored; raises ValueError, TypeError or AttributeError for anything else."""
    return {str(name): dict(entry) for name, entry in stored.items()}
