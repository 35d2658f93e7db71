"""Near-identical files: the same recording in another format, at another gain or with padding.

Two files are near-identical if they have the same length and the mean cosine of their mixes, window by window, is at least
`NEAR_IDENTICAL`, for short ones `NEAR_IDENTICAL_SHORT`. Identical files (the same bytes) share a content and need no comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from soundalike.parts import MIX
from soundalike.search.index.table_rows import Float32, Indices, Mask
from soundalike.search.index.vector_index import VectorIndex

NEAR_IDENTICAL = 0.95
"""Mean cosine of the mix, window by window, from which two files of equal length are copies of one another."""

NEAR_IDENTICAL_SHORT = 0.97
"""The same for files shorter than `SHORT`: cosines of different strokes of a drum exceed `NEAR_IDENTICAL`. Measured with both
versions of the built-in encoder (`benchmarks/clip_copies.py`), not with others."""

SHORT = 2.0  # s

LENGTH_TOLERANCE = 0.25
"""Seconds by which copies may differ in length at most: encoders pad."""

LENGTH_SHARE = 0.005
"""Share of its length by which a copy may differ: what encoders pad, decoders mostly cut off again. Of short sounds the length
is what tells a copy from a sound that is alike. Measured by `benchmarks/clip_copies.py`."""

SHORTEST_TOLERANCE = 0.0015
"""Seconds by which the shortest sounds may differ: their lengths are rounded to samples of other rates."""

_TAKEN_AT_ONCE = 16_384
"""Rows whose vectors are taken together."""


def length_tolerance(seconds: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """By how many seconds copies of files of these lengths (s) may differ from them."""
    return np.clip(LENGTH_SHARE * np.asarray(seconds, dtype=np.float64), SHORTEST_TOLERANCE, LENGTH_TOLERANCE)


def same_recording(a: Float32, b: Float32, a_seconds: float, b_seconds: float) -> bool:
    """Whether two files are near-identical, from the mix vectors (N, D) of their windows in order and their lengths."""
    if abs(a_seconds - b_seconds) > length_tolerance(max(a_seconds, b_seconds)) or len(a) != len(b) or not len(a):
        return False
    return bool(same_recordings(a, b[np.newaxis], min(a_seconds, b_seconds))[0])


def same_recordings(mix: Float32, others: Float32, seconds: float) -> Mask:
    """(C,) which of `others` (C, N, D), files of the same length (s) as `mix` (N, D), are near-identical to it."""
    cosines = others.reshape(len(others), mix.size) @ mix.ravel() / max(1, len(mix))
    return np.asarray(cosines >= (NEAR_IDENTICAL_SHORT if seconds < SHORT else NEAR_IDENTICAL))


def copies_of(mix: Float32, seconds: float, index: VectorIndex, admitted: Mask) -> list[int]:
    """The `admitted` contents (C,) of a table that are near-identical to a file with these mix vectors (N, D), as indices."""
    rows = index.rows
    if not len(rows.contents):
        return []
    lengths = rows.ends[rows.last]
    same_length = np.abs(lengths - seconds) <= length_tolerance(np.maximum(lengths, seconds))
    near = np.flatnonzero(admitted & same_length & (rows.last - rows.first + 1 == len(mix)))
    copies: list[int] = []
    for some in np.array_split(near, max(1, len(near) * len(mix) // _TAKEN_AT_ONCE)):
        inside = (rows.first[some][:, np.newaxis] + np.arange(len(mix))).ravel()
        others = index.take([MIX], inside).reshape(len(some), *mix.shape)
        copies += some[same_recordings(mix, others, seconds)].tolist()
    return copies


def first_copies(index: VectorIndex, contents: Indices) -> list[int]:
    """For each of some different contents (M,), best first, the position 0..M-1 of the first one that it is a copy of; its own
    position where there is none. Each is compared with that first one only, so copies do not chain."""
    seconds = index.rows.ends[index.rows.last[contents]]
    earlier: dict[int, list[int]] = {}
    for pair in candidate_pairs(lambda positions: _mix(index, index.rows.first[contents[positions]]), seconds):
        earlier.setdefault(max(pair), []).append(min(pair))
    first = list(range(len(contents)))
    for position, others in sorted(earlier.items()):
        own = _mix_of_content(index, int(contents[position]))
        for other in sorted(others):
            if first[other] == other:
                theirs = _mix_of_content(index, int(contents[other]))
                if same_recording(theirs, own, float(seconds[other]), float(seconds[position])):
                    first[position] = other
                    break
    return first


def near_identical_groups(index: VectorIndex) -> list[list[int]]:
    """Groups (two or more) of near-identical contents of a table, as sorted indices, in order."""
    rows = index.rows
    seconds = rows.ends[rows.last]
    parent = list(range(len(rows.contents)))

    def root(content: int) -> int:
        while parent[content] != content:
            parent[content] = parent[parent[content]]
            content = parent[content]
        return content

    for one, other in candidate_pairs(lambda contents: _mix(index, rows.first[contents]), seconds):
        a, b = _mix_of_content(index, one), _mix_of_content(index, other)
        if same_recording(a, b, float(seconds[one]), float(seconds[other])):
            parent[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for content in range(len(rows.contents)):
        groups.setdefault(root(content), []).append(content)
    return sorted(group for group in groups.values() if len(group) > 1)


def candidate_pairs(first: Callable[[Indices], Float32], seconds: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Pairs of about equal length whose first windows are similar enough to be worth a full comparison.

    first: gives the first windows (M, D) of some contents; seconds (C,): the length of each.
    """
    by_length = np.argsort(seconds, kind="stable")
    ordered = seconds[by_length]
    for begin in range(0, len(by_length), 256):
        block = by_length[begin : begin + 256]
        longest = ordered[min(begin + 255, len(ordered) - 1)]
        end = int(np.searchsorted(ordered, longest + length_tolerance(longest * (1 + LENGTH_SHARE) + 0.01), "right"))
        others = by_length[begin:end]
        alike = first(block) @ first(others).T >= NEAR_IDENTICAL - 0.1
        for row, column in zip(*np.nonzero(alike), strict=True):
            if column > row:
                yield int(block[row]), int(others[column])


def _mix(index: VectorIndex, rows: Indices) -> Float32:
    return index.take([MIX], rows)[:, 0]


def _mix_of_content(index: VectorIndex, content: int) -> Float32:
    return _mix(index, np.asarray(index.rows.of_content(content), dtype=np.int64))
