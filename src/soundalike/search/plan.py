"""The plan of a search: what is compared with which tables, under which weights, and which items may be returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from soundalike.analysis.kinds import Kind
from soundalike.audio.metadata.class_names import CLASSES
from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.search.filters import Filters
from soundalike.search.index.table_rows import CLIPS, WINDOWS, Indices, Mask, Table
from soundalike.search.index.vector_index import Term
from soundalike.search.item_classes import SoundClass
from soundalike.search.near_duplicates import copies_of
from soundalike.search.open_library import OpenLibrary
from soundalike.search.query import Query
from soundalike.search.request import SearchRequest
from soundalike.search.score_distribution import spread_of_text
from soundalike.search.vector_statistics import Spread
from soundalike.search.weighting import RequestedWeights, Weighting, effective_weights

NEGATIVE_WEIGHT = 0.5
"""How much a negative reference counts, relative to a positive one."""

CLASS_BONUS = 0.25
"""What an item of the reference's class is worth in the order of hits: as much as so much more cosine of the mix. Scores stay
as they are. Measured by `benchmarks/one_shot_classes.py`."""

KINDS_IN: dict[Table, tuple[Kind, ...]] = {WINDOWS: ("song",), CLIPS: ("loop", "one-shot")}
"""The kinds of items whose vectors each table holds."""


@dataclass(frozen=True)
class SearchPlan:
    """A request together with what it means in one state of a library.

    query, negative: the vectors of the references; tables: where to search; weighting: under which weights; kinds: of the
    items that may be returned; admitted (I,): which items of the catalogue may be returned, without the query's own; same:
    paths of the query's own file and its copies, left out; sound_class: of the reference, as its name states or its neighbours
    agree; preferred (I,): items that come earlier in the order, because of that class, by class_bonus.
    """

    request: SearchRequest
    query: Query
    negative: Query | None
    tables: tuple[Table, ...]
    weighting: Weighting
    kinds: tuple[Kind, ...]
    admitted: Mask
    same: tuple[str, ...]
    sound_class: SoundClass | None = None
    preferred: Mask | None = None
    class_bonus: float = CLASS_BONUS

    def terms(self, table: Table) -> list[Term]:
        """What the rows of a table are compared with."""
        terms = []
        for part, weight in self.weighting.effective.items():
            column = part if table == WINDOWS else MIX
            terms.append(Term(part, column, self.query.among(table, part), weight))
            if self.negative is not None:
                direction = self.negative.among(table, part)
                terms.append(Term(f"not {part}", column, direction, -NEGATIVE_WEIGHT * weight))
        return terms


def make_plan(
    opened: OpenLibrary,
    request: SearchRequest,
    requested: RequestedWeights,
    query: Query,
    negative: Query | None,
) -> SearchPlan:
    """The plan of a request whose weights and references are resolved.

    Raises InputError for weights that do not fit the query or the items searched, for weighted parts that are all silent in the
    query, or a tag to exclude that it does not have.
    """
    names_parts = request.part is not None or request.weights is not None
    tables = _tables(query, request.filters, names_parts=names_parts)

    def spread(parts: Sequence[str]) -> dict[str, Spread]:
        if query.texts:
            return spread_of_text(opened.indexes[WINDOWS], parts, query.direction)
        return opened.spread(parts)

    weighting = effective_weights(requested, query, tables, spread)
    filters = _excluding_same(request.filters, query, request.exclude_same)
    if not filters.kinds:
        filters = replace(filters, kinds=tuple(kind for table in tables for kind in KINDS_IN[table]))
    sound_class = _class_of(opened, query)
    filters = _requiring_class(filters, request, query, sound_class)
    admitted = opened.catalogue.admitted(filters)
    own = np.empty(0, dtype=np.int64) if request.include_self else own_items(opened, query, admitted)
    if len(own):
        admitted = admitted.copy()
        admitted[own] = False
    same = tuple(str(opened.library.absolute(item["root"], item["path"])) for item in opened.catalogue.items(own))
    plan = SearchPlan(
        request,
        query,
        negative,
        tables,
        weighting,
        filters.kinds,
        admitted,
        same,
        sound_class,
        _preferred(opened, request, query, weighting),
    )
    if not any(term.query.any() for table in tables for term in plan.terms(table)):
        parts = " and ".join(weighting.effective)
        raise InputError(
            f"no {parts} found in {query.label}, so there is nothing to compare (what is quiet or unusual may be missed); choose "
            "another part, or mix"
        )
    return plan


def _class_of(opened: OpenLibrary, query: Query) -> SoundClass | None:
    """The class of a reference that may be a one-shot."""
    if query.sound_class is not None:
        return SoundClass(query.sound_class)
    if not query.is_clip or query.kind == "loop":
        return None
    return opened.classes.of_vectors(query.mix)


def _preferred(opened: OpenLibrary, request: SearchRequest, query: Query, weighting: Weighting) -> Mask | None:
    """The items of the class that the reference's name states, if they are to come earlier: not where what is unlike comes
    first. Neighbours that agree on a class are the first hits anyway."""
    unlike = any(weight < 0 for weight in weighting.effective.values())
    if request.same_class != "prefer" or query.sound_class is None or request.diverse or unlike:
        return None
    return opened.catalogue.admitted(Filters(classes=(query.sound_class,)))


def _requiring_class(filters: Filters, request: SearchRequest, query: Query, sound_class: SoundClass | None) -> Filters:
    """`filters` with the reference's class where it is required. Raises InputError where that is unknown."""
    if request.same_class != "require":
        return filters
    if sound_class is None:
        raise InputError(
            f"the class of {query.label!r} is not known: its name states none, and similar one-shots do not agree on one; name "
            f"it (--class {CLASSES[0]}, for example)"
        )
    return replace(filters, classes=(sound_class.name,))


def _tables(query: Query, filters: Filters, *, names_parts: bool) -> tuple[Table, ...]:
    """The tables to search: those of the requested kinds, else songs for a song, clips for a clip, and for a text both, or
    songs alone where it names parts."""
    if filters.kinds:
        return tuple(table for table, kinds in KINDS_IN.items() if set(kinds) & set(filters.kinds))
    if query.texts and not names_parts:
        return (WINDOWS, CLIPS)
    return (query.table,)


def _excluding_same(filters: Filters, query: Query, tags: Sequence[str]) -> Filters:
    """`filters` that also exclude the artists or albums of the query."""
    for tag in tags:
        if query.texts:
            raise InputError(f"a text has no {tag}, so the same {tag} cannot be excluded; leave that out")
        values = query.artists if tag == "artist" else query.albums
        if not values:
            raise InputError(f"the reference has no {tag} in its tags, so the same {tag} cannot be excluded")
        filters = replace(filters, not_artists=values) if tag == "artist" else replace(filters, not_albums=values)
    return filters


def own_items(opened: OpenLibrary, query: Query, admitted: Mask) -> Indices:
    """The admitted items that are the query itself: the same bytes, or a near-identical copy."""
    own = opened.catalogue.with_digests(query.digests)
    if query.complete:
        index = opened.indexes[query.table]
        eligible = opened.tie_order(query.table, admitted) >= 0
        for copy in copies_of(query.mix, float(query.ends.max()), index, eligible):
            own = np.union1d(own, opened.catalogue.with_content(index.rows.contents[copy].as_py()))
    return own[admitted[own]]
