"""Find what sounds similar in an open library.

    finder = soundalike.open("my.library")
    result = finder.similar("song.ogg", region=(62, 72), weights={"drums": 1, "bass": 0.3})
    for hit in result.hits:
        print(hit.path, hit.score, hit.contributions)

    result = finder.similar(text="dry funk snare", part="drums")
    for hit in result.hits:
        print(hit.path, hit.score, hit.deviations, hit.above)

A search runs through five modules, each called from here: `request` (what is requested), `references` (files to vectors),
`plan` (weights, tables, eligible items), `ranking` (the search itself, through `index`) and `presentation` (hits).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from soundalike.config import Runtime
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library
from soundalike.search.catalogue import Catalogue
from soundalike.search.duplicate_groups import duplicate_groups
from soundalike.search.filters import Filters
from soundalike.search.index.local_indexes import IndexSettings, LocalIndexes
from soundalike.search.index.vector_index import TableIndexes
from soundalike.search.onset_search import filters_for_onsets, onset_queries
from soundalike.search.open_library import OpenLibrary
from soundalike.search.plan import SearchPlan, make_plan
from soundalike.search.presentation import present
from soundalike.search.query import Query, query_from_texts
from soundalike.search.ranking import rank
from soundalike.search.references import find_item, resolve_reference, resolve_references
from soundalike.search.request import Reference, Region, SearchRequest
from soundalike.search.results import SearchResult
from soundalike.search.weighting import requested_weights

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analyser
    from soundalike.analysis.onset_groups import OnsetGroup
    from soundalike.jobs.ray import Machines


class Finder:
    """An open library that answers searches; vectors and models are loaded when first needed and kept.

    A picture of the moment it was opened: `refreshed` gives one of the library's present state. Safe to use from several
    threads.
    """

    def __init__(self, opened: OpenLibrary) -> None:
        self.opened = opened

    @classmethod
    def open(
        cls,
        path: str | Location,
        *,
        device: str = "auto",
        memory: int | None = None,
        cosine_cache_bytes: int = 0,
        on_status: Callable[[str], None] | None = None,
        cluster: Machines | None = None,
    ) -> Self:
        """Open the library at `path`, a folder or an `s3://` address.

        device: where neural models compute (see `config.Runtime`); memory: bytes of vectors of a table that may be held in
        memory (None: `config.memory_budget`), beyond which it is searched by one-bit codes; cosine_cache_bytes: size of a cache
        of the cosines of earlier queries; on_status: called with a message before something that takes long; cluster: a Ray
        cluster (`jobs.ray.connected`) whose machines hold the vectors and search them.

        Raises LibraryError where there is no library, InputError for an unknown device.
        """
        library = Library.open(path)
        indexes: TableIndexes
        if cluster is None:
            indexes = LocalIndexes(library, IndexSettings(memory, cosine_cache_bytes, on_status))
        else:
            from soundalike.search.index.sharded import ShardedIndexes

            indexes = ShardedIndexes(cluster, library, on_status=on_status)
        return cls(OpenLibrary(library, indexes, Runtime(device)))

    def refreshed(self) -> Finder:
        """This finder if the library has not changed since it was opened, else one of its present state, opened with the same
        settings and keeping what still holds: models, and vectors in memory."""
        opened = self.opened.refreshed()
        return self if opened is self.opened else Finder(opened)

    @property
    def library(self) -> Library:
        """The library in the state that is searched."""
        return self.opened.library

    @property
    def indexes(self) -> TableIndexes:
        """The vector index of each table."""
        return self.opened.indexes

    @property
    def analyser(self) -> Analyser:
        """The models of the library's recipe. Raises LibraryError where they have changed since it was made."""
        return self.opened.analyser

    @property
    def catalogue(self) -> Catalogue:
        """All items of the library, column by column."""
        return self.opened.catalogue

    @property
    def items(self) -> list[dict[str, Any]]:
        """All items of the library, as dictionaries, ordered by id. Built at each call: use `catalogue` for a large library."""
        return self.catalogue.items(range(len(self.catalogue)))

    def find_item(self, reference: str | Path) -> dict[str, Any] | None:
        """The item with this id or path (absolute, relative, or as the library names it), if there is one and its file has not
        changed since it was indexed."""
        return find_item(self.opened, reference)

    def check_parts(self, parts: Sequence[str]) -> None:
        """Raise InputError for a part that the library does not have."""
        self.opened.check_parts(parts)

    def query(
        self,
        reference: str | Path,
        *,
        region: Region | None = None,
        part: str | None = None,
        kind: str | None = None,
        parts: Sequence[str] | None = None,
    ) -> Query:
        """A query from a file, or from an item of the library given by id or path (whose stored vectors are read).

        part: the stem to whose onset a short region snaps; kind: what the file is, instead of an estimate; parts: those to
        compute (None: all that the library has); the fewer, the faster.
        """
        return resolve_reference(self.opened, reference, region=region, focus=part, kind=kind, parts=parts)

    def query_text(self, text: str | Sequence[str]) -> Query:
        """A query from a text, or from several, the mean of whose cosines counts.

        Raises InputError for an empty or overlong text, or a library whose encoder has no text.
        """
        return query_from_texts(self.analyser, [text] if isinstance(text, str) else list(text))

    def similar(
        self, reference: SearchRequest | Reference | Sequence[Reference] | None = None, **options: Any
    ) -> SearchResult:
        """What sounds similar to `reference`, or matches a text, best first; the same input gives the same order.

        reference: one or several files, items of the library or queries, or a whole `SearchRequest`; options: `text` in place
        of a reference, and all that `SearchRequest.of` takes: region, weights, profile, part, filters, negative, n, ...

        Raises InputError for a part, weight or reference that does not exist, AudioError for a file that cannot be used.
        """
        return self.answer(self.plan(reference, **options))

    def plan(
        self, reference: SearchRequest | Reference | Sequence[Reference] | None = None, **options: Any
    ) -> SearchPlan:
        """What `similar` would search for, before anything is searched; arguments and errors as there."""
        if isinstance(reference, SearchRequest):
            if options:
                raise TypeError(f"a SearchRequest is complete; put {', '.join(options)} into it")
            request = reference
        else:
            request = SearchRequest.of(reference, **options)
        requested = requested_weights(self.library.recipe, request)
        query, negative = resolve_references(self.opened, request, requested.parts)
        return make_plan(self.opened, request, requested, query, negative)

    def answer(self, plan: SearchPlan) -> SearchResult:
        """The result of a plan."""
        return present(self.opened, plan, rank(self.opened, plan))

    def onset_groups(
        self,
        reference: str | Path,
        *,
        part: str = "drums",
        region: Region | None = None,
        filters: Filters | None = None,
        groups: int = 6,
        n: int = 3,
    ) -> list[tuple[OnsetGroup, SearchResult]]:
        """The onsets in one part of a song in groups of similar ones, and for each group the clips that sound like it.

        The region (default: the whole file) is separated, its `part` cut at the onsets, and the `groups` most frequent groups
        are searched for among one-shots (or `filters.kinds`). Raises as `similar` does.
        """
        filters = filters_for_onsets(filters)
        queries = onset_queries(self.opened, reference, part, region, groups)
        return [(group, self.similar(query, filters=filters, n=n)) for group, query in queries]

    def duplicates(self, *, versions: bool = False) -> list[tuple[str, list[str]]]:
        """Groups of copies: ("identical" or "near-identical", absolute paths), in the order of their first path.

        versions: also ("versions", ...), songs that are cut or shifted versions of one another. Raises InputError if they
        cannot be recognised with the library's encoder.
        """
        return duplicate_groups(self.opened, versions=versions)
