"""/api/profiles: learnt weights."""

from __future__ import annotations

from fastapi import APIRouter

from soundalike.web import schemas
from soundalike.web.dependencies import Server

router = APIRouter(prefix="/api/profiles")


@router.get("")
def profiles(server: Server) -> schemas.ProfilesOut:
    """Profiles that fit this library's models: those shipped with soundalike, and those in the library's folder
    `listening/profiles`."""
    return server.profiles.describe()
