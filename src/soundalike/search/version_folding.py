"""Songs of a library that are versions of one another (see `song_versions`): folded among matches, and in groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.search.index.table_rows import WINDOWS, Float32, Float64, Indices
from soundalike.search.index.vector_index import Match, VectorIndex
from soundalike.search.near_duplicates import same_recording
from soundalike.search.open_library import OpenLibrary
from soundalike.search.query import Query
from soundalike.search.song_versions import THRESHOLDS, SongWindows, are_versions, thresholds_of
from soundalike.search.version_share import MOST_OF_IT

MOST_COMPARED = 400
"""Matches that are compared with better ones; further ones stay as they are."""

_TAKEN_AT_ONCE = 16_384
"""Rows whose vectors are taken together."""


@dataclass(frozen=True)
class FoldedMatch:
    """A match that is a version of another one; near_identical: of the same length, with the same sound throughout."""

    match: Match
    near_identical: bool


@dataclass
class Folded:
    """kept: matches, best first; versions: by the row of one that is kept, those folded under it; of_reference: those of the
    reference."""

    kept: list[Match] = field(default_factory=list)
    versions: dict[int, list[FoldedMatch]] = field(default_factory=dict)
    of_reference: list[FoldedMatch] = field(default_factory=list)


@dataclass(frozen=True)
class _Song:
    """mix (N, D): of all its windows; windows: those on the grid."""

    mix: Float32
    seconds: float
    windows: SongWindows

    @classmethod
    def of(cls, starts: Float64, ends: Float64, mix: Float32, hop: float) -> _Song:
        return cls(mix, float(ends.max()), SongWindows.of(starts, mix, hop))

    def is_near_identical(self, other: _Song) -> bool:
        return same_recording(self.mix, other.mix, self.seconds, other.seconds)


def fold_versions(
    opened: OpenLibrary, query: Query, matches: Sequence[Match], *, with_reference: bool, share: float = MOST_OF_IT
) -> Folded:
    """Matches among songs, best first, without those that are a version of a better one or, if `with_reference`, of the query.

    share: of the shorter song, that a version must have in common.

    Nothing is folded with an encoder by which versions cannot be recognised.
    """
    thresholds = thresholds_of(opened.library.recipe)
    if thresholds is None or not matches:
        return Folded(list(matches))
    index, hop = opened.indexes[WINDOWS], opened.library.recipe.hop
    compared = matches[:MOST_COMPARED]
    songs = _songs(index, hop, index.rows.of_row[[match.row for match in compared]])
    references = _songs_of_reference(opened, query, hop) if with_reference else []

    def original_of(song: _Song, others: Sequence[_Song]) -> int | None:
        return next(
            (n for n, other in enumerate(others) if are_versions(song.windows, other.windows, thresholds, share)), None
        )

    folded = Folded()
    kept: list[_Song] = []
    for match, song in zip(compared, songs, strict=True):
        if (number := original_of(song, references)) is not None:
            folded.of_reference.append(FoldedMatch(match, song.is_near_identical(references[number])))
        elif (number := original_of(song, kept)) is not None:
            version = FoldedMatch(match, song.is_near_identical(kept[number]))
            folded.versions.setdefault(folded.kept[number].row, []).append(version)
        else:
            kept.append(song)
            folded.kept.append(match)
    folded.kept += matches[MOST_COMPARED:]
    return folded


def version_groups(opened: OpenLibrary) -> list[list[int]]:
    """Groups (two or more) of songs that are versions of one another, as sorted indices of contents, in order.

    Raises InputError if versions cannot be recognised with the library's encoder.
    """
    recipe = opened.library.recipe
    thresholds = thresholds_of(recipe)
    if thresholds is None:
        known = ", ".join(f"{encoder} (version {version})" for encoder, version in THRESHOLDS)
        raise InputError(
            f"versions are recognised with the encoder {known}, and this library has {recipe.encoder} (version "
            f"{recipe.encoder_version}); leave out --versions to list copies, or index with that encoder"
        )
    index = opened.indexes[WINDOWS]
    count = len(index.rows.contents)
    means = _means(index, recipe.hop)
    groups = _Groups(count)
    for one, other in _near_pairs(means, thresholds.song):
        if groups.root(one) != groups.root(other):
            a, b = _songs(index, recipe.hop, np.array([one, other]))
            if are_versions(a.windows, b.windows, thresholds):
                groups.join(one, other)
    return groups.several()


class _Groups:
    """Disjoint sets of the numbers 0..count-1."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def join(self, one: int, other: int) -> None:
        self._parent[self.root(one)] = self.root(other)

    def several(self) -> list[list[int]]:
        """The sets of two or more, sorted."""
        sets: dict[int, list[int]] = {}
        for number in range(len(self._parent)):
            sets.setdefault(self.root(number), []).append(number)
        return sorted(one for one in sets.values() if len(one) > 1)


def _songs_of_reference(opened: OpenLibrary, query: Query, hop: float) -> list[_Song]:
    """What the query is made from, as far as it is known: its items in the library whole, and its own windows if it is whole."""
    index = opened.indexes[WINDOWS]
    numbers = opened.catalogue.with_digests(query.digests)
    contents = opened.catalogue.contents.take(np.unique(opened.catalogue.content_of[numbers]))
    places = index.rows.index_of(contents)
    songs = _songs(index, hop, places[places >= 0])
    if not songs and query.complete and not query.is_clip and MIX in query.parts:
        songs = [_Song.of(query.starts, query.ends, query.mix, hop)]
    return songs


def _songs(index: VectorIndex, hop: float, contents: Indices) -> list[_Song]:
    """The songs of some contents of the table of songs, in their order."""
    rows = [np.asarray(index.rows.of_content(int(content)), dtype=np.int64) for content in contents]
    if not rows:
        return []
    mix = np.split(index.take([MIX], np.concatenate(rows))[:, 0], np.cumsum([len(one) for one in rows])[:-1])
    starts, ends = index.rows.starts, index.rows.ends
    return [_Song.of(starts[own], ends[own], vectors, hop) for own, vectors in zip(rows, mix, strict=True)]


def _means(index: VectorIndex, hop: float) -> Float32:
    """(C, D) the mean of each song's windows, unit rows."""
    contents = np.arange(len(index.rows.contents))
    blocks = np.array_split(contents, max(1, len(index.rows) // _TAKEN_AT_ONCE))
    songs = (song for block in blocks for song in _songs(index, hop, block))
    return np.array([song.windows.mean for song in songs], dtype=np.float32)


def _near_pairs(means: Float32, least: float) -> Iterator[tuple[int, int]]:
    """Pairs (one < other) of rows whose cosine is `least` or more."""
    step = 1_024
    for begin in range(0, len(means), step):
        near = means[begin : begin + step] @ means[begin:].T >= least
        for row, column in zip(*np.nonzero(np.triu(near, 1)), strict=True):
            yield begin + int(row), begin + int(column)
