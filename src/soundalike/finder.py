"""Find what sounds alike: an open library, its models, and the questions one can ask of it.

The command line, Python and whatever else asks go through `Finder`; it decides nothing about output.

    finder = soundalike.open("my.library")
    found = finder.similar("song.ogg", region=(62, 72), weights={"drums": 1, "bass": 0.3})
    for hit in found.hits:
        print(hit.path, hit.score, hit.contributions)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from soundalike.analysis import Analyser
from soundalike.errors import InputError
from soundalike.hits import HitGroup, group_hits
from soundalike.library import Library
from soundalike.library.filters import Filters
from soundalike.library.neighbours import near_identical, stored_spread
from soundalike.library.query import Query, query_from_file, query_from_item
from soundalike.library.search import Match, Table, Term, Vectors, best_matches, diversify
from soundalike.parts import MIX
from soundalike.weighting import choose_weights
from soundalike.weights import Profile, Weights

NEGATIVE_WEIGHT = 0.5
"""How much a negative reference counts against a positive one."""

ALIKE = 0.6
"""Cosine from which two hits belong to one group."""

DIVERSE_POOL = 10
"""Among how many times the wanted hits `diverse` chooses."""


@dataclass(frozen=True)
class Hit:
    """An item that sounds alike, by its best window.

    rank from 1; path absolute; start, end: the seconds that matched; score = the sum of `contributions`, one a weighted
    part (and one `not <part>` for negative references); cosines: of each of those; silent: parts that count but are
    absent in the hit; copies: other paths with the same content.
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


