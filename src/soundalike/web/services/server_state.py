"""Everything that one server holds: the library, uploads, caches, and the services that work with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from soundalike.config import Runtime
from soundalike.library.storage.location import Location
from soundalike.web.services.feedback import Feedback
from soundalike.web.services.indexing import Indexing
from soundalike.web.services.library_profiles import LibraryProfiles
from soundalike.web.services.maps import Maps
from soundalike.web.services.marks import Marks
from soundalike.web.services.media import Media
from soundalike.web.services.query_cache import QueryCache
from soundalike.web.services.searches import Searches
from soundalike.web.services.served_library import ServedLibrary
from soundalike.web.services.uploads import Uploads

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines


@dataclass(frozen=True)
class ServerState:
    """The services of one application; each is about one thing. local_only: whether only this machine can reach the server."""

    library: ServedLibrary
    uploads: Uploads
    media: Media
    searches: Searches
    profiles: LibraryProfiles
    marks: Marks
    feedback: Feedback
    maps: Maps
    indexing: Indexing
    local_only: bool

    @classmethod
    def open(
        cls, location: Location, runtime: Runtime, uploads: Uploads, *, cluster: Machines | None, local_only: bool
    ) -> ServerState:
        """Open the library at `location`. Raises LibraryError if there is none."""
        library = ServedLibrary(location, runtime, cluster)
        queries = QueryCache(library, uploads)
        profiles = LibraryProfiles(library)
        marks = Marks.of(location)
        return cls(
            library=library,
            uploads=uploads,
            media=Media(library, uploads),
            searches=Searches(library, queries, profiles, marks, max_at_once=runtime.cores),
            profiles=profiles,
            marks=marks,
            feedback=Feedback(library, uploads, queries),
            maps=Maps(),
            indexing=Indexing(location, library.refresh_now),
            local_only=local_only,
        )

    def close(self) -> None:
        """End the workers, delete the uploads."""
        self.indexing.close()
        self.library.close()
        self.maps.close()
        self.uploads.close()
