"""Where a score lies among the scores of the library: for texts, whose cosines with sounds are small and not centred on 0.

A text's cosine of 0.3 may be outstanding, and 0.1 too: it depends on the encoder and on the text. What can be interpreted is
how a hit compares with the others: all items of its own kind, each by its best window as in the ranking, whatever else the
search was narrowed to. So the figures of a hit do not change with filters, and a few eligible items do not make a
distribution of their own. Items in which none of the weighted parts is present do not count, for they have no score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from soundalike.search.index.exact_scoring import has_any_column
from soundalike.search.index.table_rows import Float64
from soundalike.search.index.vector_index import Term, VectorIndex
from soundalike.search.vector_statistics import Spread

FEWEST = 10
"""Items (or windows) below which neither a standard deviation nor a share means anything."""

EQUAL = 1e-6
"""Scores that differ by less count as equal, for weights that sum to 1 in absolute value."""


@dataclass(frozen=True)
class ScoreDistribution:
    """The scores of all items of one kind, ascending; tolerance: scores that differ by less are equal."""

    scores: Float64 = field(repr=False)
    tolerance: float = EQUAL

    @property
    def mean(self) -> float:
        """Mean score."""
        return float(self.scores.mean())

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the scores; None where there are too few items or all score the same."""
        deviation = float(self.scores.std()) if len(self.scores) >= FEWEST else 0.0
        return deviation if deviation > self.tolerance else None

    def deviations(self, score: float) -> float | None:
        """How many standard deviations `score` is above the mean, negative below it; None without a deviation."""
        deviation = self.deviation
        return None if deviation is None else (score - self.mean) / deviation

    def share_below(self, score: float) -> float | None:
        """The share (0..1) of the items with a lower score; None where there are too few items."""
        if len(self.scores) < FEWEST:
            return None
        return float(np.searchsorted(self.scores, score - self.tolerance)) / len(self.scores)


def score_distributions(
    index: VectorIndex, terms: Sequence[Term], kinds: NDArray[np.str_]
) -> dict[str, ScoreDistribution]:
    """The scores of each kind in a table under `terms`. kinds (C,): the kind of each content, "" for those left out.

    In a quantised index the scores are estimates, whose errors widen the distribution a little.
    """
    if not len(index.rows):
        return {}
    scores = index.scan(terms).scores.astype(np.float64)
    scores[~has_any_column(index, terms)] = -np.inf
    best: Float64 = np.maximum.reduceat(scores, index.rows.first)
    known = np.isfinite(best)
    tolerance = EQUAL * sum(abs(term.weight) for term in terms)
    return {
        str(kind): ScoreDistribution(np.sort(best[np.logical_and(kinds == kind, known)]), tolerance)
        for kind in sorted(set(kinds[known]) - {""})
    }


def spread_of_text(
    index: VectorIndex, parts: Sequence[str], direction: Callable[[str], NDArray[np.float64]]
) -> dict[str, Spread]:
    """Mean and deviation of the cosine of a text with each of `parts`, over the rows that have it.

    direction: the vector (D,) of the text for a part. The counterpart of `vector_statistics.spread`, whose pairs of sounds
    have other cosines than this text with sounds. A part in fewer than `FEWEST` rows has mean 0 and deviation 1.
    """
    spreads = {}
    for part in parts:
        scan = index.scan([Term(part, part, direction(part), 1.0)])
        cosine = scan.scores[index.present(part) & np.isfinite(scan.scores)].astype(np.float64)
        variance = max(0.0, float(cosine.var()) - scan.error**2) if len(cosine) >= FEWEST else 0.0
        deviation = variance**0.5
        known = deviation > EQUAL
        spreads[part] = Spread(float(cosine.mean()) if known else 0.0, deviation if known else 1.0, len(cosine))
    return spreads
