"""From matches of vectors to hits that name files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from soundalike.library.storage.item_parts import path_of_file, seconds_of
from soundalike.search.index.table_rows import WINDOWS
from soundalike.search.index.vector_index import Match
from soundalike.search.item_classes import class_fields
from soundalike.search.open_library import OpenLibrary
from soundalike.search.plan import SearchPlan
from soundalike.search.ranking import Ranking
from soundalike.search.results import Hit, SearchResult, Version
from soundalike.search.score_distribution import ScoreDistribution
from soundalike.search.version_folding import FoldedMatch

_SHOWN = (
    "id", "kind", "duration", "loudness", "tempo", "tempo_source", "key", "key_source", "artist", "title", "album", "status",
    "sound_class", "class_share",
)  # fmt: skip
"""Columns of an item that a hit shows as they are."""


def present(opened: OpenLibrary, plan: SearchPlan, ranking: Ranking) -> SearchResult:
    """The result of a plan from its ranking."""
    weighting = plan.weighting
    return SearchResult(
        hits=_hits(opened, plan, ranking),
        query=plan.query,
        weights=weighting.requested,
        effective=weighting.effective,
        weighting=weighting.description,
        silent=tuple(part for part in weighting.effective if not plan.query.direction(part).any()),
        same=plan.same,
        searched=ranking.searched,
        kinds=plan.kinds,
        absent=ranking.absent,
        distributions=dict(ranking.distributions),
        share=ranking.share,
        sound_class=plan.sound_class,
        class_preferred=plan.preferred is not None,
        versions=_versions(opened, plan, ranking.of_reference),
    )


def _hits(opened: OpenLibrary, plan: SearchPlan, ranking: Ranking) -> tuple[Hit, ...]:
    """Matches as hits. All items are read at once, which is much cheaper than one by one."""
    numbers = [opened.catalogue.with_content(match.content) for match in ranking.matches]
    numbers = [of_match[plan.admitted[of_match]] for of_match in numbers]
    items = iter(opened.catalogue.items(np.concatenate([np.empty(0, dtype=np.int64), *numbers])))
    classes = iter(opened.classes.of([of_match[0] for of_match in numbers]))
    labels = {table: [term.label for term in plan.terms(table)] for table in plan.tables}
    hits = []
    for rank, (match, of_match) in enumerate(zip(ranking.matches, numbers, strict=True), 1):
        own = list(itertools.islice(items, len(of_match)))
        paths = [str(opened.library.absolute(item["root"], item["path"])) for item in own]
        item = own[0] | class_fields(next(classes))
        versions = ranking.versions.get(match.row, ()) if match.table == WINDOWS else ()
        hit = _hit(rank, match, labels[match.table], item, paths, ranking.distributions.get(item["kind"]))
        hits.append(replace(hit, versions=_versions(opened, plan, versions)))
    return tuple(hits)


def _versions(opened: OpenLibrary, plan: SearchPlan, folded: Sequence[FoldedMatch]) -> tuple[Version, ...]:
    """Folded matches with their files."""
    return tuple(_version(opened, plan, one) for one in folded)


def _version(opened: OpenLibrary, plan: SearchPlan, folded: FoldedMatch) -> Version:
    match = folded.match
    numbers = opened.catalogue.with_content(match.content)
    items = opened.catalogue.items(numbers[plan.admitted[numbers]])
    paths = [str(opened.library.absolute(item["root"], item["path"])) for item in items]
    return Version(
        path=paths[0],
        copies=tuple(paths[1:]),
        start=match.start,
        end=match.end,
        score=match.score,
        near_identical=folded.near_identical,
        **{name: items[0][name] for name in ("id", "title", "artist", "duration")},
    )


def _hit(
    rank: int,
    match: Match,
    labels: Sequence[str],
    item: Mapping[str, Any],
    paths: Sequence[str],
    distribution: ScoreDistribution | None,
) -> Hit:
    """A match as a hit; paths: of the item and of its copies."""
    seconds = seconds_of(item["content"])
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
        deviations=None if distribution is None else distribution.deviations(match.score),
        above=None if distribution is None else distribution.share_below(match.score),
        file=None if seconds is None else path_of_file(paths[0], item["content"]),
        offset=0.0 if seconds is None else seconds[0],
        **{name: item[name] for name in _SHOWN},
    )
