"""/api/map: the library as a map on which similar items are close together."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from soundalike.parts import MIX
from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.responses import json_response

router = APIRouter(prefix="/api/map")


@router.get("", response_model=schemas.MapOut)
def library_map(server: Server, part: schemas.PartName = MIX, kind: schemas.MapKind | None = None) -> Response:
    """The map of the items of one kind, or of all by their mix; state `making` while it is computed: ask again. kind: `all`
    for the mix and `song` for other parts unless given."""
    kind = kind or ("all" if part == MIX else "song")
    return json_response(server.maps.get(server.library.snapshot, part, kind))
