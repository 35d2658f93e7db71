"""What a library's vectors look like among themselves: spread of the cosines, hubs, near-identical files.

All of it is derived from the vectors and can be thrown away; the spread is kept beside them, stamped with the state
of the tables it was computed from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from soundalike.search.index.vectors import Float32, Indices, Table, Vectors

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


def spread(vectors: Vectors, table: Table, parts: Sequence[str]) -> dict[str, Spread]:
    """The spread of each of `parts` over up to `PAIRS` random pairs (fixed seed), pairs within one file left out.

    A part with fewer than `FEWEST_PAIRS` pairs says nothing: its deviation is 1 and its mean 0.
    """
    rows = vectors.rows(table)
    count = len(rows)
    if count < 2:
        return dict.fromkeys(parts, Spread(0.0, 1.0, 0))
    rng = np.random.default_rng(_SEED)
    left, right = rng.integers(0, count, (2, PAIRS))
    differ = np.not_equal(rows.of_row[left], rows.of_row[right])
    left, right = left[differ], right[differ]
    return {part: _spread_of(vectors, table, part, left, right) for part in parts}


def _spread_of(vectors: Vectors, table: Table, part: str, left: Indices, right: Indices) -> Spread:
    present = vectors.present(table, part)
    both = present[left] & present[right]
    if both.sum() < FEWEST_PAIRS:
        return Spread(0.0, 1.0, int(both.sum()))
    one, other = (vectors.take(table, [part], side[both])[:, 0] for side in (left, right))
    cosine = np.einsum("nd,nd->n", one, other)
    deviation = float(cosine.std())
    return Spread(float(cosine.mean()), deviation if deviation > 1e-6 else 1.0, int(both.sum()))


def stored_spread(vectors: Vectors, table: Table, parts: Sequence[str]) -> dict[str, Spread]:
    """`spread`, read from beside the tables where it fits their state, else computed and kept there if that is
    allowed."""
    library = vectors.library
    place = library.derived_path(f"spread-{table}.json")
    stamp = [str(version) for version in library.version]
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
        if kept["stamp"] == stamp and set(kept["parts"]) >= set(parts):
            return {part: Spread(**kept["parts"][part]) for part in parts}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # absent, half written or of an older form: it is computed again
    everything = list(library.recipe.parts) if table == "windows" else ["mix"]
    found = spread(vectors, table, everything)
    values = {"stamp": stamp, "parts": {part: asdict(value) for part, value in found.items()}}
    temporary = place.with_suffix(f".{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")
        os.replace(temporary, place)
    except OSError:
        temporary.unlink(missing_ok=True)  # a library that may only be read is searched all the same
    return {part: found[part] for part in parts}


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


def hubness(vectors: Vectors, table: Table, part: str) -> Hubness | None:
    """Hubness of `part` over at most `HUB_SAMPLE` windows; neighbours within one file do not count. None if too few."""
    rows = vectors.rows(table)
    present = np.flatnonzero(vectors.present(table, part))
    if len(present) > HUB_SAMPLE:
        present = np.sort(np.random.default_rng(_SEED).choice(present, HUB_SAMPLE, replace=False))
    if len(np.unique(rows.of_row[present])) <= NEIGHBOURS:
        return None
    return occurrence(vectors.take(table, [part], present)[:, 0], rows.of_row[present])


def occurrence(points: Float32, groups: NDArray[np.int64]) -> Hubness:
    """Hubness of `points` (N, D) under the dot product, pairs of the same group left out."""
    counts = np.zeros(len(points), dtype=np.int64)
    for block in np.array_split(np.arange(len(points)), max(1, len(points) // 512)):
        similar = points[block] @ points.T
        similar[groups[block][:, np.newaxis] == groups[np.newaxis, :]] = -np.inf
        nearest = np.argpartition(similar, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        counts += np.bincount(nearest.ravel(), minlength=len(points))
    return Hubness(
        skewness=float(skew(counts)) if counts.std() > 0 else 0.0,
        never=float(np.mean(counts == 0)),
        largest=int(counts.max()),
        windows=len(points),
    )


NEAR_IDENTICAL = 0.95
"""Mean cosine of the mix, window by window, from which two files of equal length are copies of one another."""

LENGTH_TOLERANCE = 0.25
"""Seconds by which copies may differ in length: encoders pad."""


def same_recording(a: Float32, b: Float32, a_seconds: float, b_seconds: float) -> bool:
    """Whether two files are near-identical copies, from the mix vectors (N, D) of their windows in order."""
    if abs(a_seconds - b_seconds) > LENGTH_TOLERANCE or len(a) != len(b) or not len(a):
        return False
    return bool(same_recordings(a, b[np.newaxis])[0])


def same_recordings(mix: Float32, others: Float32) -> NDArray[np.bool_]:
    """(C,) which of `others` (C, N, D), files of the same length as `mix` (N, D), are near-identical copies of it."""
    cosines = others.reshape(len(others), mix.size) @ mix.ravel() / max(1, len(mix))
    return np.asarray(cosines >= NEAR_IDENTICAL)


def first_copies(vectors: Vectors, table: Table, contents: Indices) -> list[int]:
    """For each of some different contents (M,) of `table`, best first, the place 0..M-1 of the first one that it is a
    near-identical copy of; its own place where there is none. What is compared is always that first one: no chains."""
    rows = vectors.rows(table)
    last = np.append(rows.first[1:], len(rows)) - 1
    seconds = rows.ends[last[contents]]

    def mix(indices: Indices | range) -> Float32:
        return vectors.take(table, ["mix"], np.asarray(indices, dtype=np.int64))[:, 0]

    alike: dict[int, list[int]] = {}
    for pair in _candidate_pairs(lambda places: mix(rows.first[contents[places]]), seconds):
        alike.setdefault(max(pair), []).append(min(pair))
    found = list(range(len(contents)))
    for place, others in sorted(alike.items()):
        own = mix(rows.of_content(int(contents[place])))
        for other in sorted(others):
            if found[other] == other:
                theirs = mix(rows.of_content(int(contents[other])))
                if same_recording(theirs, own, float(seconds[other]), float(seconds[place])):
                    found[place] = other
                    break
    return found


def near_identical(vectors: Vectors, table: Table) -> list[list[int]]:
    """Groups (two or more) of content indices of `table` that are near-identical copies, each sorted, in order."""
    rows = vectors.rows(table)
    seconds = rows.ends[np.append(rows.first[1:], len(rows)) - 1] if len(rows) else np.empty(0)
    parent = list(range(len(rows.contents)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    def mix(indices: Indices | range) -> Float32:
        return vectors.take(table, ["mix"], np.asarray(indices, dtype=np.int64))[:, 0]

    for one, other in _candidate_pairs(lambda contents: mix(rows.first[contents]), seconds):
        a, b = mix(rows.of_content(one)), mix(rows.of_content(other))
        if same_recording(a, b, float(seconds[one]), float(seconds[other])):
            parent[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for index in range(len(rows.contents)):
        groups.setdefault(root(index), []).append(index)
    return sorted(group for group in groups.values() if len(group) > 1)


def _candidate_pairs(first: Callable[[Indices], Float32], seconds: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Pairs of about equal length whose first windows are alike enough to be worth a full comparison; first: those of
    some contents, (M, D)."""
    by_length = np.argsort(seconds, kind="stable")
    ordered = seconds[by_length]
    for begin in range(0, len(by_length), 256):
        block = by_length[begin : begin + 256]
        end = int(np.searchsorted(ordered, ordered[min(begin + 255, len(ordered) - 1)] + LENGTH_TOLERANCE, "right"))
        others = by_length[begin:end]
        alike = first(block) @ first(others).T >= NEAR_IDENTICAL - 0.1
        for row, column in zip(*np.nonzero(alike), strict=True):
            if column > row:
                yield int(block[row]), int(others[column])
