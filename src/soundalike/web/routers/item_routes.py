"""/api/items: the items of the library."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from soundalike.audio.file_part import part_of_address
from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.parameters import Bound, Classes, CollectionName, Key, Kinds, Limit, Offset, PathText, Text
from soundalike.web.routers.responses import json_response
from soundalike.web.services import file_manager
from soundalike.web.services.item_listing import items_page, one_item

router = APIRouter(prefix="/api/items")


@router.get("", response_model=schemas.ItemsPage)
def items(
    server: Server,
    text: Text = "",
    kind: Kinds = [],  # noqa: B006 - FastAPI copies it
    tempo_from: Bound = None,
    tempo_to: Bound = None,
    key: Key = None,
    seconds_from: Bound = None,
    seconds_to: Bound = None,
    path: PathText = None,
    favourite: bool = False,
    collection: CollectionName = None,
    sound_class: Classes = [],  # noqa: B006 - FastAPI copies it
    facets: bool = False,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Response:
    """A page of items, ordered by path. text: contained in path, title or artist; the others filter as in a search.
    facets: also count the one-shots of each class."""
    filters = schemas.FilterFields(
        kinds=kind,
        tempo=None if tempo_from is tempo_to is None else (tempo_from, tempo_to),
        key=key,
        duration=(seconds_from, seconds_to),
        path=path,
        favourite=favourite,
        collection=collection,
        classes=sound_class,
    )
    return json_response(
        items_page(
            server.library.snapshot,
            server.marks,
            text=text,
            filters=filters,
            offset=offset,
            limit=limit,
            facets=facets,
        )
    )


@router.post("/{item:path}/reveal", status_code=204)
def reveal_item(server: Server, item: str) -> None:
    """Show the item's file in this machine's file manager."""
    path = part_of_address(server.library.snapshot.file_of(item)).file
    if not server.local_only:
        raise HTTPException(
            403,
            "a file can be shown only on the machine that serves it, and only if no other machine can reach the server",
        )
    file_manager.reveal(path)


# The last route: an id may contain slashes, so that this address matches the longer ones too.
@router.get("/{item:path}", response_model=schemas.ItemOut)
def item(server: Server, item: str) -> Response:
    """One item."""
    return json_response(one_item(server.library.snapshot, server.marks.favourites, item))
