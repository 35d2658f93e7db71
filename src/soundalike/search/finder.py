"""Find what sounds alike: an open library, its models, and the questions one can ask of it.

The command line, Python and whatever else asks go through `Finder`; it decides nothing about output.

    finder = soundalike.open("my.library")
    found = finder.similar("song.ogg", region=(62, 72), weights={"drums": 1, "bass": 0.3})
    for hit in found.hits:
        print(hit.path, hit.score, hit.contributions)

    found = finder.similar(text="dry funk snare", part="drums")
    for hit in found.hits:
        print(hit.path, hit.score, hit.deviations, hit.above)
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.kinds import Kind
from soundalike.analysis.onset_groups import OnsetGroup, group_onsets
from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library import Library
from soundalike.library.indexing.sidecar_files import sidecars_for, stat_with
from soundalike.library.storage.location import Location
from soundalike.library.storage.remote_cache import cached_copy
from soundalike.parts import MIX
from soundalike.search.catalogue import Catalogue, Mask
from soundalike.search.filters import Filters
from soundalike.search.index.matching import Match, best_matches, diversify
from soundalike.search.index.vectors import Indices, Table, Term, Vectors
from soundalike.search.query import Query, check_same_sort, query_from_file, query_from_item, query_from_texts
from soundalike.search.score_distribution import Scale, scales, spread_of_text
from soundalike.search.vector_statistics import near_identical, stored_spread
from soundalike.search.weighting import Weighting, choose_weights
from soundalike.similarity.weights import Profile, Weights

NEGATIVE_WEIGHT = 0.5
"""How much a negative reference counts against a positive one."""

ALIKE = 0.6
"""Cosine from which two hits belong to one group."""

DIVERSE_POOL = 10
"""Among how many times the wanted hits `diverse` chooses."""

KINDS_IN: dict[Table, tuple[Kind, ...]] = {"windows": ("song",), "wholes": ("loop", "one-shot")}
"""What the rows of each table are windows of."""


@dataclass(frozen=True)
class Hit:
    """An item that sounds alike, by its best window.

    rank from 1; path absolute; start, end: the seconds that matched; score = the sum of `contributions`, one a weighted
    part (and one `not <part>` for negative references); cosines: of each of those; silent: parts that count but are
    absent in the hit; copies: other paths with the same content. For a text (None else): deviations: how many standard
    deviations the score lies above the mean of the library's items of that kind; above: the share (0..1) of them that it
    beats; None where there are fewer than ten of them (`search.score_distribution`).
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


@dataclass(frozen=True)
class Found:
    """The answer to `Finder.similar`.

    weights: as asked for; effective: what multiplies the raw cosines; weighting: in words, where they come from;
    silent: parts that count but are absent in the query; same: paths of the query's own file and near-identical
    copies, left out of the hits; searched: how many different files were in question, of which `kinds`; scales: for a
    text, how all items of each of these kinds score; share: of the rows that were searched (0..1), under 1 while a
    machine that holds some is being replaced.
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
    scales: dict[str, Scale] = field(default_factory=dict)
    share: float = 1.0


@dataclass(frozen=True)
class Question:
    """What is asked of a library: a query under weights, and the items that are in question.

    against: what hits must not sound like; tables, kinds: where is searched; admitted: (I,) which items of the catalogue
    are in question, without the query's own; same: paths of the query's own file and its copies, left out.
    """

    query: Query
    against: Query | None
    tables: tuple[Table, ...]
    weighting: Weighting
    kinds: tuple[Kind, ...]
    admitted: Mask
    same: tuple[str, ...]


class Searcher(Protocol):
    """Those who search in place of this process: machines that hold the vectors."""

    def best_matches(
        self,
        vectors: Vectors,
        table: Table,
        terms: Sequence[Term],
        count: int,
        ranks: Indices,
        *,
        heard_only: bool = False,
    ) -> tuple[list[Match], float]:
        """What `search.index.matching.best_matches` gives, and the share (0..1) of the table's rows that were searched."""
        ...


