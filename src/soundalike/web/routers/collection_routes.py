"""/api/collections: named lists of items."""

from __future__ import annotations

from fastapi import APIRouter

from soundalike.listening.sound_collections import collection_name
from soundalike.web import schemas
from soundalike.web.dependencies import Server

router = APIRouter(prefix="/api/collections")


@router.post("/{name}", response_model=schemas.CollectionOut)
def change_collection(
    server: Server, name: schemas.ShortText, change: schemas.CollectionChange
) -> schemas.CollectionOut:
    """Add items to a collection, which is made if there is none, or remove items; without any it ends.

    `LibraryOut.collections` lists them all, and the filter `collection` lists the items of one.
    """
    added = server.library.snapshot.items(change.add)
    count = server.marks.collections.change(name, added, set(change.remove))
    return schemas.CollectionOut(name=collection_name(name), count=count)
