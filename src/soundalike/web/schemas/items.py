"""Items of the library, their collections, and lists of them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from soundalike.web.schemas.fields import Id, Strict


class ItemOut(BaseModel):
    """An item of the library. name: its path relative to its root; folder: the folder part of name; path: absolute, for
    playlists; sound_class: of a one-shot (null if unknown), as its name states, or as its nearest named neighbours agree or
    the encoder hears, with their share of the vote or its confidence in class_share. For a track of a file with a cue sheet,
    file: that file, for playlists; offset: the second at which the track begins in it."""

    id: str
    root: str
    name: str
    folder: str
    path: str
    favourite: bool
    kind: str
    duration: float
    loudness: float | None
    tempo: float | None
    tempo_source: str | None
    key: str | None
    key_source: str | None
    artist: str | None
    title: str | None
    album: str | None
    status: str
    sound_class: str | None
    class_share: float | None
    file: str | None = None
    offset: float = 0.0


class ItemsOut(BaseModel):
    """A list of items."""

    items: list[ItemOut]


class ItemsPage(BaseModel):
    """A page of items. total: the number of items that match; classes: as of a search result, if facets were requested."""

    total: int
    items: list[ItemOut]
    classes: dict[str, int] | None


class CollectionChange(Strict):
    """Items to add to a collection and to remove from it."""

    add: list[Id] = Field(default=[], max_length=2_000)
    remove: list[Id] = Field(default=[], max_length=2_000)


class CollectionOut(BaseModel):
    """The number of items of a collection; without any it no longer exists."""

    name: str
    count: int
