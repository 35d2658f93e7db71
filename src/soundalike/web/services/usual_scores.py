"""What two items of a library usually score, by kind: what a score has to exceed before it means that two sounds are alike.

The rank of a hit does not tell: something is nearest to any reference, also to one that nothing in the library resembles. So
the scores that items of one kind have with each other are the measure, under the weights of the search: each sampled item takes
the place of the reference once, and is compared with the others as a search does it, by their best windows.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from soundalike.search.index.table_rows import Float32, Float64, Indices, Mask, Table
from soundalike.search.index.vector_index import VectorIndex
from soundalike.search.ranking import kinds_of_contents
from soundalike.search.score_distribution import EQUAL, FEWEST
from soundalike.search.vector_statistics import Spread
from soundalike.web.services.library_snapshot import LibrarySnapshot

MOST_ITEMS = 48
"""Items of a kind that are sampled: 2,256 pairs."""

MOST_WINDOWS = 8
"""Windows of each that are compared, evenly spread over it."""

_SEED = 20_260


@dataclass(frozen=True)
class SampledCosines:
    """Cosines between the windows of some items of one kind.

    columns (K,): of the table; item (N,): of each window, ascending; cosines (K, N, N); present (K, N): whether a window has that
    column.
    """

    columns: tuple[str, ...]
    item: Indices
    cosines: Float32 = field(repr=False)
    present: Mask = field(repr=False)

    def scores(self, factors: Mapping[str, float], *, whole: bool) -> Float64:
        """The scores (P,) of pairs of different items under factors of their columns' cosines.

        whole: each item is compared as a whole, by the mean over its windows, else its windows one by one; the other item counts
        by its best window, as in a search. Items with none of these columns have no scores.
        """
        used = [self.columns.index(column) for column in factors]
        known = self.present[used].any(axis=0)
        if not known.any():
            return np.empty(0)
        cosines = self.cosines[used][:, known][:, :, known].astype(np.float64)
        scores = np.tensordot(np.array(list(factors.values())), cosines, axes=1)
        references = item = self.item[known]
        first = np.flatnonzero(np.diff(item, prepend=-1))
        if whole:
            windows = np.diff(np.append(first, len(item)))
            references, scores = item[first], np.add.reduceat(scores, first, axis=0) / windows[:, np.newaxis]
        best = np.maximum.reduceat(scores, first, axis=1)
        return np.asarray(best[references[:, np.newaxis] != item[first]])


def sampled_cosines(index: VectorIndex, contents: Indices) -> SampledCosines:
    """The cosines between windows of up to `MOST_ITEMS` of `contents`, by their indices in the table (fixed seed)."""
    if len(contents) > MOST_ITEMS:
        contents = np.sort(np.random.default_rng(_SEED).choice(contents, MOST_ITEMS, replace=False))
    rows = [np.array(index.rows.of_content(int(content)), dtype=np.int64) for content in contents]
    rows = [of_item[_evenly(len(of_item))] for of_item in rows]
    item = np.repeat(np.arange(len(rows)), [len(of_item) for of_item in rows])
    vectors = index.take(index.columns, np.concatenate([np.empty(0, dtype=np.int64), *rows])).transpose(1, 0, 2)
    return SampledCosines(index.columns, item, vectors @ vectors.transpose(0, 2, 1), np.asarray(vectors.any(axis=2)))


def _evenly(count: int) -> Indices:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_WINDOWS)).round().astype(np.int64))


class UsualScores:
    """Samples of the present state of a library, made when first needed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = ""
        self._samples: dict[str, SampledCosines] = {}

    def of(
        self, snapshot: LibrarySnapshot, table: Table, kind: str, factors: Mapping[str, float], *, whole: bool
    ) -> Spread | None:
        """Mean and deviation of `SampledCosines.scores`; None for fewer than `FEWEST` items, or if all score the same."""
        sample = self._sample(snapshot, table, kind)
        scores = sample.scores(factors, whole=whole)
        deviation = float(scores.std()) if len(scores) else 0.0
        if len(np.unique(sample.item)) < FEWEST or deviation <= EQUAL:
            return None
        return Spread(float(scores.mean()), deviation, len(scores))

    def _sample(self, snapshot: LibrarySnapshot, table: Table, kind: str) -> SampledCosines:
        with self._lock:
            if snapshot.state != self._state:
                self._state, self._samples = snapshot.state, {}
            sample = self._samples.get(kind)
            if sample is None:
                contents = np.flatnonzero(kinds_of_contents(snapshot.finder.opened, table) == kind)
                sample = sampled_cosines(snapshot.finder.indexes[table], contents)
                self._samples[kind] = sample
        return sample
