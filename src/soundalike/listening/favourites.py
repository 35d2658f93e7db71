"""Favourites: items of a library that the user has marked, in one file that is always replaced as a whole.

Items are named by their ids, which outlive a file's moving about. An item that is removed stays on the list, and is shown
again should it return.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from soundalike.errors import LibraryError
from soundalike.library.storage.location import Location, replace_text
from soundalike.listening.listening_folder import folder_of, locked_folder

FILE_NAME = "favourites.json"
FORMAT = 1
MAX_COUNT = 100_000


class Favourites:
    """The favourites of one library; thread-safe. Several servers may share the file."""

    def __init__(self, library: Location) -> None:
        self._library = library
        self._place = folder_of(library) / FILE_NAME
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._known: dict[str, dict[str, Any]] = {}

    def ids(self) -> Mapping[str, Mapping[str, Any]]:
        """id -> when it was marked and where its file was then, in the order of marking; reread only if the file changed.

        Raises LibraryError for a damaged file.
        """
        with self._lock:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._known, self._stamp = self._read(), stamp
            return self._known

    def mark(self, item: Mapping[str, Any]) -> None:
        """Make an item a favourite; repeating it is allowed. Raises LibraryError if that cannot be stored."""
        entry = {
            "root": item["root"],
            "path": item["path"],
            "content": item["content"],
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._change(lambda known: known if item["id"] in known else {**known, item["id"]: entry})

    def unmark(self, item: str) -> None:
        """Remove an item from the favourites; repeating it is allowed. Raises LibraryError if that cannot be stored."""
        if item in self.ids():
            self._change(lambda known: {name: entry for name, entry in known.items() if name != item})

    def _change(self, change: Any) -> None:
        with self._lock, locked_folder(self._library):
            known = self._read()
            changed = change(known)
            if len(changed) > MAX_COUNT:
                raise LibraryError(f"there are {MAX_COUNT:,} favourites already; remove some first")
            if changed is not known:
                text = json.dumps({"format": FORMAT, "favourites": changed}, indent=1, ensure_ascii=False)
                replace_text(self._place, text + "\n")
            self._known, self._stamp = changed, self._stamp_now()

    def _stamp_now(self) -> tuple[int, ...] | None:
        try:
            facts = self._place.stat()
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            values = json.loads(self._place.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']!r}; this version reads format {FORMAT}")
            return {str(name): dict(entry) for name, entry in values["favourites"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LibraryError(
                f"{FILE_NAME} in the folder {self._place.parent.name} of the library cannot be read ({error}); restore it from "
                "a backup, or delete it and mark favourites again"
            ) from None
