"""/api/indexing: add folders of this machine to the library, from a page that only this machine can open."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.parameters import FolderBeginning
from soundalike.web.services.indexing import suggested_folders

router = APIRouter(prefix="/api/indexing")


@router.get("")
def progress(server: Server) -> schemas.IndexingOut:
    """How far indexing is."""
    return server.indexing.progress


@router.post("", status_code=202)
def start(server: Server, wanted: schemas.IndexingIn) -> schemas.IndexingOut:
    """Index a folder, or generated music if none is given."""
    _check_local(server.local_only)
    return server.indexing.start(wanted.folder)


@router.get("/folders")
def folders(server: Server, beginning: FolderBeginning = "") -> schemas.FoldersOut:
    """Folders of this machine whose paths begin so."""
    _check_local(server.local_only)
    return schemas.FoldersOut(folders=suggested_folders(beginning))


def _check_local(local_only: bool) -> None:
    if not local_only:
        raise HTTPException(
            403, "folders are indexed only on the machine that serves them; use `soundalike index` there"
        )
