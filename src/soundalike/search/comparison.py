"""Two files compared: how similar they are part by part, and in which seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from soundalike.search.query import Query, query_from_file
from soundalike.similarity.cosine import contributions, cosines
from soundalike.similarity.weights import Weights, checked, equal_weights

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analyser


@dataclass(frozen=True)
class PartComparison:
    """One part of two files.

    weight; cosine, contribution: in the pair of windows with the highest score; mean: cosine over all pairs of windows; best:
    the highest cosine of this part alone, and its seconds in both files. None where the part is absent.
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
    """Two files: score of the best pair of windows under the weights (the sum of the contributions), its seconds in both files,
    and each part."""

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
    """Compare two files on raw cosines; parts without a weight count 0 but are shown.

    Two clips (loops, one-shots), or a song and a clip, have only their mix in common. Raises InputError for weights of parts
    that do not exist, AudioError for files that cannot be used.
    """
    first = query_from_file(analyser, a, region=region_a)
    second = query_from_file(analyser, b, region=region_b)
    parts = tuple(part for part in first.parts if part in second.parts)
    used = checked(equal_weights(parts) if weights is None else weights, parts)
    return compare_queries(first, second, parts, used)


def compare_queries(first: Query, second: Query, parts: tuple[str, ...], weights: Weights) -> Comparison:
    """The comparison of two queries that both have all of `parts`."""
    a, b = (query.vectors[:, [query.parts.index(part) for part in parts]] for query in (first, second))
    cosine = cosines(a[:, np.newaxis], b[np.newaxis])  # (N, M, K)
    both = np.logical_and(np.any(a, axis=2)[:, np.newaxis, :], np.any(b, axis=2)[np.newaxis, :, :])
    contributed = contributions(cosine, parts, weights)
    scores = contributed.sum(axis=2)
    i, j = np.unravel_index(int(np.argmax(scores)), scores.shape)
    compared = []
    for k, part in enumerate(parts):
        weight, contribution = weights.get(part, 0.0), float(contributed[i, j, k])
        if not np.any(both[..., k]):
            compared.append(PartComparison(part, weight, None, contribution, None, None, None, None))
            continue
        pairs = np.where(both[..., k], cosine[..., k], -np.inf)
        best_i, best_j = np.unravel_index(int(np.argmax(pairs)), pairs.shape)
        compared.append(
            PartComparison(
                part=part,
                weight=weight,
                cosine=float(cosine[i, j, k]) if both[i, j, k] else None,
                contribution=contribution,
                mean=float(cosine[..., k][both[..., k]].mean()),
                best=float(pairs[best_i, best_j]),
                best_a=_seconds(first, int(best_i)),
                best_b=_seconds(second, int(best_j)),
            )
        )
    return Comparison(float(scores[i, j]), _seconds(first, int(i)), _seconds(second, int(j)), tuple(compared))


def _seconds(query: Query, window: int) -> tuple[float, float]:
    return float(query.starts[window]), float(query.ends[window])
