"""What a search returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from soundalike.search.item_classes import SoundClass
from soundalike.search.query import Query
from soundalike.search.score_distribution import ScoreDistribution
from soundalike.similarity.weights import Weights


@dataclass(frozen=True)
class Version:
    """A song that is the same recording as a hit or as the reference, cut or shifted, and so is not a hit of its own.

    path: absolute; copies: other paths with the same content; duration in s; start, end: the seconds of it that matched; score:
    as of a hit; near_identical: whether it has the same length and the same sound throughout.
    """

    id: str
    path: str
    copies: tuple[str, ...]
    title: str | None
    artist: str | None
    duration: float
    start: float
    end: float
    score: float
    near_identical: bool


@dataclass(frozen=True)
class Hit:
    """An item that sounds similar, by its best window.

    rank: from 1; path: absolute; start, end: the seconds that matched; score: the sum of `contributions`, one per weighted
    part (and one `not <part>` for negative references); cosines: of each of those; silent: weighted parts that are absent in
    the hit; copies: other paths with the same content. For a text (None otherwise), deviations: how many standard deviations
    the score is above the mean of the library's items of that kind; above: the share (0..1) of them with a lower score; None
    where there are fewer than ten of them (`search.score_distribution`). sound_class: of a one-shot, None if unknown;
    class_share: of its neighbours' votes (0..1) where its name does not state the class. For a track of a file with a cue sheet,
    file: that file; offset: the seconds at which the track begins in it (start and end count from there). versions: other
    versions of the same recording with lower scores, unless the request shows them as hits.
    """

    rank: int
    id: str
    path: str
    kind: str
    start: float
    end: float
    score: float
    contributions: dict[str, float]
    cosines: dict[str, float]
    silent: tuple[str, ...]
    duration: float
    loudness: float | None
    tempo: float | None
    tempo_source: str | None
    key: str | None
    key_source: str | None
    artist: str | None
    title: str | None
    album: str | None
    copies: tuple[str, ...]
    status: str
    deviations: float | None = None
    above: float | None = None
    sound_class: str | None = None
    class_share: float | None = None
    file: str | None = None
    offset: float = 0.0
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True)
class SearchResult:
    """The result of `Finder.similar`.

    weights: as requested; effective: what multiplies the raw cosines; weighting: a description of where they come from;
    silent: weighted parts that are absent in the query; same: paths of the query's own file and its near-identical copies,
    left out of the hits; searched: how many different files were eligible, of the `kinds` listed; absent: how many of
    them have none of the parts that are compared, and so no score; distributions: for a text,
    the scores of all items of each of these kinds; share: of the rows that were searched (0..1), under 1 while a machine that
    holds some of them is down; sound_class: of the reference, if it is a one-shot of a known class; class_preferred: whether
    hits of that class come earlier than their scores alone would put them; versions: other versions of the reference, left out
    of the hits, unless the request shows them.
    """

    hits: tuple[Hit, ...]
    query: Query
    weights: Weights
    effective: Weights
    weighting: str
    silent: tuple[str, ...]
    same: tuple[str, ...]
    searched: int
    kinds: tuple[str, ...]
    absent: int = 0
    distributions: dict[str, ScoreDistribution] = field(default_factory=dict)
    share: float = 1.0
    sound_class: SoundClass | None = None
    class_preferred: bool = False
    versions: tuple[Version, ...] = ()
