"""Where a score stands in the library: for texts, whose cosines with sounds are small and centred elsewhere.

A text's cosine of 0.3 may be outstanding, and 0.1 too: it depends on the encoder and on the words. What can be read is how
a hit stands among the others. They are all items of its own kind, each by its best window as in the ranking, whatever else
the search was narrowed to: so the figures of a hit do not change with filters, and few admitted items make no
scale of their own. Items in which none of the weighted parts sounds do not count, for they have no score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.search.index.vectors import Float64, Table, Term, Vectors, heard
from soundalike.search.vector_statistics import Spread

FEWEST = 10
"""Items (or windows) below which neither a standard deviation nor a share says anything."""

EQUAL = 1e-6
"""Scores that differ by less are equal, for weights that sum to 1 in absolute value."""


@dataclass(frozen=True)
class Scale:
    """The scores of all items of one kind, ascending; tolerance: below it two scores are equal."""

    scores: Float64
    tolerance: float = EQUAL

    @property
    def mean(self) -> float:
        """Mean score."""
        return float(self.scores.mean())

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the scores; None where there are too few items or all score the same."""
        spread = float(self.scores.std()) if len(self.scores) >= FEWEST else 0.0
        return spread if spread > self.tolerance else None

    def deviations(self, score: float) -> float | None:
        """How many standard deviations `score` lies above the mean, negative below it; None where there is no
        deviation."""
        deviation = self.deviation
        return None if deviation is None else (score - self.mean) / deviation

    def share_below(self, score: float) -> float | None:
        """The share (0..1) of the items that `score` beats; None where there are too few items."""
        if len(self.scores) < FEWEST:
            return None
        return float(np.searchsorted(self.scores, score - self.tolerance)) / len(self.scores)


def scales(vectors: Vectors, table: Table, terms: Sequence[Term], kinds: NDArray[np.str_]) -> dict[str, Scale]:
    """The scale of each kind in `table` under `terms`; kinds: (C,) that of each content, those with "" do not count.

    Past the memory budget the scores are estimates, whose errors widen the scale a little.
    """
    rows = vectors.rows(table)
    if not len(rows):
        return {}
    scores = vectors.scan(table, terms).scores.astype(np.float64)
    scores[~heard(vectors, table, terms)] = -np.inf
    best: Float64 = np.maximum.reduceat(scores, rows.first)
    tolerance = EQUAL * sum(abs(term.weight) for term in terms)
    found = {}
    for kind in sorted(set(kinds[np.isfinite(best)]) - {""}):
        found[str(kind)] = Scale(np.sort(best[np.logical_and(kinds == kind, np.isfinite(best))]), tolerance)
    return found


def spread_of_text(
    vectors: Vectors, table: Table, parts: Sequence[str], direction: Callable[[str], NDArray[np.float64]]
) -> dict[str, Spread]:
    """Mean and deviation of the cosine of a query with each of `parts`, over the rows that have it.

    direction: the query's vector (D,) for a part. What `neighbours.spread` is for pairs of sounds, whose cosines spread
    otherwise than those of this text with sounds. A part in fewer than `FEWEST` rows has mean 0 and deviation 1.
    """
    found = {}
    for part in parts:
        scan = vectors.scan(table, [Term(part, part, direction(part), 1.0)])
        cosine = scan.scores[vectors.present(table, part)].astype(np.float64)
        variance = max(0.0, float(cosine.var()) - scan.error**2) if len(cosine) >= FEWEST else 0.0
        deviation = variance**0.5
        known = deviation > EQUAL
        found[part] = Spread(float(cosine.mean()) if known else 0.0, deviation if known else 1.0, len(cosine))
    return found
