"""One state of a library: its items as the server needs them. A new state is a new `Shelf`; requests under way keep theirs."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.audio.decode import EXTENSIONS
from soundalike.errors import AudioError, InputError
from soundalike.library import Library
from soundalike.library.storage.location import Location
from soundalike.library.storage.remote_cache import cached_copy
from soundalike.search.catalogue import Catalogue, Indices, Mask
from soundalike.search.filters import Filters
from soundalike.search.finder import Finder
from soundalike.web import schemas

Item = Mapping[str, Any]

_SENT = tuple(name for name in schemas.ItemOut.model_fields if name not in ("name", "path", "folder", "favourite"))


@dataclass(frozen=True)
class Shelf:
    """finder: of this state; state: in short, another word whenever the tables or roots are others."""

    finder: Finder
    state: str

    @classmethod
    def of(cls, finder: Finder) -> Shelf:
        """The shelf of what `search.finder` has open."""
        return cls(finder, state_of(finder.library))

    @property
    def catalogue(self) -> Catalogue:
        """All items."""
        return self.finder.catalogue

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.catalogue.column("id").to_pylist())}

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def item(self, name: str) -> Item:
        """The item with this id. Raises InputError where there is none."""
        return self.items([name])[0]

    def items(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """The items with these ids. Raises InputError where there is none."""
        numbers = []
        for name in names:
            if name not in self._numbers:
                raise InputError(f"the library has no item {name[:80]!r}")
            numbers.append(self._numbers[name])
        return self.catalogue.items(numbers)

    def only(self, names: Iterable[str]) -> Mask:
        """(I,) which items of the catalogue have one of these ids."""
        found = np.zeros(len(self), dtype=bool)
        found[[self._numbers[name] for name in names if name in self._numbers]] = True
        return found

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many items of each kind there are."""
        return dict(Counter(self.catalogue.column("kind").to_pylist()))

    def path_of(self, item: Item) -> Location:
        """Where an item's file is (or was)."""
        return self.finder.library.absolute(item["root"], item["path"])

    def file_of(self, name: str) -> Path:
        """The item's file. Raises InputError where there is no such item, AudioError where its file is not there now."""
        item = self.item(name)
        path = self.path_of(item)
        # What was imported lies under no root: whoever wrote that table may have named any file of this machine.
        absolute = isinstance(path, Path) and path.is_absolute()
        ours = bool(item["root"]) or (absolute and path.suffix.lower() in EXTENSIONS)
        path = cached_copy(path)
        if not ours or not path.is_file():
            raise AudioError(f"{item['path']} is not there now; `soundalike index` looks at its folder again")
        return path

    @cached_property
    def _before(self) -> dict[str, str]:
        """By root, what stands before an item's path."""
        return {name: str(place / "x")[:-1] for name, place in self.finder.library.roots.items()} | {"": ""}

    def out(self, items: Iterable[Item], favourites: Collection[str]) -> list[dict[str, Any]]:
        """Items as they go over the wire: as of `schemas.ItemOut`."""
        before = self._before
        return [
            {
                **{name: item[name] for name in _SENT},
                "name": item["path"],
                "folder": item["path"].rpartition("/")[0],
                "path": before[item["root"]] + item["path"].replace("/", os.sep if item["root"] else "/"),
                "favourite": item["id"] in favourites,
            }
            for item in items
        ]

    def matching(self, text: str, filters: Filters, only: Collection[str] | None) -> Indices:
        """Numbers of items that `filters` admit and whose path, title or artist contains `text`, in the order of their paths;
        `only` these ids if given."""
        found = self.catalogue.admitted(filters)
        if text:
            found = found & self.catalogue.containing(text)
        if only is not None:
            found = found & self.only(only)
        return self.catalogue.in_order_of_path(np.flatnonzero(found))


def state_of(library: Library) -> str:
    """The state of an open library in short."""
    roots = sorted((name, str(place)) for name, place in library.roots.items())
    words = repr((library.version, roots, library.recipe.fingerprint()))
    return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()
