"""Two files side by side: how alike they are part by part, and in which seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from soundalike.analysis.analyser import Analyser
from soundalike.search.query import Query, query_from_file
from soundalike.similarity.cosine import contributions, cosines
from soundalike.similarity.weights import Weights, checked, equal_weights


@dataclass(frozen=True)
class PartComparison:
    """One part of two files: weight; the cosine and contribution in the pair of windows that decided; the mean cosine
    over all pairs of windows; the best pair of windows for this part alone: its cosine and seconds. None where the
    part is absent.
    """

    part: str
    weight: float
    cosine: float | None
    contribution: float
    mean: float | None
    best: float | None
    best_a: tuple[float, float] | None
    best_b: tuple[float, float] | None


@dataclass(frozen=True)
class Comparison:
    """Two files: score of the best pair of windows under the weights (= the sum of the contributions), its seconds,
    the parts."""

    score: float
    seconds_a: tuple[float, float]
    seconds_b: tuple[float, float]
    parts: tuple[PartComparison, ...]


def compare(
    analyser: Analyser,
    a: Path,
    b: Path,
    *,
    region_a: tuple[float, float | None] | None = None,
    region_b: tuple[float, float | None] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare two files on raw cosines; parts that the weights do not name count 0 but are shown.

    Two whole sounds (loops, one-shots), or a song and a whole sound, have only their mix in common. Raises InputError
    for weights of parts that are not there, AudioError for files that cannot be used.
    """
    first = query_from_file(analyser, a, region=region_a)
    second = query_from_file(analyser, b, region=region_b)
    parts = tuple(part for part in first.parts if part in second.parts)
    used = checked(equal_weights(parts) if weights is None else weights, parts)
    return compare_queries(first, second, parts, used)


def compare_queries(first: Query, second: Query, parts: tuple[str, ...], weights: Weights) -> Comparison:
    """The comparison of two queries, each with all of `parts`."""
    vectors = [q.vectors[:, [q.parts.index(part) for part in parts]] for q in (first, second)]
    cosine = cosines(vectors[0][:, np.newaxis], vectors[1][np.newaxis])  # (N, M, K)
    both = np.logical_and(np.any(vectors[0], axis=2)[:, np.newaxis, :], np.any(vectors[1], axis=2)[np.newaxis, :, :])
    contributed = contributions(cosine, parts, weights)
    scores = contributed.sum(axis=2)
    i, j = np.unravel_index(int(np.argmax(scores)), scores.shape)
    compared = []
    for k, part in enumerate(parts):
        pairs = np.where(both[..., k], cosine[..., k], -np.inf)
        there = bool(np.any(both[..., k]))
        bi, bj = np.unravel_index(int(np.argmax(pairs)), pairs.shape)
        compared.append(
            PartComparison(
                part=part,
                weight=weights.get(part, 0.0),
                cosine=float(cosine[i, j, k]) if both[i, j, k] else None,
                contribution=float(contributed[i, j, k]),
                mean=float(cosine[..., k][both[..., k]].mean()) if there else None,
                best=float(pairs[bi, bj]) if there else None,
                best_a=_seconds(first, int(bi)) if there else None,
                best_b=_seconds(second, int(bj)) if there else None,
            )
        )
    return Comparison(float(scores[i, j]), _seconds(first, int(i)), _seconds(second, int(j)), tuple(compared))


def _seconds(query: Query, window: int) -> tuple[float, float]:
    return float(query.starts[window]), float(query.ends[window])


__all__ = ["Comparison", "PartComparison", "compare", "compare_queries"]
