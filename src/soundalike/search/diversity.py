"""Hits that differ from one another: maximal marginal relevance (Carbonell & Goldstein 1998)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from soundalike.search.index.vector_index import Match, Term, VectorIndex


def diversify(
    index: VectorIndex, matches: Sequence[Match], terms: Sequence[Term], count: int, *, relevance: float = 0.7
) -> list[Match]:
    """`count` of `matches` (of one table) that score high and are unlike each other.

    Greedy: the next is the one with the highest relevance * score - (1 - relevance) * (its highest similarity to one chosen
    already), both in units of the sum of absolute weights; the similarity is that of the search itself.
    """
    if len(matches) <= 1:
        return list(matches)
    rows = np.array([match.row for match in matches])
    total = sum(abs(term.weight) for term in terms)
    similarity = np.zeros((len(rows), len(rows)))
    for term in terms:
        block = index.take([term.column], rows)[:, 0].astype(np.float64)
        similarity += abs(term.weight) / total * (block @ block.T)
    scores = np.array([match.score for match in matches]) / total
    chosen = [0]
    while len(chosen) < min(count, len(matches)):
        gain = relevance * scores - (1 - relevance) * similarity[:, chosen].max(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(np.argmax(gain)))
    return [matches[position] for position in chosen]
