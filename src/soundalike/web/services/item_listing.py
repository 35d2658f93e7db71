"""Items of the library as the API returns them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from soundalike.audio.metadata.class_names import CLASSES
from soundalike.listening.favourites import Favourites
from soundalike.search.filters import Filters, make_filters
from soundalike.web import schemas
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.marks import Marks

MAX_TEMPO = 1e9
"""In place of a range without an upper end."""


def one_item(snapshot: LibrarySnapshot, favourites: Favourites, item_id: str) -> dict[str, Any]:
    """The item with the fields of `schemas.ItemOut`. Raises InputError if there is none."""
    return snapshot.items_out([snapshot.item(item_id)], favourites.ids())[0]


def items_page(
    snapshot: LibrarySnapshot,
    marks: Marks,
    *,
    text: str,
    filters: schemas.FilterFields,
    offset: int,
    limit: int,
    facets: bool = False,
) -> dict[str, Any]:
    """A page of the items whose path, title or artist contains `text`, with the fields of `schemas.ItemsPage`."""
    only = marks.only(filters)
    indices = snapshot.matching(text, filters_of(filters), only)
    page = snapshot.catalogue.items(indices[offset : offset + limit])
    return {
        "total": len(indices),
        "items": snapshot.items_out(page, marks.favourites.ids()),
        "classes": class_counts(snapshot, filters_of(filters), only, text) if facets else None,
    }


def class_counts(
    snapshot: LibrarySnapshot, filters: Filters, only: Collection[str] | None, text: str = ""
) -> dict[str, int]:
    """The number of one-shots of each class, or "" for unknown ones, that match all filters but those on class and kind."""
    indices = snapshot.matching(text, replace(filters, classes=(), kinds=("one-shot",)), only)
    counts = Counter(snapshot.finder.opened.classes.codes()[indices].tolist())
    named = {name: counts[code] for code, name in enumerate(CLASSES) if counts[code]}
    unknown = sum(count for code, count in counts.items() if code < 0)
    return named | ({"": unknown} if unknown else {})


def favourite_items(snapshot: LibrarySnapshot, favourites: Favourites) -> dict[str, Any]:
    """The favourites that the library contains, in the order in which they were marked; fields of `schemas.ItemsOut`."""
    marked = favourites.ids()
    items = snapshot.items(item_id for item_id in marked if item_id in snapshot)
    return {"items": snapshot.items_out(items, marked)}


def filters_of(fields: schemas.FilterFields) -> Filters:
    """The filters that a request describes. Raises InputError for an empty range or an unknown key."""
    tempo = None
    if fields.tempo is not None:
        low, high = fields.tempo
        tempo = (low or 0.0, MAX_TEMPO if high is None else high)
    return make_filters(
        kinds=tuple(fields.kinds),
        durations=fields.duration or (None, None),
        tempo=tempo,
        key=fields.key or None,
        paths=(fields.path,) if fields.path else (),
        classes=tuple(fields.classes),
    )
