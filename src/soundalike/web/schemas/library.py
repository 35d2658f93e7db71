"""The library, its state and its profiles of weights, and the indexing of folders."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from soundalike.web.schemas.fields import Strict


class IndexOut(BaseModel):
    """How a table is searched: `memory` (exact), `sketches` (scores are exact, but a hit may be missed) or `shards` (exact, on
    a cluster). rows: windows; recall: recall@100 by weights, last measured on the library's own vectors, null if the search is
    exact or not measured yet; worst: the lowest of them."""

    by: Literal["memory", "sketches", "shards"]
    rows: int
    recall: dict[str, float] | None
    worst: float | None


class LibraryOut(BaseModel):
    """The library: parts, models, licences, number of items of each kind, each part's spread (null if unknown). search: by table,
    `windows` (songs) and `clips` (loops and one-shots); state: changes whenever the library changes; reveal: whether files can
    be shown in this machine's file manager; indexing: whether the page may add folders of this machine; collections: the number
    of items of each."""

    name: str
    state: str
    parts: list[str]
    encoder: str
    separator: str
    text: bool
    counts: dict[str, int]
    spread: dict[str, float | None]
    licences: dict[str, str]
    profiles: list[str]
    extensions: list[str]
    most_bytes: int
    favourites: int
    collections: dict[str, int]
    answers: int
    reveal: bool
    indexing: bool
    search: dict[str, IndexOut]


class StateOut(BaseModel):
    """state: changes whenever the library changes; items: the number of items."""

    state: str
    items: int


class ProfileOut(BaseModel):
    """Learnt weights. method: how they were fitted; source: where they were published; data: the answers they were fitted to;
    agreement: the share of held-out answers that they agree with (null: unknown); intervals: 95 % intervals of the weights;
    notes: limitations."""

    name: str
    weights: dict[str, float]
    method: str
    source: str
    data: str
    clip_seconds: float
    agreement: float | None
    intervals: dict[str, tuple[float, float]]
    notes: str


class ProfilesOut(BaseModel):
    """unusable: files in the library's profile folder that are not valid profiles, with the reason."""

    profiles: list[ProfileOut]
    unusable: dict[str, str]


class IndexingIn(Strict):
    """folder: the absolute path of a folder of this machine; null: generated music, to try the page with."""

    folder: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None


class IndexingOut(BaseModel):
    """How far indexing is. done, total: files; current: the file being read. At the end, found: audio files in the folder;
    added: those that were indexed now; skipped: those that could not be used."""

    state: Literal["idle", "running", "done", "failed"]
    folder: str | None = None
    done: int = 0
    total: int = 0
    current: str | None = None
    found: int = 0
    added: int = 0
    skipped: int = 0
    error: str | None = None


class FoldersOut(BaseModel):
    """Absolute paths of folders."""

    folders: list[str]
