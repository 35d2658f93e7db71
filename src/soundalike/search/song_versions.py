"""Versions of one recording: a song that is a cut or shifted piece of another, by the sequence of its stored vectors.

Two songs are versions of one another if most windows of the shorter one equal windows of the longer one *in the same order and
at a constant offset*. An offset need not be a whole number of windows: a window that lies between two of the other song is
compared with their interpolation, which is nearly what the encoder gives for it. A run of windows at one offset is a piece that
was taken over; a cut version has several. No audio is read. Measured by `benchmarks/song_versions.py`.

The vectors of songs with the same instruments, groove and tempo are alike even if key and chords differ, so the windows must
also have the same pitch classes (`harmony_agreement`). A copy that is a few percent faster or slower has its pitches between
those of the other: a change of speed by 3 % is half a semitone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe
from soundalike.models.encoders.builtin import stored_chroma
from soundalike.search.harmony_agreement import agreement
from soundalike.search.index.table_rows import Float32, Float64
from soundalike.search.version_share import MOST_OF_IT


@dataclass(frozen=True)
class Thresholds:
    """Cosines of the mix from which sounds are of one recording. window: of a window with the other song's, interpolated; run:
    the mean of a run of such windows; song: of the means of two songs, below which they are not compared at all; harmony: the
    median of the chromas of windows in runs; shifted_harmony: of the same, half a semitone higher or lower."""

    window: float
    run: float
    song: float
    harmony: float
    shifted_harmony: float


THRESHOLDS: dict[tuple[str, str], Thresholds] = {("builtin", "2"): Thresholds(0.74, 0.86, 0.74, 0.8, 0.75)}
"""By encoder and version. With encoders that are not listed no versions are recognised: their cosines mean something else."""

SHORTEST_RUN = 2
"""Windows in a row at one offset that are more than a coincidence."""

_STEPS = 10
"""Offsets tried between two windows."""

_ON_GRID = 0.05
"""Share of a hop by which a window may be off the grid; the last window of a song ends with it and may lie anywhere."""


@dataclass(frozen=True)
class SongWindows:
    """The windows of a song at every hop: vectors (N, D) of the mix, unit rows, zeros where there is none."""

    vectors: Float32

    @classmethod
    def of(cls, starts: Float64, vectors: Float32, hop: float) -> SongWindows:
        """From the starts (M,) in s, ascending, and the vectors (M, D) of its windows."""
        places = np.round(starts / hop).astype(int)
        on_grid = np.abs(starts - places * hop) <= _ON_GRID * hop
        dense = np.zeros((int(places[on_grid].max(initial=-1)) + 1, vectors.shape[1]), dtype=np.float32)
        dense[places[on_grid]] = vectors[on_grid]
        return cls(dense)

    @cached_property
    def mean(self) -> Float32:
        """(D,) the direction of the mean of all windows; zeros if there are none."""
        total = self.vectors.sum(axis=0)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), dtype=np.float32)

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """(N,) where there is a window."""
        return np.asarray(self.vectors.any(axis=1))

    @cached_property
    def chroma(self) -> Float32:
        """(N, 12) of the windows, see `stored_chroma`."""
        return stored_chroma.chroma(self.vectors)


@dataclass(frozen=True)
class _Common:
    """What the first of two songs has in common with the second: places (N,) of its windows among those of the second, which may
    be fractions; NaN for windows that are in no run."""

    first: SongWindows
    second: SongWindows
    places: Float64

    @cached_property
    def count(self) -> int:
        """How many windows."""
        return int(np.isfinite(self.places).sum())

    def chromas(self) -> tuple[Float32, Float32]:
        """(count, 12) of the windows of the first song, and of what is in the same places in the second."""
        own = np.flatnonzero(np.isfinite(self.places))
        before = np.floor(self.places[own]).astype(int)
        share = (self.places[own] - before)[:, np.newaxis]
        after = np.minimum(before + 1, len(self.second.chroma) - 1)
        theirs = (1 - share) * self.second.chroma[before] + share * self.second.chroma[after]
        return self.first.chroma[own], theirs.astype(np.float32)


def thresholds_of(recipe: Recipe) -> Thresholds | None:
    """The thresholds of a recipe's encoder; None if versions cannot be recognised with it."""
    return THRESHOLDS.get((recipe.encoder, recipe.encoder_version))


