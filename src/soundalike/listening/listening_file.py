"""A JSON file in the folder `listening` of a library, always replaced as a whole; several servers may share it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from soundalike.errors import LibraryError
from soundalike.library.storage.location import Location, replace_text
from soundalike.listening.listening_folder import folder_of, locked_folder

FORMAT = 1

Values = Mapping[str, Any]
"""What the file stores: never changed in place."""


class ListeningFile:
    """A mapping that is stored in one file; thread-safe."""

    def __init__(self, library: Location, name: str, field: str, check: Callable[[Any], Values], restart: str) -> None:
        """name: of the file; field: under which it stores the mapping; check: returns the mapping that was read, or raises
        ValueError, KeyError, TypeError or AttributeError; restart: what is done again if the file has to be deleted."""
        self._library = library
        self._place = folder_of(library) / name
        self._field = field
        self._check = check
        self._restart = restart
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._known: Values = {}

    def values(self) -> Values:
        """The mapping; reread only if the file changed. Raises LibraryError for a damaged file."""
        with self._lock:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._known, self._stamp = self._read(), stamp
            return self._known

    def change(self, change: Callable[[Values], Values]) -> None:
        """Replace the mapping by what `change` makes of it, unless that is the same object.

        Raises LibraryError if that cannot be stored.
        """
        with self._lock, locked_folder(self._library):
            known = self._read()
            changed = change(known)
            if changed is not known:
                text = json.dumps({"format": FORMAT, self._field: changed}, indent=1, ensure_ascii=False)
                replace_text(self._place, text + "\n")
            self._known, self._stamp = changed, self._stamp_now()

    def _stamp_now(self) -> tuple[int, ...] | None:
        try:
            facts = self._place.stat()
        except OSError:
            return None
        return facts.st_mtime_ns, facts.st_size, facts.st_ino

    def _read(self) -> Values:
        try:
            stored = json.loads(self._place.read_text(encoding="utf-8"))
            if stored["format"] != FORMAT:
                raise ValueError(f"format {stored['format']!r}; this version reads format {FORMAT}")
            return self._check(stored[self._field])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise LibraryError(
                f"{self._place.name} in the folder {self._place.parent.name} of the library cannot be read ({error}); "
                f"restore it from a backup, or delete it and {self._restart} again"
            ) from None
