"""A search: what is asked, and its hits."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from soundalike.search.request import SameClass, Versions
from soundalike.search.version_share import MOST_OF_IT
from soundalike.web.schemas.fields import ClassName, Id, Kind, PartName, Seconds, ShortText, Strict, Weight
from soundalike.web.schemas.items import ItemOut


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


class VersionOut(BaseModel):
    """A song that is a cut or shifted version of a hit or of the reference, and so is not a hit of its own."""

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


class UsualOut(BaseModel):
    """Mean and standard deviation of scores."""

    mean: float
    deviation: float


class SearchResultOut(BaseModel):
    """The result of a search. weights: as requested; effective: the factors of the cosines; weighting: a description; silent:
    parts with a weight that are silent in the reference; same: the number of files left out because they are the reference
    itself; versions: other versions of the reference, left out too; windows: those of the reference; absent: how many files
    of those searched have none of the parts compared, and no score; share: of the rows that were searched (0 to 1), under 1
    while a node of a cluster is down; sound_class, class_share: of the reference, as of an item; class_preferred: whether
    hits of that class come earlier; classes: if facets were requested, the one-shots of each class that the other filters
    admit, of unknown class under ""; scale: by kind, the score that 0, 1, 2, ... 100 % of the library's items of that kind
    stay below, without the reference and what is left out with it; usual: by kind, what two items of that kind score with
    each other under these weights, for a text what it scores with all of them; both without kinds of fewer than ten items."""

    hits: list[HitOut]
    weights: dict[str, float]
    effective: dict[str, float]
    weighting: str
    silent: list[str]
    same: int
    versions: list[VersionOut]
    searched: int
    absent: int
    share: float
    kinds: list[str]
    label: str
    windows: list[tuple[float, float]]
    sound_class: str | None
    class_share: float | None
    class_preferred: bool
    classes: dict[str, int] | None
    scale: dict[str, list[float]]
    usual: dict[str, UsualOut]
    candidates: CandidatesOut | None


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