@dataclass(frozen=True)
class Found:
    """The answer to `Finder.similar`.

    weights: as asked for; effective: what multiplies the raw cosines; weighting: in words, where they come from;
    silent: parts that count but are absent in the query; same: paths of the query's own file and near-identical
    copies, left out of the hits; searched: how many different files were in question, of which `kinds`.
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


class Finder:
    """An open library that answers queries; vectors and models are loaded when first needed and kept."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.vectors = Vectors(library)
        self._analyser: Analyser | None = None
        self._items: list[dict[str, Any]] | None = None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The library at `path`. Raises LibraryError where there is none."""
        return cls(Library.open(Path(path)))

    @property
    def analyser(self) -> Analyser:
        """The library's recipe with its models. Raises LibraryError where they are no longer what they were."""
        if self._analyser is None:
            self._analyser = Analyser(self.library.recipe)
        return self._analyser

    @property
    def items(self) -> list[dict[str, Any]]:
        """All items of the library, as dictionaries, in the order of their ids."""
        if self._items is None:
            self._items = sorted(self.library.items().to_pylist(), key=lambda item: item["id"])
        return self._items

    def query(
        self,
        reference: str | Path,
        *,
        region: tuple[float, float | None] | None = None,
        part: str | None = None,
        kind: str | None = None,
    ) -> Query:
        """A query from a file, or from an item of the library given by id or path (its vectors are read, not made)."""
        item = self.find_item(reference)
        if item is not None and region is None and (kind is None or kind == item["kind"]):
            return query_from_item(self.library, item)
        path = Path(reference).expanduser()
        if item is not None:
            path = self.library.absolute(item["root"], item["path"])
        if path.is_dir():
            raise InputError(
                f"{reference} is a folder; name files in it (folders are indexed: soundalike index {path})"
            )
        if not path.is_file():
            raise InputError(f"{reference} is neither a file nor an item of the library {self.library.path}")
        return query_from_file(self.analyser, path, region=region, focus=part, kind=kind)

    def find_item(self, reference: str | Path) -> dict[str, Any] | None:
        """The item with this id or path (absolute, relative, or as the library names it), if there is one."""
        text = str(reference)
        resolved = Path(reference).expanduser().resolve()
        for item in self.items:
            if text in (item["id"], f"{item['root']}/{item['path']}"):
                return item
        for item in self.items:
            if self.library.absolute(item["root"], item["path"]) == resolved:
                return item if not resolved.exists() or self._unchanged(item, resolved) else None
        return None

    def similar(
        self,
        reference: str | Path | Query | Sequence[str | Path | Query],
        *,
        region: tuple[float, float | None] | None = None,
        weights: Mapping[str, float] | None = None,
        profile: str | Profile | None = None,
        part: str | None = None,
        filters: Filters | None = None,
        negative: Sequence[str | Path | Query] = (),
        n: int = 10,
        raw: bool = False,
        diverse: bool = False,
        exclude_same: Sequence[str] = (),
        include_self: bool = False,
    ) -> Found:
        """What sounds like `reference`, best first; same input, same order.

        reference: one or several files, items or queries (the mean over all their windows counts); region: seconds
        (start, end) of a file; weights: a part -> how much it counts, in units of each part's spread (`raw`: on the raw
        cosines); profile: learnt weights in their place; part: only this part, also against whole loops and one-shots
        when `filters.kinds` asks for them; negative: what it must not sound like; diverse: hits unlike each other;
        exclude_same: `artist`, `album`: drop items that share the query's; include_self: keep the query's own file.

        Raises InputError for a part, weight or reference that is not there, AudioError for a file that cannot be used.
        """
        filters = filters or Filters()
        query = self._together(reference, region, part)
        against = self._together(negative, None, part) if negative else None
        tables = _tables(query, filters)
        weighting = choose_weights(
            self.library.recipe,
            weights=weights,
            profile=profile,
            part=part,
            raw=raw,
            wholes=tables != ("windows",) or query.whole,
            spread=lambda: stored_spread(self.vectors, "windows", self.library.recipe.parts),
        )
        filters = _excluding(filters, query, exclude_same)
        if not filters.kinds:
            filters = replace(filters, kinds=("song",) if tables == ("windows",) else ("loop", "one-shot"))
        admitted = [item for item in self.items if filters.admits(item)]
        own = set() if include_self else self._own_contents(query, admitted)
        allowed: dict[str, list[dict[str, Any]]] = {}
        for item in admitted:
            if item["content"] not in own:
                allowed.setdefault(item["content"], []).append(item)
        matches = self._ranked(query, against, tables, weighting.effective, allowed, n, diverse)
        return Found(
            hits=tuple(
                self._hit(rank, match, labels, allowed[match.content])
                for rank, (match, labels) in enumerate(matches, 1)
            ),
            query=query,
            weights=weighting.asked,
            effective=weighting.effective,
            weighting=weighting.words,
            silent=tuple(name for name in weighting.effective if not _direction(query, name).any()),
            same=tuple(
                str(self.library.absolute(item["root"], item["path"])) for item in admitted if item["content"] in own
            ),
            searched=len(allowed),
            kinds=filters.kinds,
        )

    def hits(
        self,
        reference: str | Path,
        *,
        part: str = "drums",
        region: tuple[float, float | None] | None = None,
        filters: Filters | None = None,
        groups: int = 6,
        n: int = 3,
    ) -> list[tuple[HitGroup, Found]]:
        """The hits in one part of a song, like ones together, and for each group the whole sounds that are like it.

        The region (default: the whole file) is separated, its `part` cut at the onsets, and the `groups` most frequent
        groups are asked for among one-shots (or `filters.kinds`). Raises as `similar` does.
        """
        recipe = self.library.recipe
        if part not in recipe.parts:
            raise InputError(f"this library has no part {part!r}; it has {', '.join(recipe.parts)}")
        item = self.find_item(reference)
        path = self.library.absolute(item["root"], item["path"]) if item else Path(reference).expanduser()
        start, end = region or (0.0, None)
        stems, sample_rate = self.analyser.stems(path, start, end)
        filters = filters or Filters()
        if "song" in filters.kinds:
            raise InputError("hits are compared with whole sounds; ask for one-shots or loops, not songs")
        if not filters.kinds:
            filters = replace(filters, kinds=("one-shot",))
        found = []
        for group in group_hits(self.analyser, stems[part], sample_rate, alike=ALIKE)[:groups]:
            query = Query(
                label=f"{path.name} {part} hit at {start + group.starts[0]:.2f} s",
                whole=True,
                parts=(MIX,),
                starts=group.starts + start,
                ends=group.ends + start,
                vectors=group.vectors[:, np.newaxis],
                digests=frozenset(),
            )
            found.append((group, self.similar(query, filters=filters, n=n)))
        return found

    def duplicates(self) -> list[tuple[str, list[str]]]:
        """Groups of copies: ("identical" or "near-identical", absolute paths), in the order of their first path."""
        paths: dict[str, list[str]] = {}
        for item in self.items:
            if item["status"] == "present":
                place = str(self.library.absolute(item["root"], item["path"]))
                paths.setdefault(item["content"], []).append(place)
        groups = []
        grouped: set[str] = set()
        tables: tuple[Table, ...] = ("windows", "wholes")
        for table in tables:
            contents = self.vectors.rows(table).contents
            for group in near_identical(self.vectors, table):
                there = [contents[index] for index in group if contents[index] in paths]
                if len(there) > 1:
                    grouped.update(there)
                    groups.append(("near-identical", sorted(path for one in there for path in paths[one])))
        groups += [
            ("identical", sorted(places))
            for content, places in paths.items()
            if len(places) > 1 and content not in grouped
        ]
        return sorted(groups, key=lambda group: group[1])

    def _ranked(
        self,
        query: Query,
        against: Query | None,
        tables: tuple[Table, ...],
        effective: Weights,
        allowed: dict[str, list[dict[str, Any]]],
        n: int,
        diverse: bool,
    ) -> list[tuple[Match, tuple[str, ...]]]:
        ties = {content: items[0]["id"] for content, items in allowed.items()}
        found: list[tuple[Match, tuple[str, ...]]] = []
        for table in tables:
            terms = _terms(query, against, table, effective)
            matches = best_matches(self.vectors, table, terms, n * DIVERSE_POOL if diverse else n, ties)
            if diverse:
                matches = diversify(self.vectors, matches, terms, n)
            found += [(match, tuple(term.label for term in terms)) for match in matches]
        if len(tables) > 1:
            found.sort(key=lambda pair: (-pair[0].score, ties[pair[0].content], pair[0].start))
        return found[:n]

    def _together(
        self,
        references: str | Path | Query | Sequence[str | Path | Query],
        region: tuple[float, float | None] | None,
        part: str | None,
    ) -> Query:
        several = [references] if isinstance(references, str | Path | Query) else list(references)
        if not several:
            raise InputError("no reference was given; name a file or an item of the library")
        if region is not None and len(several) > 1:
            raise InputError("a region belongs to one file; give one reference with it")
        queries = [one if isinstance(one, Query) else self.query(one, region=region, part=part) for one in several]
        return Query.joined(queries)

    def _own_contents(self, query: Query, items: Sequence[dict[str, Any]]) -> set[str]:
        """Contents among `items` that are the query itself: the same bytes, or a near-identical copy."""
        own = {item["content"] for item in items if item["content"].partition(":")[0] in query.digests}
        return own | set(query.copies_among(self.vectors, [item["content"] for item in items]))

    def _hit(self, rank: int, match: Match, labels: tuple[str, ...], items: list[dict[str, Any]]) -> Hit:
        item = items[0]
        paths = [str(self.library.absolute(one["root"], one["path"])) for one in items]
        names = ("id", "kind", "duration", "loudness", "tempo", "tempo_source", "key", "key_source")
        more = ("artist", "title", "album", "status")
        return Hit(
            rank=rank,
            path=paths[0],
            start=match.start,
            end=match.end,
            score=match.score,
            contributions=dict(zip(labels, match.contributions, strict=True)),
            cosines=dict(zip(labels, match.cosines, strict=True)),
            silent=tuple(
                label for label, there in zip(labels, match.present, strict=True) if not there and " " not in label
            ),
            copies=tuple(paths[1:]),
            **{name: item[name] for name in names + more},
        )

    def _unchanged(self, item: Mapping[str, Any], path: Path) -> bool:
        status = path.stat()
        return bool(status.st_size == item["size"] and status.st_mtime_ns == item["mtime_ns"])


