"""/api/favourites: items that the user has marked."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from soundalike.web import schemas
from soundalike.web.dependencies import Services
from soundalike.web.routers.responses import json_response

router = APIRouter(prefix="/api/favourites")


@router.get("", response_model=schemas.ItemsOut)
def favourites(services: Services) -> Response:
    """The favourites, in the order in which they were marked."""
    return json_response(services.session.favourite_items())


@router.put("/{item:path}", status_code=204)
def mark_favourite(services: Services, item: str) -> None:
    """Mark an item as a favourite."""
    services.session.favourites.mark(services.session.shelf.item(item))


@router.delete("/{item:path}", status_code=204)
def unmark_favourite(services: Services, item: str) -> None:
    """Remove an item from the favourites."""
    services.session.favourites.unmark(item)
