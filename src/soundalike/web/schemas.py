"""Types of the API's requests and responses."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from soundalike.search.request import SameClass, Versions
from soundalike.search.version_share import MOST_OF_IT

Weight = Annotated[float, Field(ge=-1_000, le=1_000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Kind = Literal["song", "loop", "one-shot"]
MapKind = Literal["song", "loop", "one-shot", "all"]
ClassName = Annotated[str, Field(max_length=40)]
PartName = Annotated[str, Field(max_length=40)]
ShortText = Annotated[str, Field(max_length=200)]


class Strict(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class FilterFields(Strict):
    """Which items to search. Ranges are (low, high); either may be null. collection: the name of one;
    classes: of one-shots, such as `snare`."""

    kinds: list[Kind] = Field(default=[], max_length=3)
    tempo: tuple[float | None, float | None] | None = None
    key: ShortText | None = None
    duration: tuple[float | None, float | None] | None = None
    path: Annotated[str, Field(max_length=1_000)] | None = None
    favourite: bool = False
    collection: ShortText | None = None
    classes: list[ClassName] = Field(default=[], max_length=20)


class OnsetGroupIn(Strict):
    """A group of similar onsets: the part of the reference that they are in, and the number of the group in `OnsetsOut`."""

    part: PartName
    group: int = Field(ge=0, le=400)


class SearchIn(Strict):
    """A search: exactly one of upload, item and text; optionally a region (s), and weights, profile or part, as on the command
    line.

    candidates: the number of windows to send with their cosines, so that the page can rank them again; few: use only so many
    representative windows of an upload, for a quick first result; same_class: what the class of a one-shot means for its hits
    (those of its class come earlier, are the only ones, or count like others); versions: whether other versions of a song (cut,
    shifted) are listed under it (`fold`) or as hits (`show`); version_share: how much of the shorter song a version has in
    common with the other; facets: also count the items of each class;
    kind: what the reference is, instead of an estimate; onsets:
    compare a group of onsets of a part of the reference (or of its region) with one-shots or loops; alike, unlike: items that
    the listener found alike or not, towards and away from which the reference is moved.
    """

    upload: Id | None = None
    item: Id | None = None
    text: Annotated[str, Field(max_length=1_000)] | None = None
    region: tuple[Seconds, Seconds | None] | None = None
    weights: dict[ShortText, Weight] | None = Field(default=None, max_length=20)
    profile: ShortText | None = None
    part: ShortText | None = None
    raw: bool = False
    filters: FilterFields = FilterFields()
    n: int = Field(default=50, ge=1, le=2_000)
    candidates: int = Field(default=0, ge=0, le=5_000)
    few: int | None = Field(default=None, ge=1, le=20)
    same_class: SameClass = "prefer"
    versions: Versions = "fold"
    version_share: float = Field(default=MOST_OF_IT, gt=0, le=1)
    facets: bool = False
    kind: Kind | None = None
    onsets: OnsetGroupIn | None = None
    alike: list[Id] = Field(default=[], max_length=100)
    unlike: list[Id] = Field(default=[], max_length=100)


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


class VersionOut(BaseModel):
    """A song that is a cut or shifted version of a hit or of the reference, and so is no hit of its own."""

    id: str
    path: str
    title: str | None
    artist: str | None
    duration: float
    score: float


class HitOut(BaseModel):
    """A hit: the item, the seconds that matched, the score and each part's contribution. copy_paths: other files with the same
    content, and near-identical ones (the same recording in another format, for example), which are not listed as hits;
    versions: other versions of the song, which are not listed either unless the request shows them."""

    item: ItemOut
    start: float
    end: float
    score: float
    contributions: dict[str, float]
    silent: list[str]
    copies: int
    copy_paths: list[str]
    versions: list[VersionOut] = []
    deviations: float | None
    above: float | None


class CandidatesOut(BaseModel):
    """parts (K,); items (M,); rows: (index of the item, start, end, cosines (K,)) of windows that may be an item's best."""

    parts: list[str]
    items: list[ItemOut]
    rows: list[tuple[int, float, float, list[float]]]


class SearchResultOut(BaseModel):
    """The result of a search. weights: as requested; effective: the factors of the cosines; weighting: a description; silent:
    parts with a weight that are silent in the reference; same: the number of files left out because they are the reference
    itself; versions: other versions of the reference, left out too; windows: those of the reference; share: of the rows that were
    searched (0 to 1), under 1 while a node of a cluster is down; sound_class, class_share: of the reference, as of an item;
    class_preferred: whether hits of that class come earlier;
    classes: if facets were requested, the one-shots of each class that the other filters admit, of unknown class under "";
    scale: by kind, the score that 0, 1, 2, ... 100 % of the library's items of that kind stay below, null for fewer
    than ten items."""

    hits: list[HitOut]
    weights: dict[str, float]
    effective: dict[str, float]
    weighting: str
    silent: list[str]
    same: int
    versions: list[VersionOut]
    searched: int
    share: float
    kinds: list[str]
    label: str
    windows: list[tuple[float, float]]
    sound_class: str | None
    class_share: float | None
    class_preferred: bool
    classes: dict[str, int] | None
    scale: dict[str, list[float]]
    candidates: CandidatesOut | None


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
    `windows` (songs) and `wholes` (loops and one-shots); state: changes whenever the library changes; reveal: whether files can
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


