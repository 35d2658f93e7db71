"""/api/library: what the library holds, and whether it has changed."""

from __future__ import annotations

from fastapi import APIRouter

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.services.file_manager import can_reveal
from soundalike.web.services.library_description import describe_library, library_state

router = APIRouter(prefix="/api/library")


@router.get("")
def library(server: Server) -> schemas.LibraryOut:
    """The library's parts, models, licences and counts."""
    return describe_library(server, reveal=server.local_only and can_reveal())


@router.get("/state")
def state(server: Server) -> schemas.StateOut:
    """A string that changes whenever the library changes."""
    return library_state(server.library.refresh())
