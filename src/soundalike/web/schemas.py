"""What goes over the wire: requests and answers, typed."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

Weight = Annotated[float, Field(ge=-1_000, le=1_000, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
Id = Annotated[str, Field(min_length=1, max_length=200)]
Kind = Literal["song", "loop", "one-shot"]
MapKind = Literal["song", "loop", "one-shot", "all"]
PartName = Annotated[str, Field(max_length=40)]
Word = Annotated[str, Field(max_length=200)]


class Strict(BaseModel):
    """Unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class FilterFields(Strict):
    """Which items are in question; ranges are (low, high), either may be null. Typed values, never pasted into a query."""

    kinds: list[Kind] = Field(default=[], max_length=3)
    tempo: tuple[float | None, float | None] | None = None
    key: Word | None = None
    duration: tuple[float | None, float | None] | None = None
    path: Annotated[str, Field(max_length=1_000)] | None = None
    favourite: bool = False


class Search(Strict):
    """One of upload, item, text; then region (s) and weights, profile or part, as on the command line.

    candidates: how many to send for ordering anew; few: look at that many representative windows of an upload alone, for a
    first answer soon.
    """

    upload: Id | None = None
    item: Id | None = None
    text: Annotated[str, Field(max_length=1_000)] | None = None
    region: tuple[Seconds, Seconds | None] | None = None
    weights: dict[Word, Weight] | None = Field(default=None, max_length=20)
    profile: Word | None = None
    part: Word | None = None
    raw: bool = False
    filters: FilterFields = FilterFields()
    n: int = Field(default=50, ge=1, le=2_000)
    candidates: int = Field(default=0, ge=0, le=5_000)
    few: int | None = Field(default=None, ge=1, le=20)


class ItemOut(BaseModel):
    """An item of the library. name: its path inside its root; folder: the folder part of it; path: absolute, for
    playlists."""

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


class HitOut(BaseModel):
    """A hit: which item, the seconds that matched, the score and what each part contributes to it; copy_paths: other files
    with the same content, and near-identical ones (the same recording in another format, say), folded into it."""

    item: ItemOut
    start: float
    end: float
    score: float
    contributions: dict[str, float]
    silent: list[str]
    copies: int
    copy_paths: list[str]
    deviations: float | None
    above: float | None


class CandidatesOut(BaseModel):
    """parts (K,); items (M,); rows: (item, start, end, cosines (K,)) of windows that may be an item's best."""

    parts: list[str]
    items: list[ItemOut]
    rows: list[tuple[int, float, float, list[float]]]


class Answer(BaseModel):
    """weights: as asked for; effective: what multiplies the cosines; weighting: in words; silent: parts that count but
    are absent in the reference; same: how many files were left out as the reference itself; windows: the reference's; share: of
    the rows that were searched (0..1), under 1 while a machine of a cluster is down."""

    hits: list[HitOut]
    weights: dict[str, float]
    effective: dict[str, float]
    weighting: str
    silent: list[str]
    same: int
    searched: int
    share: float
    kinds: list[str]
    label: str
    windows: list[tuple[float, float]]
    candidates: CandidatesOut | None


class SearchOut(BaseModel):
    """How a table is searched: `memory` (exactly), `sketches` (exact scores; a hit may be missed) or `shards` (exactly, on a
    cluster). rows: windows in it; recall:
    recall@100 by weights as last measured on the library's own vectors, null where all is exact or nothing was measured yet;
    worst: the least of them."""

    by: Literal["memory", "sketches", "shards"]
    rows: int
    recall: dict[str, float] | None
    worst: float | None


class LibraryOut(BaseModel):
    """What the library is: parts, models, licences, how many items of each kind, each part's spread (null where unknown);
    search: by `windows` (songs) and `wholes` (loops and one-shots);
    state: another word whenever it has changed; reveal: whether files can be shown in this machine's file manager."""

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
    answers: int
    reveal: bool
    search: dict[str, SearchOut]


class StateOut(BaseModel):
    """state: another word whenever the library has changed."""

    state: str
    items: int


class UploadOut(BaseModel):
    """An upload: peaks are the (lowest, highest) value of equal stretches; loudness in LUFS, null for silence; kind and tempo
    (BPM, null where unknown) as indexing would tell them."""

    id: str
    name: str
    duration: float
    sample_rate: int
    channels: int
    loudness: float | None
    kind: Kind
    tempo: float | None
    peaks: list[tuple[float, float]]


class PeaksOut(BaseModel):
    """As of an upload."""

    duration: float
    peaks: list[tuple[float, float]]


class Items(BaseModel):
    """A page of items. total: how many match."""

    total: int
    items: list[ItemOut]


class ItemsOut(BaseModel):
    """Items in full."""

    items: list[ItemOut]


class OutlineOut(BaseModel):
    """The outline of a file's waveform in equal stretches: lowest and highest sample of each, -127..0 and 0..127."""

    duration: float
    low: list[int]
    high: list[int]

    @classmethod
    def of(cls, kept: tuple[float, NDArray[np.int8], NDArray[np.int8]] | None) -> Self | None:
        """From duration, low and high as they are kept."""
        return None if kept is None else cls(duration=kept[0], low=kept[1].tolist(), high=kept[2].tolist())


class PeaksOfItems(BaseModel):
    """By item; null where a file cannot be read now."""

    peaks: dict[str, OutlineOut | None]


class ReferenceIn(Strict):
    """What hits were compared with: an upload or an item, all of it or a region (s)."""

    upload: Id | None = None
    item: Id | None = None
    region: tuple[Seconds, Seconds | None] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.upload is None) == (self.item is None):
            raise ValueError("give one of upload and item")
        if self.region is not None and self.region[1] is not None and self.region[1] <= self.region[0]:
            raise ValueError("the region ends before it begins")
        return self


class HitIn(Strict):
    """An item, and the seconds of it that were heard."""

    item: Id
    start: Seconds
    end: Seconds


class AlikeIn(Strict):
    """Whether a hit is alike."""

    reference: ReferenceIn
    weights: dict[Word, Weight] | None = Field(default=None, max_length=20)
    hit: HitIn
    alike: StrictBool


class CloserIn(Strict):
    """Which of two hits is closer; sure: whether that was easy to say."""

    reference: ReferenceIn
    weights: dict[Word, Weight] | None = Field(default=None, max_length=20)
    a: HitIn
    b: HitIn
    closer: Literal["a", "b"]
    sure: StrictBool


class AnswerKept(BaseModel):
    """id: by which the answer can be withdrawn; count: how many there are now."""

    id: str
    count: int


class AnswersOut(BaseModel):
    """count: answers in force; alike: those of them that judge one hit; triplets: what all of them make for fitting."""

    count: int
    triplets: int
    alike: int


class MapOut(BaseModel):
    """Where items lie among those that sound alike: x, y in 0..1; state: `making` (ask again), `none` (no such items) or
    `ready`; total: how many items there are, of which many thousand are shown; kind of each; tempo in BPM, null where
    unknown."""

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

    @classmethod
    def nothing(cls, state: Literal["making", "none"], progress: float = 0.0) -> Self:
        """A map without points."""
        return cls(state=state, progress=progress, total=0, ids=[], x=[], y=[], kind=[], tempo=[], folder=[], names=[])


class ProfileOut(BaseModel):
    """Learnt weights: how they were fitted, where they stand, the answers they come from, the share of held-out answers they
    agree with (null: unknown), 95 % intervals of the weights, what to beware of."""

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
    """unusable: files of the library's own that are no profiles, and why."""

    profiles: list[ProfileOut]
    unusable: dict[str, str]