class UploadOut(BaseModel):
    """An upload. peaks: lowest and highest sample of equal intervals; loudness in LUFS, null for silence; kind, tempo (BPM, null
    if unknown) and key: what indexing would determine."""

    id: str
    name: str
    duration: float
    sample_rate: int
    channels: int
    loudness: float | None
    kind: Kind
    tempo: float | None
    tempo_source: str | None
    key: str | None
    key_source: str | None
    peaks: list[tuple[float, float]]


class OnsetGroupOut(BaseModel):
    """Similar onsets, the loudest first: starts, ends in s of the file. near: the one-shots that are most similar to them;
    sound_class: on which the named ones agree, with their share of the vote in class_share; null if they do not."""

    starts: list[float]
    ends: list[float]
    near: list[ItemOut]
    sound_class: str | None
    class_share: float | None


class OnsetsOut(BaseModel):
    """The onsets of a part of a reference in groups, the largest first; only the largest have `near`."""

    part: str
    groups: list[OnsetGroupOut]


class MatchIn(Strict):
    """Which seconds of a reference are most similar to a hit: the search, the hit's item and the start (s) of its window."""

    search: SearchIn
    item: Id
    start: Seconds


class MatchOut(BaseModel):
    """start, end: the window of the reference (s) that is most similar to the hit; score: of that window alone."""

    start: float
    end: float
    score: float


class PeaksOut(BaseModel):
    """The waveform of an item: as of an upload."""

    duration: float
    peaks: list[tuple[float, float]]


class ItemsPage(BaseModel):
    """A page of items. total: the number of items that match; classes: as of a search result, if facets were requested."""

    total: int
    items: list[ItemOut]
    classes: dict[str, int] | None


class ItemsOut(BaseModel):
    """A list of items."""

    items: list[ItemOut]


class OverviewOut(BaseModel):
    """A waveform overview: lowest and highest sample of equal intervals, -127..0 and 0..127."""

    duration: float
    low: list[int]
    high: list[int]

    @classmethod
    def of(cls, kept: tuple[float, NDArray[np.int8], NDArray[np.int8]] | None) -> Self | None:
        """From duration, low and high as they are stored."""
        return None if kept is None else cls(duration=kept[0], low=kept[1].tolist(), high=kept[2].tolist())


class PeaksOfItems(BaseModel):
    """Waveform overviews by item; null if there is none yet."""

    peaks: dict[str, OverviewOut | None]


class ReferenceIn(Strict):
    """What hits were compared with: an upload or an item, complete or a region of it (s)."""

    upload: Id | None = None
    item: Id | None = None
    region: tuple[Seconds, Seconds | None] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.upload is None) == (self.item is None):
            raise ValueError("give one of upload and item")
        if self.region is not None and self.region[1] is not None and self.region[1] <= self.region[0]:
            raise ValueError("the region ends before it begins")
        return self


class HitIn(Strict):
    """An item, and the seconds of it that the listener heard."""

    item: Id
    start: Seconds
    end: Seconds


class AlikeIn(Strict):
    """The answer whether a hit is alike."""

    reference: ReferenceIn
    weights: dict[ShortText, Weight] | None = Field(default=None, max_length=20)
    hit: HitIn
    alike: StrictBool


class CloserIn(Strict):
    """The answer which of two hits is closer. sure: whether the listener was sure."""

    reference: ReferenceIn
    weights: dict[ShortText, Weight] | None = Field(default=None, max_length=20)
    a: HitIn
    b: HitIn
    closer: Literal["a", "b"]
    sure: StrictBool


class CollectionChange(Strict):
    """Items to add to a collection and to remove from it."""

    add: list[Id] = Field(default=[], max_length=2_000)
    remove: list[Id] = Field(default=[], max_length=2_000)


class CollectionOut(BaseModel):
    """The number of items of a collection; without any it no longer exists."""

    name: str
    count: int


class AnswerKept(BaseModel):
    """id: used to withdraw the answer; count: the number of answers now."""

    id: str
    count: int


class AnswersOut(BaseModel):
    """count: answers that were not withdrawn; alike: those about a single hit; triplets: what they amount to for fitting."""

    count: int
    triplets: int
    alike: int


class MapOut(BaseModel):
    """The map: x, y in 0..1, similar items close together. state: `making` (ask again), `none` (no such items) or `ready`; total:
    the number of items, of which a large library shows a subset; tempo in BPM and sound_class (of one-shots), null if unknown."""

    state: Literal["ready", "making", "none"]
    progress: float
    total: int
    ids: list[str]
    x: list[float]
    y: list[float]
    kind: list[Kind]
    tempo: list[float | None]
    folder: list[str]
    names: list[str]
    sound_class: list[str | None]

    @classmethod
    def empty(cls, state: Literal["making", "none"], progress: float = 0.0) -> Self:
        """A map without points."""
        return cls(
            state=state,
            progress=progress,
            total=0,
            ids=[],
            x=[],
            y=[],
            kind=[],
            tempo=[],
            folder=[],
            names=[],
            sound_class=[],
        )


class IndexingIn(Strict):
    """folder: the absolute path of a folder of this machine; null: generated music, to try the page with."""

    folder: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None


class IndexingOut(BaseModel):
    """How far indexing is. done, total: files; current: the file being read; added: files that were indexed, at the end."""

    state: Literal["idle", "running", "done", "failed"]
    folder: str | None = None
    done: int = 0
    total: int = 0
    current: str | None = None
    added: int = 0
    error: str | None = None


class FoldersOut(BaseModel):
    """Absolute paths of folders."""

    folders: list[str]


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
