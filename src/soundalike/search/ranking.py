"""Ranking: the best matches of a plan over all its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.parts import MIX
from soundalike.search.diversity import diversify
from soundalike.search.index.exact_scoring import compared_columns, has_any_column
from soundalike.search.index.table_rows import WINDOWS, Indices, Table
from soundalike.search.index.vector_index import Match, Matches, Term
from soundalike.search.open_library import OpenLibrary
from soundalike.search.plan import SearchPlan
from soundalike.search.score_distribution import ScoreDistribution, score_distributions
from soundalike.search.version_folding import Folded, FoldedMatch, fold_versions

_Row = tuple[Table, int]

DIVERSE_POOL = 10
"""Diverse hits are chosen among this many times the number requested."""


@dataclass(frozen=True)
class Ranking:
    """matches: best first; searched: how many different files were eligible; absent: how many of them have none of the parts
    that are compared, so that they have no score and are no matches; share: of the rows that were searched (0..1), the
    lowest of the tables; distributions: for a text, of the scores of each kind; versions: by row of a song among the matches,
    the matches folded under it; of_reference: those that are versions of the reference."""

    matches: list[Match]
    searched: int
    absent: int
    share: float
    distributions: Mapping[str, ScoreDistribution]
    versions: Mapping[int, Sequence[FoldedMatch]]
    of_reference: Sequence[FoldedMatch]


def rank(opened: OpenLibrary, plan: SearchPlan) -> Ranking:
    """The best matches of a plan, and what is needed to interpret their scores."""
    n, diverse = plan.request.n, plan.request.diverse
    is_text = bool(plan.query.texts)
    tie_orders: dict[Table, Indices] = {}
    matches: list[Match] = []
    distributions: dict[str, ScoreDistribution] = {}
    versions: dict[int, list[FoldedMatch]] = {}
    of_reference: list[FoldedMatch] = []
    share, absent = 1.0, 0
    preferred: set[_Row] = set()
    for table in plan.tables:
        index, terms = opened.indexes[table], plan.terms(table)
        tie_orders[table] = opened.tie_order(table, plan.admitted)
        count = n * DIVERSE_POOL if diverse else n
        matched, folded = _best(opened, plan, table, tie_orders[table], count)
        share = min(share, matched.share)
        if _may_lack_all(terms):
            present = np.logical_or.reduceat(has_any_column(index, terms), index.rows.first)
            absent += int(np.logical_and(tie_orders[table] >= 0, ~present).sum())
        versions |= folded.versions
        of_reference += folded.of_reference
        matches += diversify(index, folded.kept, terms, n) if diverse else folded.kept
        if plan.preferred is not None:
            of_class = index.search(terms, n, opened.tie_order(table, plan.admitted & plan.preferred)).best
            preferred |= {_row(match) for match in of_class}
            found = {_row(match) for match in matches}
            matches += [match for match in of_class if _row(match) not in found]
        if is_text:
            distributions |= score_distributions(index, terms, kinds_of_contents(opened, table))
    if len(plan.tables) > 1 or plan.preferred is not None:
        matches.sort(
            key=lambda match: (
                -match.score - (plan.class_bonus if _row(match) in preferred else 0.0),
                _tie_position(opened, tie_orders, match),
                match.start,
            )
        )
    return Ranking(
        matches[:n],
        sum(int((order >= 0).sum()) for order in tie_orders.values()),
        absent,
        share,
        {kind: distributions[kind] for kind in plan.kinds if kind in distributions},
        versions,
        of_reference,
    )


def _best(opened: OpenLibrary, plan: SearchPlan, table: Table, order: Indices, count: int) -> tuple[Matches, Folded]:
    """The `count` best matches of a table, with versions of one song folded into one where the plan asks for it."""
    index, terms = opened.indexes[table], plan.terms(table)
    present_only = _may_lack_all(terms)
    if table != WINDOWS or plan.request.versions == "show":
        matched = index.search(terms, count, order, present_only=present_only)
        return matched, Folded(matched.best)
    asked = count + count // 10 + 5  # that many may be folded without another search
    while True:
        matched = index.search(terms, asked, order, present_only=present_only)
        folded = fold_versions(
            opened,
            plan.query,
            matched.best,
            with_reference=not plan.request.include_self,
            share=plan.request.version_share,
        )
        if len(folded.kept) >= count or len(matched.best) < asked:
            folded.kept = folded.kept[:count]
            return matched, folded
        asked *= 2


def _may_lack_all(terms: Sequence[Term]) -> bool:
    """Whether there may be rows with none of the compared parts: all have a mix."""
    return MIX not in compared_columns(terms)


def _row(match: Match) -> _Row:
    return match.table, match.row


def _tie_position(opened: OpenLibrary, tie_orders: Mapping[Table, Indices], match: Match) -> int:
    return int(tie_orders[match.table][opened.indexes[match.table].rows.of_row[match.row]])


def kinds_of_contents(opened: OpenLibrary, table: Table) -> NDArray[np.str_]:
    """(C,) the kind of the first item of each content of a table, "" where there is none."""
    kinds = np.array([*opened.catalogue.column("kind").to_pylist(), ""], dtype=str)
    everything = np.ones(len(opened.catalogue), dtype=bool)
    return np.asarray(kinds[opened.tie_order(table, everything)])
