"""An open library as searches need it: its items, vector indexes and models, each loaded when first needed and kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library.storage.store import Library
from soundalike.search.catalogue import Catalogue
from soundalike.search.index.table_rows import CLIPS, WINDOWS, Indices, Mask, Table
from soundalike.search.index.vector_index import TableIndexes
from soundalike.search.item_classes import READABLE, ItemClasses
from soundalike.search.vector_statistics import Spread, stored_spread

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analyser


class OpenLibrary:
    """One state of a library. Safe to use from several threads."""

    def __init__(
        self,
        library: Library,
        indexes: TableIndexes,
        runtime: Runtime | None = None,
        analyser: Analyser | None = None,
    ) -> None:
        """runtime: device and threads of models (the precision is the library's); analyser: if it is loaded already."""
        self.library = library
        self.indexes = indexes
        self._runtime = runtime
        self._analyser = analyser
        self._catalogue: Catalogue | None = None
        self._classes: ItemClasses | None = None
        self._content_of: dict[Table, Indices] = {}
        self._lock = threading.RLock()

    def refreshed(self) -> OpenLibrary:
        """This object if the library has not changed since it was opened, else one of its present state, opened with the same
        settings and keeping what still holds: models, and vectors in memory."""
        library = Library.open(self.library.path)
        if (library.version, library.roots) == (self.library.version, self.library.roots):
            return self
        analyser = self._analyser if library.recipe == self.library.recipe else None
        return OpenLibrary(library, self.indexes.following(library), self._runtime, analyser)

    @property
    def analyser(self) -> Analyser:
        """The models of the library's recipe. Raises LibraryError where they have changed since it was made."""
        with self._lock:
            if self._analyser is None:
                from soundalike.analysis.analyser import Analyser

                self._analyser = Analyser(self.library.recipe, self._runtime)
            return self._analyser

    @property
    def catalogue(self) -> Catalogue:
        """All items of the library."""
        with self._lock:
            if self._catalogue is None:
                self._catalogue = Catalogue(self.library.items(), lambda: self.classes.codes())
            return self._catalogue

    @property
    def classes(self) -> ItemClasses:
        """The classes of the library's one-shots."""
        with self._lock:
            if self._classes is None:
                recipe = self.library.recipe
                self._classes = ItemClasses(
                    self.catalogue,
                    self.indexes[CLIPS],
                    self._contents_of_items(CLIPS),
                    readable=(recipe.encoder, recipe.encoder_version) == READABLE,
                )
            return self._classes

    def spread(self, parts: Sequence[str]) -> dict[str, Spread]:
        """The spread of each part's cosine between windows of different songs."""
        return stored_spread(self.library, self.indexes[WINDOWS], parts)

    def tie_order(self, table: Table, admitted: Mask) -> Indices:
        """(C,) for each content of a table the number of the first admitted item that has it, -1 where there is none."""
        order = np.full(len(self.indexes[table].rows.contents), -1, dtype=np.int64)
        numbers = np.flatnonzero(admitted)[::-1]
        contents = self._contents_of_items(table)[numbers]
        known = contents >= 0
        order[contents[known]] = numbers[known]  # the last one written stays: the first item
        return order

    def _contents_of_items(self, table: Table) -> Indices:
        """(I,) the index of each item's content in a table, -1 where it has none there."""
        with self._lock:
            if table not in self._content_of:
                places = self.indexes[table].rows.index_of(self.catalogue.contents)
                self._content_of[table] = places[self.catalogue.content_of]
            return self._content_of[table]

    def check_parts(self, parts: Sequence[str]) -> None:
        """Raise InputError for a part that the library does not have."""
        for part in parts:
            if part not in self.library.recipe.parts:
                raise InputError(f"this library has no part {part!r}; it has {', '.join(self.library.recipe.parts)}")
