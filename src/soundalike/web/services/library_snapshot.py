"""A snapshot of a library: its items as the server needs them. A changed library is a new snapshot; requests in progress keep
theirs."""

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

from soundalike.audio.suffixes import AUDIO_SUFFIXES
from soundalike.errors import AudioError, NotFoundError
from soundalike.library import Library
from soundalike.library.storage.item_parts import address_of, path_of_file, place_of_file, seconds_of
from soundalike.library.storage.location import Location
from soundalike.library.storage.remote_cache import cached_copy
from soundalike.search.catalogue import Catalogue, Indices, Mask
from soundalike.search.filters import Filters
from soundalike.search.finder import Finder
from soundalike.search.item_classes import class_fields
from soundalike.web import schemas

Item = Mapping[str, Any]

_STORED_FIELDS = tuple(
    name
    for name in schemas.ItemOut.model_fields
    if name not in ("name", "path", "folder", "favourite", "sound_class", "class_share", "file", "offset")
)


@dataclass(frozen=True)
class LibrarySnapshot:
    """finder: an open library; state: a string that differs whenever its tables or roots differ."""

    finder: Finder
    state: str

    @classmethod
    def of(cls, finder: Finder) -> LibrarySnapshot:
        """The snapshot that `finder` has open."""
        return cls(finder, state_of(finder.library))

    @property
    def library(self) -> Library:
        """The open library."""
        return self.finder.library

    @property
    def catalogue(self) -> Catalogue:
        """All items."""
        return self.finder.catalogue

    @cached_property
    def _index_of(self) -> dict[str, int]:
        return {item_id: index for index, item_id in enumerate(self.catalogue.column("id").to_pylist())}

    def __len__(self) -> int:
        return len(self._index_of)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._index_of

    def item(self, item_id: str) -> Item:
        """The item with this id. Raises NotFoundError if there is none."""
        return self.items([item_id])[0]

    def items(self, item_ids: Iterable[str]) -> list[dict[str, Any]]:
        """The items with these ids. Raises NotFoundError for one that does not exist."""
        indices = []
        for item_id in item_ids:
            if item_id not in self._index_of:
                raise NotFoundError(f"the library has no item {item_id[:80]!r}")
            indices.append(self._index_of[item_id])
        return self.catalogue.items(indices)

    def mask(self, item_ids: Iterable[str]) -> Mask:
        """(I,) which items of the catalogue have one of these ids."""
        mask = np.zeros(len(self), dtype=bool)
        mask[[self._index_of[item_id] for item_id in item_ids if item_id in self._index_of]] = True
        return mask

    @cached_property
    def counts(self) -> dict[str, int]:
        """The number of items of each kind."""
        return dict(Counter(self.catalogue.column("kind").to_pylist()))

    def location_of(self, item: Item) -> Location:
        """Where an item's file is (or was)."""
        return self.library.absolute(item["root"], item["path"])

    def file_of(self, item_id: str) -> Path:
        """The item's file, or the address of its part of a file (`audio.file_part`). Raises NotFoundError if there is no such
        item, AudioError if its file is missing."""
        item = self.item(item_id)
        location = self.location_of(item)
        # Imported items have no root, and their table may name any file of this machine.
        absolute = isinstance(location, Path) and location.is_absolute()
        allowed = bool(item["root"]) or (absolute and location.suffix.lower() in AUDIO_SUFFIXES)
        path = cached_copy(place_of_file(location, item["content"]))
        if not allowed or not path.is_file():
            raise AudioError(f"{item['path']} is missing; `soundalike index` updates the library")
        return path if seconds_of(item["content"]) is None else cached_copy(address_of(location, item["content"]))

    @cached_property
    def _prefixes(self) -> dict[str, str]:
        """What precedes an item's path, by root."""
        return {name: str(place / "x")[:-1] for name, place in self.library.roots.items()} | {"": ""}

    def items_out(self, items: Iterable[Item], favourites: Collection[str]) -> list[dict[str, Any]]:
        """Items with the fields of `schemas.ItemOut`."""
        items = list(items)
        classes = self.finder.opened.classes.of([self._index_of[item["id"]] for item in items])
        return [
            {**self._item_out(item), "favourite": item["id"] in favourites, **class_fields(sound_class)}
            for item, sound_class in zip(items, classes, strict=True)
        ]

    def _item_out(self, item: Item) -> dict[str, Any]:
        path = self._prefixes[item["root"]] + item["path"].replace("/", os.sep if item["root"] else "/")
        seconds = seconds_of(item["content"])
        return {
            **{name: item[name] for name in _STORED_FIELDS},
            "name": item["path"],
            "folder": item["path"].rpartition("/")[0],
            "path": path,
            "file": None if seconds is None else path_of_file(path, item["content"]),
            "offset": 0.0 if seconds is None else seconds[0],
        }

    def matching(self, text: str, filters: Filters, only: Collection[str] | None) -> Indices:
        """Indices of items that pass the filters and whose path, title or artist contains `text`, ordered by path; only those
        with an id in `only` if that is given."""
        mask = self.catalogue.admitted(filters)
        if text:
            mask = mask & self.catalogue.containing(text)
        if only is not None:
            mask = mask & self.mask(only)
        return self.catalogue.in_order_of_path(np.flatnonzero(mask))


def state_of(library: Library) -> str:
    """A string that differs whenever the tables, roots or models of a library differ."""
    roots = sorted((name, str(place)) for name, place in library.roots.items())
    state = repr((library.version, roots, library.recipe.fingerprint()))
    return hashlib.blake2b(state.encode(), digest_size=8).hexdigest()