def _tables(query: Query, filters: Filters) -> tuple[Table, ...]:
    """Which tables a query concerns: songs for a song, loops and one-shots for a whole sound, unless kinds are asked
    for."""
    if not filters.kinds:
        return ("wholes",) if query.whole else ("windows",)
    tables: list[Table] = []
    if "song" in filters.kinds:
        tables.append("windows")
    if {"loop", "one-shot"} & set(filters.kinds):
        tables.append("wholes")
    return tuple(tables)


def _direction(query: Query, part: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The mean vector that `part` of the query is compared by; a whole sound is compared by its mix, whatever the
    part."""
    return query.mean(MIX if query.whole else part)


def _terms(query: Query, against: Query | None, table: Table, effective: Weights) -> list[Term]:
    terms = []
    for part, weight in effective.items():
        column = part if table == "windows" else MIX
        terms.append(Term(part, column, _direction(query, part), weight))
        if against is not None:
            terms.append(Term(f"not {part}", column, _direction(against, part), -NEGATIVE_WEIGHT * weight))
    return terms


def _excluding(filters: Filters, query: Query, fields: Sequence[str]) -> Filters:
    for name in fields:
        if name not in ("artist", "album"):
            raise InputError(f"{name!r} cannot be excluded; choose artist or album")
        values = query.artists if name == "artist" else query.albums
        if not values:
            raise InputError(f"the reference has no {name} in its tags, so the same {name} cannot be excluded")
        filters = replace(filters, not_artists=values) if name == "artist" else replace(filters, not_albums=values)
    return filters
