"""Searches of the API: from a request to hits and candidates, without near-identical copies."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.search.candidates import Candidates, candidates
from soundalike.search.index.table_rows import TABLES, Indices, Table
from soundalike.search.item_classes import class_fields
from soundalike.search.near_duplicates import first_copies
from soundalike.search.onset_search import onset_query
from soundalike.search.plan import SearchPlan, own_items
from soundalike.search.query import Query, query_from_item
from soundalike.search.ranking import kinds_of_contents
from soundalike.search.request import SearchRequest
from soundalike.search.results import Hit, Version
from soundalike.search.score_distribution import FEWEST, score_distributions
from soundalike.web import schemas
from soundalike.web.services.item_listing import class_counts, filters_of
from soundalike.web.services.library_profiles import LibraryProfiles
from soundalike.web.services.library_snapshot import Item, LibrarySnapshot
from soundalike.web.services.marks import Marks
from soundalike.web.services.query_cache import QueryCache, ReferenceKey
from soundalike.web.services.served_library import ServedLibrary
from soundalike.web.services.usual_scores import UsualScores

NAMED_GROUPS = 12
"""Groups of onsets for which the nearest one-shots are looked up."""

NEAREST = 9
"""One-shots that name a group of onsets."""

TOWARDS, AWAY = 0.5, 0.35
"""How far a reference is moved by the items that were found alike and not alike, relative to its own length."""

Copies = Mapping[int, Sequence[int]]
"""By the position of each hit that is shown: the positions of its near-identical copies, which are not."""


class Searches:
    """Answers searches. Thread-safe: at most `max_at_once` run at the same time, others wait."""

    def __init__(
        self,
        library: ServedLibrary,
        queries: QueryCache,
        profiles: LibraryProfiles,
        marks: Marks,
        max_at_once: int,
    ) -> None:
        self._library = library
        self._queries = queries
        self._profiles = profiles
        self._marks = marks
        self._slots = threading.BoundedSemaphore(max_at_once)
        self._usual = UsualScores()

    def search(self, request: schemas.SearchIn) -> dict[str, Any]:
        """Hits, and candidates if requested, with the fields of `schemas.SearchResultOut`. Raises as `Finder.similar`."""
        snapshot = self._library.snapshot
        favourites = self._marks.favourites.ids()
        plan = self._plan(snapshot, request)
        with self._slots:
            result = snapshot.finder.answer(plan)
            sent = candidates(snapshot.finder, plan, request.candidates) if request.candidates else None
        items = snapshot.items(hit.id for hit in result.hits)
        copies = _copies_of(snapshot, items)
        if sent is not None:
            folded = (*result.versions, *(version for hit in result.hits for version in hit.versions))
            hidden = {items[copy]["id"] for others in copies.values() for copy in others}
            sent = _without(sent, hidden | {version.id for version in folded})
        windows = zip(plan.query.starts.tolist(), plan.query.ends.tolist(), strict=True)
        return {
            "hits": _hits_out(snapshot, result.hits, items, copies, favourites),
            "weights": result.weights,
            "effective": result.effective,
            "weighting": result.weighting,
            "silent": result.silent,
            "same": len(result.same),
            "versions": _versions_out(result.versions),
            "searched": result.searched,
            "absent": result.absent,
            "share": result.share if sent is None else min(result.share, sent.share),
            "kinds": result.kinds,
            "label": plan.query.label,
            "windows": list(windows),
            **class_fields(result.sound_class),
            "class_preferred": result.class_preferred,
            "classes": class_counts(snapshot, plan.request.filters, self._marks.only(request.filters))
            if request.facets
            else None,
            **self._scales(snapshot, plan, result.versions),
            "candidates": None if sent is None else _candidates_out(snapshot, sent, favourites),
        }

    def onsets(self, reference: ReferenceKey) -> schemas.OnsetsOut:
        """The onsets in a part of a reference, in groups, with the one-shots that are nearest to the largest groups."""
        snapshot = self._library.snapshot
        groups = self._queries.onset_groups(snapshot, reference)
        favourites = self._marks.favourites.ids()
        near: list[list[dict[str, Any]]] = [[] for _ in groups]
        if snapshot.counts.get("one-shot"):
            filters = filters_of(schemas.FilterFields(kinds=["one-shot"]))
            for group, found in zip(groups[:NAMED_GROUPS], near, strict=False):
                query = onset_query(group, 0.0, "", snapshot.library.recipe, reference.part or MIX)
                with self._slots:
                    result = snapshot.finder.similar(query, filters=filters, n=NEAREST)
                found += snapshot.items_out(snapshot.items(hit.id for hit in result.hits), favourites)
        out = [
            {
                "starts": group.starts.round(4).tolist(),
                "ends": group.ends.round(4).tolist(),
                "near": found,
                **class_fields(snapshot.finder.opened.classes.of_vectors(group.vectors)),
            }
            for group, found in zip(groups, near, strict=True)
        ]
        return schemas.OnsetsOut.model_validate({"part": reference.part, "groups": out})

    def matched(self, request: schemas.MatchIn) -> schemas.MatchOut:
        """The window of the reference that is most similar to a window of an item, under the weights of a search.

        Raises InputError for a text, which has no seconds, and for an item that does not exist.
        """
        snapshot = self._library.snapshot
        plan = self._plan(snapshot, request.search)
        query = plan.query
        if query.texts:
            raise InputError("a text has no seconds; give an upload or an item")
        found = query_from_item(snapshot.library, snapshot.item(request.item))
        row = int(np.argmin(np.abs(found.starts - request.start)))
        scores = np.zeros(len(query.starts))
        for part, weight in plan.weighting.effective.items():
            column = MIX if query.is_clip else part
            if column not in query.parts:
                continue
            other = MIX if found.is_clip else part
            scores += weight * (
                query.vectors[:, query.parts.index(column)] @ found.vectors[row, found.parts.index(other)]
            )
        best = int(np.argmax(scores))
        return schemas.MatchOut(start=float(query.starts[best]), end=float(query.ends[best]), score=float(scores[best]))

    def _scales(self, snapshot: LibrarySnapshot, plan: SearchPlan, versions: Sequence[Version]) -> dict[str, Any]:
        """The fields `scale` and `usual` of `schemas.SearchResultOut`, whatever the search is narrowed to. The reference itself
        and what is left out with it do not count: no hit can score more."""
        everything = np.ones(len(snapshot), dtype=bool)
        own = own_items(snapshot.finder.opened, plan.query, everything)
        left_out = np.union1d(own, np.flatnonzero(snapshot.mask(version.id for version in versions)))
        scale: dict[str, list[float]] = {}
        usual: dict[str, dict[str, float]] = {}
        for table in plan.tables:
            index = snapshot.finder.indexes[table]
            kinds = _eligible_kinds(snapshot, plan, table, left_out)
            for kind, distribution in score_distributions(index, plan.terms(table), kinds).items():
                if len(distribution.scores) < FEWEST:
                    continue
                scale[kind] = np.percentile(distribution.scores, np.arange(101)).round(5).tolist()
                if plan.query.texts:  # its cosines with sounds are not those of sounds with each other
                    mean, deviation = distribution.mean, distribution.deviation
                else:
                    whole = len(plan.query.starts) > 1
                    spread = self._usual.of(snapshot, table, kind, _factors(plan, table), whole=whole)
                    mean, deviation = (0.0, None) if spread is None else (spread.mean, spread.deviation)
                if deviation is not None:
                    usual[kind] = {"mean": round(mean, 5), "deviation": round(deviation, 5)}
        return {"scale": scale, "usual": usual}

    def _plan(self, snapshot: LibrarySnapshot, request: schemas.SearchIn) -> SearchPlan:
        if sum(one is not None for one in (request.upload, request.item, request.text)) != 1:
            raise InputError("give one of upload, item and text")
        query = None
        if request.text is None:
            query = self._queries.get(snapshot, reference_key(request))
        plan = snapshot.finder.plan(
            SearchRequest.of(
                query,
                text=request.text,
                weights=request.weights,
                profile=None if request.profile is None else self._profiles.get(request.profile),
                part=request.part,
                filters=filters_of(request.filters),
                raw=request.raw,
                n=request.n,
                same_class=request.same_class,
                versions=request.versions,
                version_share=request.version_share,
            )
        )
        if query is not None and (request.alike or request.unlike):
            plan = replace(plan, query=_moved(snapshot, query, request.alike, request.unlike))
        only = self._marks.only(request.filters)
        if only is not None:
            plan = replace(plan, admitted=plan.admitted & snapshot.mask(only))
        return plan


def reference_key(request: schemas.SearchIn) -> ReferenceKey:
    """Which sound a search is made with."""
    onsets = request.onsets
    return ReferenceKey(
        request.upload,
        request.item,
        request.region,
        request.few,
        request.kind,
        None if onsets is None else onsets.part,
        None if onsets is None else onsets.group,
    )


def _moved(snapshot: LibrarySnapshot, query: Query, alike: Sequence[str], unlike: Sequence[str]) -> Query:
    """`query` moved towards items that were found alike and away from others, part by part (Rocchio, "Relevance feedback in
    information retrieval", 1971). Raises InputError for an item that does not exist."""
    moved = query.vectors.astype(np.float32, copy=True)
    for weight, item_ids in ((TOWARDS, alike), (-AWAY, unlike)):
        others = [query_from_item(snapshot.library, item) for item in snapshot.items(dict.fromkeys(item_ids))]
        for column, part in enumerate(query.parts):
            directions = [other.direction(part) for other in others]
            if directions:
                moved[:, column] += np.float32(weight) * np.mean(directions, axis=0, dtype=np.float64).astype(
                    np.float32
                )
    return replace(query, vectors=moved)


def _eligible_kinds(snapshot: LibrarySnapshot, plan: SearchPlan, table: Table, left_out: Indices) -> NDArray[np.str_]:
    """(C,) the kind of each content of a table, "" for those of the items `left_out` and of kinds that are not searched."""
    kinds = kinds_of_contents(snapshot.finder.opened, table)
    kinds[~np.isin(kinds, plan.kinds)] = ""
    contents = pa.array([item["content"] for item in snapshot.catalogue.items(left_out)], pa.string())
    indices = snapshot.finder.indexes[table].rows.index_of(contents)
    kinds[indices[indices >= 0]] = ""
    return kinds


def _factors(plan: SearchPlan, table: Table) -> dict[str, float]:
    """By column of a table, what its cosines with a reference like that of `plan` count: parts that are silent in it do not, and
    a moved reference may be longer than a unit vector."""
    factors: dict[str, float] = {}
    for term in plan.terms(table):
        query = plan.query
        name = MIX if query.is_clip else term.label
        lengths = np.linalg.norm(query.vectors[:, query.parts.index(name)].astype(np.float64), axis=1)
        if lengths.any():
            factors[term.column] = factors.get(term.column, 0.0) + term.weight * float(lengths[lengths > 0].mean())
    return factors


def _copies_of(snapshot: LibrarySnapshot, items: Sequence[Item]) -> Copies:
    """Which hits, given by their items in order, are near-identical copies of a better one."""
    contents = pa.array([item["content"] for item in items], pa.string())
    original = list(range(len(items)))
    for table in TABLES:
        index = snapshot.finder.indexes[table]
        content_indices = index.rows.index_of(contents)
        positions = np.flatnonzero(content_indices >= 0)
        first = first_copies(index, content_indices[positions]) if len(positions) > 1 else []
        for position, copy in zip(positions.tolist(), first, strict=False):
            original[position] = int(positions[copy])
    copies: dict[int, list[int]] = {position: [] for position, best in enumerate(original) if position == best}
    for position, best in enumerate(original):
        if position != best:
            copies[best].append(position)
    return copies


def _hits_out(
    snapshot: LibrarySnapshot, hits: Sequence[Hit], items: Sequence[Item], copies: Copies, favourites: Collection[str]
) -> list[dict[str, Any]]:
    """The hits that are shown, with the fields of `schemas.HitOut`."""
    items_out = snapshot.items_out((items[position] for position in copies), favourites)
    found = []
    for (position, others), item in zip(copies.items(), items_out, strict=True):
        hit = hits[position]
        near = [version for version in hit.versions if version.near_identical]
        same: list[Hit | Version] = [*(hits[copy] for copy in others), *near]
        paths = [*hit.copies, *(path for copy in same for path in (copy.path, *copy.copies))]
        found.append(
            {
                "item": item,
                "start": hit.start,
                "end": hit.end,
                "score": hit.score,
                "contributions": hit.contributions,
                "silent": hit.silent,
                "copies": len(paths),
                "copy_paths": paths,
                "versions": _versions_out([version for version in hit.versions if not version.near_identical]),
                "deviations": hit.deviations,
                "above": hit.above,
            }
        )
    return found


def _versions_out(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """Versions with the fields of `schemas.VersionOut`."""
    return [{name: getattr(one, name) for name in schemas.VersionOut.model_fields} for one in versions]


def _without(sent: Candidates, item_ids: Collection[str]) -> Candidates:
    """Candidates without the items with these ids."""
    removed = [index for index, item in enumerate(sent.items) if item["id"] in item_ids]
    if not removed:
        return sent
    kept = ~np.isin(sent.of_item, removed)
    new_index = np.cumsum(~np.isin(np.arange(len(sent.items)), removed)) - 1
    return replace(
        sent,
        items=tuple(item for item in sent.items if item["id"] not in item_ids),
        of_item=new_index[sent.of_item[kept]],
        starts=sent.starts[kept],
        ends=sent.ends[kept],
        cosines=sent.cosines[kept],
    )


def _candidates_out(snapshot: LibrarySnapshot, sent: Candidates, favourites: Collection[str]) -> dict[str, Any]:
    """Candidates with the fields of `schemas.CandidatesOut`."""
    starts, ends = sent.starts.round(3).tolist(), sent.ends.round(3).tolist()
    cosines = sent.cosines.astype(np.float64).round(5).tolist()
    return {
        "parts": sent.parts,
        "items": snapshot.items_out(sent.items, favourites),
        "rows": list(zip(sent.of_item.tolist(), starts, ends, cosines, strict=True)),
    }