def are_versions(one: SongWindows, other: SongWindows, thresholds: Thresholds, share: float = MOST_OF_IT) -> bool:
    """Whether one of two songs is a cut or shifted version of the other, or both of a third.

    share: of the windows of the shorter one, that both must have in common.
    """
    if float(one.mean @ other.mean) < thresholds.song:
        return False
    common = _common(one, other, thresholds)
    return _share(common) >= share and _has_same_harmony(common, thresholds)


def shared(one: SongWindows, other: SongWindows, thresholds: Thresholds) -> float:
    """The share (0..1) of the windows of the shorter of two songs that lie in what both have in common, by their sound alone."""
    return _share(_common(one, other, thresholds))


def _common(one: SongWindows, other: SongWindows, thresholds: Thresholds) -> _Common:
    """Either may lie between the windows of the other, and neither has windows beyond its last, so both ways are tried."""
    both = [
        _Common(a, b, _places_in_runs(_aligned_cosines(a.vectors, b.vectors), a.present, thresholds))
        for a, b in ((one, other), (other, one))
    ]
    return max(both, key=lambda common: common.count)


def _share(common: _Common) -> float:
    shorter = min(int(common.first.present.sum()), int(common.second.present.sum()))
    return min(1.0, common.count / shorter) if shorter else 0.0


def _has_same_harmony(common: _Common, thresholds: Thresholds) -> bool:
    if not common.count:
        return True
    own, theirs = common.chromas()
    if agreement(own, theirs) >= thresholds.harmony:
        return True
    return any(agreement(own, theirs, shift) >= thresholds.shifted_harmony for shift in (-0.5, 0.5))


def _aligned_cosines(own: Float32, other: Float32) -> Float32:
    """(steps, n, m) cosines of the n windows of one song with the m of the other, and with places between two of those."""
    cosines = own @ other.T
    following = np.zeros_like(cosines)
    following[:, :-1] = cosines[:, 1:]
    product = np.append((other[:-1] * other[1:]).sum(axis=1), 0.0)
    there = np.append(other.any(axis=1), False)
    both = there[:-1] & there[1:]
    result = np.zeros((_STEPS, *cosines.shape), dtype=np.float32)
    result[0] = cosines
    for step in range(1, _STEPS):
        share = step / _STEPS
        length = np.sqrt((1 - share) ** 2 + share**2 + 2 * share * (1 - share) * product)
        blend = ((1 - share) * cosines + share * following) / length
        result[step] = np.where(both, blend, 0.0)
    return result


def _places_in_runs(cosines: Float32, present: NDArray[np.bool_], thresholds: Thresholds) -> Float64:
    """(n,) where in the other song each window lies that is in a run, by the cosines (steps, n, m), in windows; NaN for the
    others. Of several places it is the most similar one. present (n,): which windows there are."""
    steps, count, places = cosines.shape
    shortest = min(SHORTEST_RUN, int(present.sum()))
    best = np.zeros(count, dtype=np.float32)
    found = np.full(count, np.nan)
    same = cosines >= thresholds.window
    # Diagonals, on which the offset is constant: row i of the sheared array is shifted by i.
    sheared = np.zeros((steps, count, places + count), dtype=np.float32)
    for row in range(count):
        sheared[:, row, count - row : count - row + places] = np.where(same[:, row], cosines[:, row], 0.0)
    for step, column in zip(*np.nonzero((sheared > 0).sum(axis=1) >= shortest), strict=True):
        line = sheared[step, :, column]
        edges = np.flatnonzero(np.diff(np.concatenate(([False], line > 0, [False])).astype(np.int8)))
        for begin, end in edges.reshape(-1, 2):
            if end - begin >= shortest and line[begin:end].mean() >= thresholds.run:
                better = begin + np.flatnonzero(line[begin:end] > best[begin:end])
                best[better] = line[better]
                found[better] = better + column - count + step / steps
    return np.where(present, found, np.nan)