class Finder:
    """An open library that answers queries; vectors and models are loaded when first needed and kept."""

    def __init__(
        self,
        library: Library,
        runtime: Runtime | None = None,
        *,
        memory: int | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """`config`: device and threads for models; the precision is the library's; memory, tell: see `open`."""
        self.library = library
        self._runtime = runtime
        self.vectors = Vectors(library, budget=memory, tell=tell)
        self.searcher: Searcher | None = None
        """Asked in place of this process where it is set (see `search.index.sharded`); of the same state of the library."""
        self._analyser: Analyser | None = None
        self._catalogue: Catalogue | None = None
        self._content_of: dict[Table, Indices] = {}
        self._lock = threading.RLock()

    @classmethod
    def open(
        cls,
        path: str | Location,
        *,
        device: str = "auto",
        memory: int | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> Self:
        """The library at `path`, a folder or an `s3://` address; device: where neural models compute (see
        `config.Runtime`); memory: bytes of vectors that may be held (see `search.index.vectors`; default:
        `config.memory_budget`); tell: told in words before something that takes long.

        Raises LibraryError where there is none, InputError for a device that is none.
        """
        return cls(Library.open(path), Runtime(device), memory=memory, tell=tell)

    def refreshed(self) -> Finder:
        """This finder where the library is as it was when it was opened, else one of its present state that keeps what
        still holds: models, and vectors that are in memory."""
        library = Library.open(self.library.path)
        if (library.version, library.roots) == (self.library.version, self.library.roots):
            return self
        later = Finder(library, self._runtime, memory=self.vectors.budget)
        if (library.generation, library.recipe) == (self.library.generation, self.library.recipe):
            later.vectors = self.vectors.following(library)
            later._analyser = self._analyser
        return later

    @property
    def analyser(self) -> Analyser:
        """The library's recipe with its models. Raises LibraryError where they are no longer what they were."""
        if self._analyser is None:
            self._analyser = Analyser(self.library.recipe, self._runtime)
        return self._analyser

    @property
    def catalogue(self) -> Catalogue:
        """All items of the library."""
        with self._lock:
            if self._catalogue is None:
                self._catalogue = Catalogue(self.library.items())
            return self._catalogue

    @property
    def items(self) -> list[dict[str, Any]]:
        """All items of the library, as dictionaries, in the order of their ids. Made anew at each call: a large library is
        better asked through `catalogue`."""
        return self.catalogue.items(range(len(self.catalogue)))

    def query(
        self,
        reference: str | Path,
        *,
        region: tuple[float, float | None] | None = None,
        part: str | None = None,
        kind: str | None = None,
        parts: Sequence[str] | None = None,
    ) -> Query:
        """A query from a file, or from an item of the library given by id or path (its vectors are read, not made).

        parts: those it is to be made for (None: all that the library has); the fewer, the cheaper.
        """
        if parts is not None:
            self.check_parts(parts)
        item = self.find_item(reference)
        if item is not None and region is None and (kind is None or kind == item["kind"]):
            return query_from_item(self.library, item, parts=parts)
        path = Path(reference).expanduser()
        if item is not None:
            path = cached_copy(self.library.absolute(item["root"], item["path"]))
        if path.is_dir():
            raise InputError(
                f"{reference} is a folder; name files in it (folders are indexed: soundalike index {path})"
            )
        if not path.is_file():
            raise InputError(f"{reference} is neither a file nor an item of the library {self.library.path}")
        return query_from_file(self.analyser, path, region=region, focus=part, kind=kind, parts=parts)

    def query_text(self, text: str | Sequence[str]) -> Query:
        """A query from a text, or from several, the mean of whose cosines counts.

        Raises InputError for an empty or overlong text, or a library whose encoder knows no texts.
        """
        return query_from_texts(self.analyser, [text] if isinstance(text, str) else list(text))

    def find_item(self, reference: str | Path) -> dict[str, Any] | None:
        """The item with this id or path (absolute, relative, or as the library names it), if there is one."""
        text = str(reference)
        root, _, path = text.partition("/")
        named = self.catalogue.with_id(text)
        if named is None:
            named = self.catalogue.at(root, path)
        if named is not None:
            return self.catalogue.item(named)
        resolved = Path(reference).expanduser().resolve()
        placed = self.catalogue.at("", str(resolved))
        for name, folder in self.library.roots.items():
            if placed is not None:
                break
            if isinstance(folder, Path):
                if resolved.is_relative_to(folder):
                    placed = self.catalogue.at(name, resolved.relative_to(folder).as_posix())
            elif text.startswith(f"{folder}/"):
                placed = self.catalogue.at(name, text.removeprefix(f"{folder}/"))
        if placed is None:
            return None
        item = self.catalogue.item(placed)
        return item if not resolved.exists() or self._unchanged(item, resolved) else None

    def similar(
        self,
        reference: str | Path | Query | Sequence[str | Path | Query] | None = None,
        *,
        text: str | Sequence[str] | None = None,
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
        """What sounds like `reference`, or as `text` says, best first; same input, same order.

        reference: one or several files, items or queries (the mean over all their windows counts); text: in its place,
        what it should sound like (several: their mean counts), against the mix or the parts named; region: seconds
        (start, end) of a file; weights: a part -> how much it counts, in units of each part's spread (`raw`: on the raw
        cosines); profile: learnt weights in their place; part: only this part, also against whole loops and one-shots
        when `filters.kinds` asks for them; negative: what it must not sound like (sounds for sounds, queries from
        `query_text` for texts); diverse: hits unlike each other;
        exclude_same: `artist`, `album`: drop items that share the query's; include_self: keep the query's own file.

        Raises InputError for a part, weight or reference that is not there, AudioError for a file that cannot be used.
        """
        question = self.question(
            reference,
            text=text,
            region=region,
            weights=weights,
            profile=profile,
            part=part,
            filters=filters,
            negative=negative,
            raw=raw,
            exclude_same=exclude_same,
            include_self=include_self,
        )
        return self.answer(question, n=n, diverse=diverse)

    def question(
        self,
        reference: str | Path | Query | Sequence[str | Path | Query] | None = None,
        *,
        text: str | Sequence[str] | None = None,
        region: tuple[float, float | None] | None = None,
        weights: Mapping[str, float] | None = None,
        profile: str | Profile | None = None,
        part: str | None = None,
        filters: Filters | None = None,
        negative: Sequence[str | Path | Query] = (),
        raw: bool = False,
        exclude_same: Sequence[str] = (),
        include_self: bool = False,
    ) -> Question:
        """What `similar` asks of the library, before anything is searched; arguments and errors are its."""
        filters = filters or Filters()
        parts = self._parts_needed(filters, weights=weights, profile=profile, part=part)
        query = self._together(self._references(reference, text, region), region, part, parts)
        against = self._together(_several(negative), None, part, parts) if negative else None
        if against is not None:
            check_same_sort(query, against)
        tables = _tables(query, filters, named=part is not None or weights is not None)
        weighting = self._weigh(query, tables, weights=weights, profile=profile, part=part, raw=raw)
        filters = _excluding(filters, query, exclude_same)
        if not filters.kinds:
            filters = replace(filters, kinds=tuple(kind for table in tables for kind in KINDS_IN[table]))
        admitted = self.catalogue.admitted(filters)
        own = np.empty(0, dtype=np.int64) if include_self else self._own_items(query, admitted)
        if len(own):
            admitted = admitted.copy()
            admitted[own] = False
        same = tuple(str(self.library.absolute(item["root"], item["path"])) for item in self.catalogue.items(own))
        return Question(query, against, tables, weighting, filters.kinds, admitted, same)

    def answer(self, question: Question, *, n: int = 10, diverse: bool = False) -> Found:
        """The best `n` of what is in question; `diverse`: as in `similar`."""
        query, weighting = question.query, question.weighting
        terms = {table: _terms(query, question.against, table, weighting.effective) for table in question.tables}
        ranks = {table: self.ranks(table, question.admitted) for table in question.tables}
        matches, share = self._ranked(terms, ranks, n, diverse, heard_only=bool(query.texts))
        scaled = self._scales(terms, question.kinds) if query.texts else {}
        return Found(
            hits=self._hits(matches, terms, question.admitted, scaled),
            query=query,
            weights=weighting.asked,
            effective=weighting.effective,
            weighting=weighting.words,
            silent=tuple(name for name in weighting.effective if not query.direction(name).any()),
            same=question.same,
            searched=sum(int((one >= 0).sum()) for one in ranks.values()),
            kinds=question.kinds,
            scales=scaled,
            share=share,
        )

    def ranks(self, table: Table, admitted: Mask) -> Indices:
        """(C,) for each content of a table the first of the admitted items that have it, -1 where there is none."""
        found = np.full(len(self.vectors.rows(table).contents), -1, dtype=np.int64)
        numbers = np.flatnonzero(admitted)[::-1]
        contents = self._contents_of(table)[numbers]
        there = contents >= 0
        found[contents[there]] = numbers[there]  # of several the last that is written stays: the first item
        return found

    def _contents_of(self, table: Table) -> Indices:
        """(I,) the place of each item's content in a table, -1 where it has none there."""
        with self._lock:
            if table not in self._content_of:
                places = self.vectors.rows(table).index_of(self.catalogue.contents)
                self._content_of[table] = places[self.catalogue.content_of]
            return self._content_of[table]

    def hits(
        self,
        reference: str | Path,
        *,
        part: str = "drums",
        region: tuple[float, float | None] | None = None,
        filters: Filters | None = None,
        groups: int = 6,
        n: int = 3,
    ) -> list[tuple[OnsetGroup, Found]]:
        """The hits in one part of a song, like ones together, and for each group the whole sounds that are like it.

        The region (default: the whole file) is separated, its `part` cut at the onsets, and the `groups` most frequent
        groups are asked for among one-shots (or `filters.kinds`). Raises as `similar` does.
        """
        self.check_parts([part])
        item = self.find_item(reference)
        path = Path(reference).expanduser()
        if item:
            path = cached_copy(self.library.absolute(item["root"], item["path"]))
        start, end = region or (0.0, None)
        stems, sample_rate = self.analyser.stems(path, start, end, parts=[part])
        filters = filters or Filters()
        if "song" in filters.kinds:
            raise InputError("hits are compared with whole sounds; ask for one-shots or loops, not songs")
        if not filters.kinds:
            filters = replace(filters, kinds=("one-shot",))
        found = []
        for group in group_onsets(self.analyser, stems[part], sample_rate, min_similarity=ALIKE)[:groups]:
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
                there = [one for one in (contents[index].as_py() for index in group) if one in paths]
                if len(there) > 1:
                    grouped.update(there)
                    groups.append(("near-identical", sorted(path for one in there for path in paths[one])))
        groups += [
            ("identical", sorted(places))
            for content, places in paths.items()
            if len(places) > 1 and content not in grouped
        ]
        return sorted(groups, key=lambda group: group[1])

    def _references(
        self,
        reference: str | Path | Query | Sequence[str | Path | Query] | None,
        text: str | Sequence[str] | None,
        region: tuple[float, float | None] | None,
    ) -> list[str | Path | Query]:
        several = _several(() if reference is None else reference)
        if text is not None and several:
            raise InputError("a text and a reference cannot be asked for together; ask twice")
        if region is not None and (text is not None or any(isinstance(one, Query) and one.texts for one in several)):
            raise InputError("a region belongs to a file, and a text has no seconds; leave one of them out")
        if region is not None and len(several) > 1:
            raise InputError("a region belongs to one file; give one reference with it")
        if text is not None:
            return [self.query_text(text)]
        if not several:
            raise InputError("no reference was given; name a file or an item of the library, or give a text")
        return several

    def _parts_needed(
        self,
        filters: Filters,
        *,
        weights: Mapping[str, float] | None,
        profile: str | Profile | None,
        part: str | None,
    ) -> tuple[str, ...]:
        """The parts that references are to be made for: those that will be weighted if they are songs (a whole sound
        has nothing but its mix, and that is always made)."""
        wholes = bool({"loop", "one-shot"} & set(filters.kinds))
        planned = choose_weights(
            self.library.recipe, weights=weights, profile=profile, part=part, raw=True, wholes=wholes, spread=dict
        )
        return tuple(planned.effective)

    def _weigh(
        self,
        query: Query,
        tables: tuple[Table, ...],
        *,
        weights: Mapping[str, float] | None,
        profile: str | Profile | None,
        part: str | None,
        raw: bool,
    ) -> Weighting:
        recipe = self.library.recipe
        if query.texts and profile is not None:
            raise InputError(
                "a profile is learnt on sounds beside sounds and means nothing for a text; name one part or set weights"
            )
        chosen = choose_weights(
            recipe,
            weights={MIX: 1.0} if query.texts and weights is None and part is None else weights,
            profile=profile,
            part=part,
            raw=raw,
            wholes=tables != ("windows",) or query.whole,
            spread=lambda: (
                spread_of_text(self.vectors, "windows", recipe.parts, query.direction)
                if query.texts
                else stored_spread(self.vectors, "windows", recipe.parts)
            ),
        )
        if query.texts and weights is None and (part is None or tables == ("wholes",)):
            return Weighting({MIX: 1.0}, {MIX: 1.0}, "a text: only mix")
        return chosen

    def _ranked(
        self,
        terms: Mapping[Table, Sequence[Term]],
        ranks: Mapping[Table, Indices],
        n: int,
        diverse: bool,
        *,
        heard_only: bool,
    ) -> tuple[list[Match], float]:
        """The best of all tables, and the least share of one that was searched."""
        found: list[Match] = []
        share = 1.0
        for table, asked in terms.items():
            count = n * DIVERSE_POOL if diverse else n
            if self.searcher is None:
                matches = best_matches(self.vectors, table, asked, count, ranks[table], heard_only=heard_only)
            else:
                matches, part = self.searcher.best_matches(
                    self.vectors, table, asked, count, ranks[table], heard_only=heard_only
                )
                share = min(share, part)
            found += diversify(self.vectors, matches, asked, n) if diverse else matches
        if len(terms) > 1:
            of_row = {table: self.vectors.rows(table).of_row for table in terms}
            found.sort(key=lambda one: (-one.score, int(ranks[one.table][of_row[one.table][one.row]]), one.start))
        return found[:n], share

    def _scales(self, terms: Mapping[Table, Sequence[Term]], kinds: Sequence[str]) -> dict[str, Scale]:
        of_item = np.array([*self.catalogue.column("kind").to_pylist(), ""], dtype=str)
        everything = np.ones(len(self.catalogue), dtype=bool)
        found: dict[str, Scale] = {}
        for table, asked in terms.items():
            found |= scales(self.vectors, table, asked, of_item[self.ranks(table, everything)])
        return {kind: found[kind] for kind in kinds if kind in found}

    def _together(
        self,
        several: Sequence[str | Path | Query],
        region: tuple[float, float | None] | None,
        part: str | None,
        parts: Sequence[str],
    ) -> Query:
        queries = [
            one if isinstance(one, Query) else self.query(one, region=region, part=part, parts=parts) for one in several
        ]
        return Query.joined(queries)

    def check_parts(self, parts: Sequence[str]) -> None:
        """Raises InputError for a part that the library has not."""
        for part in parts:
            if part not in self.library.recipe.parts:
                raise InputError(f"this library has no part {part!r}; it has {', '.join(self.library.recipe.parts)}")

    def _own_items(self, query: Query, admitted: Mask) -> Indices:
        """The admitted items that are the query itself: the same bytes, or a near-identical copy."""
        own = self.catalogue.with_digests(query.digests)
        if query.complete:
            contents = self.vectors.rows(query.table).contents
            for copy in query.copies_among(self.vectors, self.ranks(query.table, admitted) >= 0):
                own = np.union1d(own, self.catalogue.having(contents[copy].as_py()))
        return own[admitted[own]]

    def _hits(
        self,
        matches: Sequence[Match],
        terms: Mapping[Table, Sequence[Term]],
        admitted: Mask,
        scaled: Mapping[str, Scale],
    ) -> tuple[Hit, ...]:
        """Matches as hits; the items are read at once, which costs much less than one by one."""
        numbers = [numbers[admitted[numbers]] for numbers in (self.catalogue.having(one.content) for one in matches)]
        items = iter(self.catalogue.items(np.concatenate([np.empty(0, dtype=np.int64), *numbers])))
        return tuple(
            self._hit(rank, match, terms[match.table], list(itertools.islice(items, len(some))), scaled)
            for rank, (match, some) in enumerate(zip(matches, numbers, strict=True), 1)
        )

    def _hit(
        self,
        rank: int,
        match: Match,
        terms: Sequence[Term],
        items: Sequence[Mapping[str, Any]],
        scaled: Mapping[str, Scale],
    ) -> Hit:
        item = items[0]
        scale = scaled.get(item["kind"])
        labels = [term.label for term in terms]
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
            deviations=None if scale is None else scale.deviations(match.score),
            above=None if scale is None else scale.share_below(match.score),
            **{name: item[name] for name in names + more},
        )

    def _unchanged(self, item: Mapping[str, Any], path: Path) -> bool:
        return stat_with(sidecars_for(self.library.recipe), path, path.stat()) == (item["size"], item["mtime_ns"])


def _several(references: str | Path | Query | Sequence[str | Path | Query]) -> list[str | Path | Query]:
    return [references] if isinstance(references, str | Path | Query) else list(references)


def _tables(query: Query, filters: Filters, *, named: bool) -> tuple[Table, ...]:
    """Which tables a query concerns, unless kinds are asked for: songs for a song, loops and one-shots for a whole
    sound; songs for a text where parts are `named`, else all there is."""
    if not filters.kinds:
        if query.texts and not named:
            return ("windows", "wholes")
        return ("wholes",) if query.whole else ("windows",)
    return tuple(table for table, kinds in KINDS_IN.items() if set(kinds) & set(filters.kinds))


def _terms(query: Query, against: Query | None, table: Table, effective: Weights) -> list[Term]:
    terms = []
    for part, weight in effective.items():
        column = part if table == "windows" else MIX
        terms.append(Term(part, column, query.direction(part), weight))
        if against is not None:
            terms.append(Term(f"not {part}", column, against.direction(part), -NEGATIVE_WEIGHT * weight))
    return terms


def _excluding(filters: Filters, query: Query, fields: Sequence[str]) -> Filters:
    for name in fields:
        if name not in ("artist", "album"):
            raise InputError(f"{name!r} cannot be excluded; choose artist or album")
        values = query.artists if name == "artist" else query.albums
        if query.texts:
            raise InputError(f"a text has no {name}, so the same {name} cannot be excluded; leave that out")
        if not values:
            raise InputError(f"the reference has no {name} in its tags, so the same {name} cannot be excluded")
        filters = replace(filters, not_artists=values) if name == "artist" else replace(filters, not_albums=values)
    return filters
