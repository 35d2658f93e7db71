"""/api/favourites: items that the user has marked."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.responses import json_response
from soundalike.web.services.item_listing import favourite_items

router = APIRouter(prefix="/api/favourites")


@router.get("", response_model=schemas.ItemsOut)
def favourites(server: Server) -> Response:
    """The favourites, in the order in which they were marked."""
    return json_response(favourite_items(server.library.snapshot, server.marks.favourites))


@router.put("/{item:path}", status_code=204)
def mark_favourite(server: Server, item: str) -> None:
    """Mark an item as a favourite."""
    server.marks.favourites.mark(server.library.snapshot.item(item))


@router.delete("/{item:path}", status_code=204)
def unmark_favourite(server: Server, item: str) -> None:
    """Remove an item from the favourites."""
    server.marks.favourites.unmark(item)
