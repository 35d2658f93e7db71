"""What the user has marked in the library: favourites and collections."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from soundalike.library.storage.location import Location
from soundalike.listening.favourites import Favourites
from soundalike.listening.sound_collections import SoundCollections
from soundalike.web import schemas


@dataclass(frozen=True)
class Marks:
    """The favourites and collections of one library."""

    favourites: Favourites
    collections: SoundCollections

    @classmethod
    def of(cls, library: Location) -> Marks:
        """The marks in the library at `library`."""
        return cls(Favourites(library), SoundCollections(library))

    def only(self, filters: schemas.FilterFields) -> Collection[str] | None:
        """The items that the filters on marks admit; None: all. Raises NotFoundError for a collection that does not exist."""
        if filters.collection is None:
            return self.favourites.ids() if filters.favourite else None
        collected = self.collections.ids(filters.collection)
        return set(collected) & set(self.favourites.ids()) if filters.favourite else collected
