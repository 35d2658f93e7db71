"""Ranking: the best matches of a plan over all its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.search.diversity import diversify
from soundalike.search.index.table_rows import Indices, Table
from soundalike.search.index.vector_index import Match
from soundalike.search.open_library import OpenLibrary
from soundalike.search.plan import SearchPlan
from soundalike.search.score_distribution import ScoreDistribution, score_distributions

_Row = tuple[Table, int]

DIVERSE_POOL = 10
"""Diverse hits are chosen among this many times the number requested."""


@dataclass(frozen=True)
class Ranking:
    """matches: best first; searched: how many different files were eligible; share: of the rows that were searched (0..1), the
    lowest of the tables; distributions: for a text, of the scores of each kind."""

    matches: list[Match]
    searched: int
    share: float
    distributions: Mapping[str, ScoreDistribution]


def rank(opened: OpenLibrary, plan: SearchPlan) -> Ranking:
    """The best matches of a plan, and what is needed to interpret their scores."""
    n, diverse = plan.request.n, plan.request.diverse
    is_text = bool(plan.query.texts)
    tie_orders: dict[Table, Indices] = {}
    matches: list[Match] = []
    distributions: dict[str, ScoreDistribution] = {}
    share = 1.0
    preferred: set[_Row] = set()
    for table in plan.tables:
        index, terms = opened.indexes[table], plan.terms(table)
        tie_orders[table] = opened.tie_order(table, plan.admitted)
        count = n * DIVERSE_POOL if diverse else n
        matched = index.search(terms, count, tie_orders[table], present_only=is_text)
        share = min(share, matched.share)
        matches += diversify(index, matched.best, terms, n) if diverse else matched.best
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
        share,
        {kind: distributions[kind] for kind in plan.kinds if kind in distributions},
    )


def _row(match: Match) -> _Row:
    return match.table, match.row


def _tie_position(opened: OpenLibrary, tie_orders: Mapping[Table, Indices], match: Match) -> int:
    return int(tie_orders[match.table][opened.indexes[match.table].rows.of_row[match.row]])


def kinds_of_contents(opened: OpenLibrary, table: Table) -> NDArray[np.str_]:
    """(C,) the kind of the first item of each content of a table, "" where there is none."""
    kinds = np.array([*opened.catalogue.column("kind").to_pylist(), ""], dtype=str)
    everything = np.ones(len(opened.catalogue), dtype=bool)
    return np.asarray(kinds[opened.tie_order(table, everything)])
