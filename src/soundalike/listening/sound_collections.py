"""Collections: named lists of items of a library, such as the drums of one project.

Items are named by their ids, as favourites are. A collection exists as long as something is in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from soundalike.errors import InputError, LibraryError, NotFoundError
from soundalike.library.storage.location import Location
from soundalike.listening.favourites import Entry, checked_entries, entry_of
from soundalike.listening.listening_file import ListeningFile, Values

FILE_NAME = "collections.json"
MAX_COLLECTIONS = 500
MAX_COUNT = 20_000
MAX_NAME = 80


class SoundCollections:
    """The collections of one library; thread-safe. Several servers may share the file."""

    def __init__(self, library: Location) -> None:
        self._file = ListeningFile(library, FILE_NAME, "collections", _checked, "collect the sounds")

    def all(self) -> Mapping[str, Mapping[str, Entry]]:
        """By name: the entries of its items by id, in the order in which they were added. Raises LibraryError for a damaged
        file."""
        return self._file.values()

    def ids(self, name: str) -> Collection[str]:
        """The items of a collection. Raises NotFoundError if there is none of that name."""
        known = self.all()
        if name not in known:
            names = ", ".join(known) or "none yet"
            raise NotFoundError(f"there is no collection {name[:MAX_NAME]!r}; collections: {names[:500]}")
        return known[name].keys()

    def change(self, name: str, add: Iterable[Mapping[str, Any]] = (), remove: Collection[str] = ()) -> int:
        """Add items to a collection, which is made if there is none, and remove the items with these ids. Returns its size.

        Raises InputError for an invalid name, LibraryError if that cannot be stored.
        """
        name = collection_name(name)
        entries = {item["id"]: entry_of(item) for item in add}

        def changed(known: Values) -> Values:
            before = known.get(name, {})
            new = {item: entry for item, entry in entries.items() if item not in before}
            after = {item: entry for item, entry in {**before, **new}.items() if item not in remove}
            if len(after) > MAX_COUNT or (after and len({*known, name}) > MAX_COLLECTIONS):
                raise LibraryError(
                    f"there may be {MAX_COLLECTIONS} collections of {MAX_COUNT:,} sounds each; remove some first"
                )
            return {one: content for one, content in {**known, name: after}.items() if content}

        self._file.change(changed)
        return len(self.all().get(name, {}))


def collection_name(name: str) -> str:
    """A name as it is stored. Raises InputError for an invalid one."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(f"a collection's name has 1 to {MAX_NAME} printable characters; this is {name[:100]!r}")
    return name


def _checked(stored: Any) -> dict[str, dict[str, Entry]]:
    return {str(name): {**checked_entries(entries)} for name, entries in stored.items()}
