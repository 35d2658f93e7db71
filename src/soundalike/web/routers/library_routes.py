"""/api/library: what the library holds, and whether it has changed."""

from __future__ import annotations

from fastapi import APIRouter

from soundalike.web import schemas
from soundalike.web.dependencies import Services
from soundalike.web.services.file_manager import can_reveal

router = APIRouter(prefix="/api/library")


@router.get("")
def library(services: Services) -> schemas.LibraryOut:
    """The library's parts, models, licences and counts."""
    return services.session.describe(answers=services.feedback.count(), reveal=services.local_only and can_reveal())


@router.get("/state")
def library_state(services: Services) -> schemas.StateOut:
    """A string that changes whenever the library changes."""
    return services.session.state()
