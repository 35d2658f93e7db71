"""Statistics of a library's vectors: the spread of each part's cosine, and hubness.

The spread is derived from the vectors and stored beside them, stamped with the state of the tables it was computed from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from soundalike.library.storage.store import Library
from soundalike.search.index.derived_json import read_derived, write_derived
from soundalike.search.index.table_rows import Float32, Indices
from soundalike.search.index.vector_index import VectorIndex

PAIRS = 20_000
FEWEST_PAIRS = 10
NEIGHBOURS = 10
HUB_SAMPLE = 4_000
_SEED = 20_260


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of a part's cosine between random pairs of windows of different files.

    pairs: how many pairs had the part on both sides.
    """

    mean: float
    deviation: float
    pairs: int


def spread(index: VectorIndex, parts: Sequence[str]) -> dict[str, Spread]:
    """The spread of each of `parts` over up to `PAIRS` random pairs (fixed seed), pairs within one file left out.

    A part with fewer than `FEWEST_PAIRS` pairs has deviation 1 and mean 0.
    """
    rows = index.rows
    if len(rows) < 2:
        return dict.fromkeys(parts, Spread(0.0, 1.0, 0))
    left, right = np.random.default_rng(_SEED).integers(0, len(rows), (2, PAIRS))
    differ = np.not_equal(rows.of_row[left], rows.of_row[right])
    left, right = left[differ], right[differ]
    return {part: _spread_of(index, part, left, right) for part in parts}


def _spread_of(index: VectorIndex, part: str, left: Indices, right: Indices) -> Spread:
    one, other = (index.take([part], rows)[:, 0] for rows in (left, right))
    both = one.any(axis=1) & other.any(axis=1)
    if both.sum() < FEWEST_PAIRS:
        return Spread(0.0, 1.0, int(both.sum()))
    cosine = np.einsum("nd,nd->n", one[both], other[both])
    deviation = float(cosine.std())
    return Spread(float(cosine.mean()), deviation if deviation > 1e-6 else 1.0, int(both.sum()))


def stored_spread(library: Library, index: VectorIndex, parts: Sequence[str]) -> dict[str, Spread]:
    """`spread`, read from beside the tables if it fits their state, else computed and stored there if that is allowed."""
    path = library.derived_path(f"spread-{index.table}.json")
    stamp = [str(version) for version in library.version]
    try:
        stored = read_derived(path)
        if stored["stamp"] == stamp and set(stored["parts"]) >= set(parts):
            return {part: Spread(**stored["parts"][part]) for part in parts}
    except (KeyError, TypeError):
        pass  # absent or of an earlier form: it is computed again
    spreads = spread(index, index.columns)
    write_derived(path, {"stamp": stamp, "parts": {part: asdict(value) for part, value in spreads.items()}})
    return {part: spreads[part] for part in parts}


@dataclass(frozen=True)
class Hubness:
    """How unevenly the windows of a part are returned as each other's nearest neighbours.

    skewness: of the 10-occurrence N_10 (Radovanovic, Nanopoulos & Ivanovic 2010), 0 for none, over 1 marked; never:
    share of windows (0..1) that are nobody's neighbour; largest: the highest N_10; windows: how many took part.
    """

    skewness: float
    never: float
    largest: int
    windows: int


def hubness(index: VectorIndex, part: str) -> Hubness | None:
    """Hubness of `part` over at most `HUB_SAMPLE` windows; neighbours within one file do not count. None if too few."""
    present = np.flatnonzero(index.present(part))
    if len(present) > HUB_SAMPLE:
        present = np.sort(np.random.default_rng(_SEED).choice(present, HUB_SAMPLE, replace=False))
    contents = index.rows.of_row[present]
    if len(np.unique(contents)) <= NEIGHBOURS:
        return None
    return occurrence(index.take([part], present)[:, 0], contents)


def occurrence(points: Float32, groups: NDArray[np.int64]) -> Hubness:
    """Hubness of `points` (N, D) under the dot product, pairs of the same group left out."""
    counts = np.zeros(len(points), dtype=np.int64)
    for block in np.array_split(np.arange(len(points)), max(1, len(points) // 512)):
        similar = points[block] @ points.T
        similar[groups[block][:, np.newaxis] == groups[np.newaxis, :]] = -np.inf
        nearest = np.argpartition(similar, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        counts += np.bincount(nearest.ravel(), minlength=len(points))
    from scipy.stats import skew  # half a second to import: not for searches that need the rest of this module

    return Hubness(
        skewness=float(skew(counts)) if counts.std() > 0 else 0.0,
        never=float(np.mean(counts == 0)),
        largest=int(counts.max()),
        windows=len(points),
    )
