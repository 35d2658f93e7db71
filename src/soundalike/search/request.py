"""The description of a search: one object that the command line, the server and Python build once and pass whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from soundalike.analysis.kinds import check_kind
from soundalike.errors import InputError
from soundalike.search.filters import Filters
from soundalike.search.query import Query, check_texts
from soundalike.search.version_share import MOST_OF_IT
from soundalike.similarity.profiles import Profile

Reference = str | Path | Query
"""A file, an item of the library (by id or path), or a query made before."""

Region = tuple[float, float | None]
"""Start and end in seconds; None: to the end of the file."""

SAME = ("artist", "album")

SameClass = Literal["prefer", "require", "ignore"]
"""What the class of a one-shot means for its hits."""
SAME_CLASS: tuple[SameClass, ...] = get_args(SameClass)

Versions = Literal["fold", "show"]
"""Whether other versions of a song among the hits are listed under it, or as hits of their own."""
VERSIONS: tuple[Versions, ...] = get_args(Versions)


@dataclass(frozen=True)
class SearchRequest:
    """What to search for, how to weigh it, and which hits to return. Convenient to build with `SearchRequest.of`.

    references: what hits should sound like (several: the mean over all their windows counts); texts: descriptions in place of
    references (several: their mean counts); region: seconds of the one reference; kind: what a file is (song, loop,
    one-shot), instead of an estimate; part: this part alone, which may also be compared with clips (`filters.kinds`);
    weights: part -> how much it counts, in units of each part's spread, or on raw cosines if `raw`; profile: learnt weights,
    or the name or file of some; filters: which items may be returned; negatives, negative_texts: what hits should not sound
    like; n: how many hits; diverse: choose hits that differ from one another; exclude_same: `artist`, `album`: leave out
    items that share the reference's; include_self: keep the reference's own file and its copies; same_class: hits of the
    class (snare, ...) that the name of a one-shot states come earlier (`prefer`, see `plan.CLASS_BONUS`), or hits of the class
    that its name states or its neighbours agree on are the only ones (`require`), or the class does not matter (`ignore`);
    versions: songs that are another version of a better hit (cut, shifted, or a near-identical copy) are listed under it, and
    those of the reference apart (`fold`), or are hits of their own (`show`); version_share (0..1): how much of the shorter
    song a version has in common with the other: less folds more.

    Raises InputError for values that are not allowed or that exclude each other. What only an open library can tell (a part
    that it does not have, a file that is not there) is checked by the search.
    """

    references: tuple[Reference, ...] = ()
    texts: tuple[str, ...] = ()
    region: Region | None = None
    kind: str | None = None
    part: str | None = None
    weights: Mapping[str, float] | None = None
    profile: str | Profile | None = None
    raw: bool = False
    filters: Filters = field(default_factory=Filters)
    negatives: tuple[Reference, ...] = ()
    negative_texts: tuple[str, ...] = ()
    n: int = 10
    diverse: bool = False
    exclude_same: tuple[str, ...] = ()
    include_self: bool = False
    same_class: SameClass = "prefer"
    versions: Versions = "fold"
    version_share: float = MOST_OF_IT

    def __post_init__(self) -> None:
        self._check_references()
        weighings = {"weights": self.weights, "profile": self.profile, "part": self.part}
        given = [name for name, value in weighings.items() if value is not None]
        if len(given) > 1:
            raise InputError(f"{' and '.join(given)} exclude each other; give one of them")
        if self.n < 1:
            raise InputError(f"{self.n} hits requested; request 1 or more")
        for name in self.exclude_same:
            if name not in SAME:
                raise InputError(f"{name!r} cannot be excluded; choose {' or '.join(SAME)}")
        if self.same_class not in SAME_CLASS:
            raise InputError(f"{self.same_class!r} is not a rule for the class; choose {', '.join(SAME_CLASS)}")
        if self.versions not in VERSIONS:
            raise InputError(f"{self.versions!r} is not a rule for versions; choose {' or '.join(VERSIONS)}")
        if not 0 < self.version_share <= 1:
            raise InputError(
                f"{self.version_share:g} is not a share of a song; give more than 0 and at most 1, such as 0.6"
            )
        if self.kind is not None:
            check_kind(self.kind)

    def _check_references(self) -> None:
        is_text = bool(self.texts) or any(isinstance(one, Query) and one.texts for one in self.references)
        if self.texts and self.references:
            raise InputError("a text and a reference cannot be combined in one search; search twice")
        if self.region is not None and is_text:
            raise InputError("a region belongs to a file, and a text has no seconds; leave one of them out")
        if self.region is not None and len(self.references) > 1:
            raise InputError("a region belongs to one file; give one reference with it")
        if not self.texts and not self.references:
            raise InputError("no reference was given; name a file or an item of the library, or give a text")
        check_texts((*self.texts, *self.negative_texts))

    @classmethod
    def of(
        cls,
        reference: Reference | Sequence[Reference] | None = None,
        *,
        text: str | Sequence[str] | None = None,
        negative: Reference | Sequence[Reference] = (),
        filters: Filters | None = None,
        exclude_same: Sequence[str] = (),
        **options: Any,
    ) -> Self:
        """A request from one or several references, or one or several texts; `options` are the other fields."""
        texts = _several(text, str)
        if text is not None and not texts:
            raise InputError('no text was given; describe a sound, such as "dry funk snare"')
        return cls(
            references=_several(reference, (str, Path, Query)),
            texts=texts,
            negatives=_several(negative, (str, Path, Query)),
            filters=filters or Filters(),
            exclude_same=tuple(exclude_same),
            **options,
        )


def _several(value: Any, single: type | tuple[type, ...]) -> tuple[Any, ...]:
    """One value, a sequence of values or None as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, single) else tuple(value)
