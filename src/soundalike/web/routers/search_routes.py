"""/api/search: find similar items."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.responses import json_response

router = APIRouter(prefix="/api/search")


@router.post("", response_model=schemas.SearchResultOut)
def search(server: Server, query: schemas.SearchIn) -> Response:
    """Find items similar to an upload or an item, or matching a text, under given weights. candidates: also send that many
    windows with their cosines, so that the page can rank them again while a slider moves."""
    return json_response(server.searches.search(query))


@router.post("/matched")
def matched(server: Server, query: schemas.MatchIn) -> schemas.MatchOut:
    """Find the seconds of the reference that are most similar to a hit."""
    return server.searches.matched(query)
