"""/api/docs: the description of the API as a page; /api/openapi.json, the same for programs, is FastAPI's."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from soundalike.web.api_description import description_page

router = APIRouter(prefix="/api/docs")


@router.get("", response_class=HTMLResponse)
def docs(request: Request) -> Response:
    """This description of the API, as a page."""
    return HTMLResponse(description_page(request.app.openapi()))
