"""One state of a library: its items as the server needs them. A new state is a new `Shelf`; requests under way keep theirs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from soundalike.audio.decode import EXTENSIONS
from soundalike.errors import AudioError, InputError
from soundalike.finder import Finder
from soundalike.library import Library
from soundalike.library.filters import Filters
from soundalike.runtime import Runtime
from soundalike.web import models

Item = Mapping[str, Any]

_SENT = models.ItemOut.model_fields.keys() - {"name", "path", "folder", "favourite"}


@dataclass(frozen=True)
class Shelf:
    """finder: of this state; state: in short, another word whenever the tables or roots are others."""

    finder: Finder
    state: str

    @classmethod
    def of(cls, finder: Finder) -> Shelf:
        """The shelf of what `finder` has open."""
        return cls(finder, state_of(finder.library))

    @cached_property
    def _by_id(self) -> dict[str, Item]:
        return {item["id"]: item for item in sorted(self.finder.items, key=lambda item: (item["root"], item["path"]))}

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, name: str) -> bool:
        return name in self._by_id

    def items(self) -> Iterator[Item]:
        """All items, in the order of their paths."""
        return iter(self._by_id.values())

    def item(self, name: str) -> Item:
        """The item with this id. Raises InputError where there is none."""
        if name not in self._by_id:
            raise InputError(f"the library has no item {name[:80]!r}")
        return self._by_id[name]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many items of each kind there are."""
        return dict(Counter(item["kind"] for item in self.items()))

    def path_of(self, item: Item) -> Path:
        """Where an item's file is (or was)."""
        return self.finder.library.absolute(item["root"], item["path"])

    def file_of(self, name: str) -> Path:
        """The item's file. Raises InputError where there is no such item, AudioError where its file is not there now."""
        item = self.item(name)
        path = self.path_of(item)
        # What was imported lies under no root: whoever wrote that table may have named any file of this machine.
        ours = bool(item["root"]) or (path.is_absolute() and path.suffix.lower() in EXTENSIONS)
        if not ours or not path.is_file():
            raise AudioError(f"{item['path']} is not there now; `soundalike index` looks at its folder again")
        return path

    def out(self, item: Item, favourites: Collection[str]) -> models.ItemOut:
        """An item as it goes over the wire."""
        return models.ItemOut.model_construct(
            name=item["path"],
            path=str(self.path_of(item)),
            folder=item["path"].rpartition("/")[0],
            favourite=item["id"] in favourites,
            **{name: item[name] for name in _SENT},
        )

    def matching(self, text: str, filters: Filters, only: Collection[str] | None) -> list[Item]:
        """Items that `filters` admit and whose path, title or artist contains `text`, in the order of their paths; `only`
        these ids if given."""
        wanted = text.casefold()
        return [
            item
            for item in self.items()
            if (only is None or item["id"] in only)
            and filters.admits(item)
            and (not wanted or any(wanted in (item[name] or "").casefold() for name in ("path", "title", "artist")))
        ]


def state_of(library: Library) -> str:
    """The state of an open library in short."""
    roots = sorted((name, str(place)) for name, place in library.roots.items())
    words = repr((library.version, roots, library.recipe.fingerprint()))
    return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()


def refreshed(finder: Finder, runtime: Runtime) -> Finder:
    """The same finder where the library on disk is as it was, else one of the new state."""
    latest = Library.open(finder.library.path)
    if state_of(latest) == state_of(finder.library):
        return finder
    return Finder(latest, runtime)
