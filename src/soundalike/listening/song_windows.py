"""The windows of a library's songs that a listening test may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.library.storage.store import Library
from soundalike.parts import MIX
from soundalike.search.catalogue import Catalogue
from soundalike.search.filters import Filters
from soundalike.search.near_duplicates import same_recording

MIN_SONGS = 4
"""Two different XAB triplets need so many."""


@dataclass(frozen=True)
class SongWindows:
    """Windows of one song.

    item: id; path: of its file; duration: in s; loudness: of the whole song in LUFS, None if unknown. starts, ends: (W,) in s.
    vectors: (W, K, D) of the library's parts; present: (W, K).
    """

    item: str
    path: Path
    duration: float
    loudness: float | None
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: NDArray[np.float16]
    present: NDArray[np.bool_]

    def in_order_of_choice(self, rng: np.random.Generator) -> list[int]:
        """Whole windows in which nearly as many parts can be heard as in the fullest, in random order; then the others."""
        heard = self.present.sum(axis=1)
        seconds = self.ends - self.starts
        whole = (seconds > 0.99 * seconds.max()) & (heard > 0)
        order = rng.permutation(np.flatnonzero(whole))
        full = heard[order] >= heard.max() - 1
        return [int(index) for index in (*order[full], *order[~full])]


def songs_for_test(library: Library, paths: Sequence[str], count: int, rng: np.random.Generator) -> list[SongWindows]:
    """Up to `count` songs of the library, drawn at random from those whose path contains one of `paths` (none: all).

    Copies of a song that is drawn already, missing files and songs without a whole window are passed over. Raises InputError if
    fewer than `MIN_SONGS` are left.
    """
    catalogue = Catalogue(library.items())
    numbers = np.flatnonzero(catalogue.admitted(Filters(kinds=("song",), paths=tuple(paths))))
    songs: list[SongWindows] = []
    contents: set[str] = set()
    for number in rng.permutation(numbers).tolist():
        if len(songs) == count:
            break
        item = catalogue.item(number)
        path = library.absolute(item["root"], item["path"])
        if item["content"] in contents or not isinstance(path, Path) or not path.is_file():
            continue
        contents.add(item["content"])
        song = _read(library, item["id"], path, item["content"], item["duration"], item["loudness"])
        if len(song.starts) and song.duration >= 0.99 * library.recipe.window and not _is_copy(song, songs, library):
            songs.append(song)
    if len(songs) < MIN_SONGS:
        raise InputError(
            f"{len(songs)} usable songs were found; a listening test needs {MIN_SONGS} or more (60 for useful intervals), each "
            f"at least {library.recipe.window:g} s long, with its file on this machine; index more songs, or choose other paths"
        )
    return songs


def _read(
    library: Library, item: str, path: Path, content: str, duration: float, loudness: float | None
) -> SongWindows:
    parts = library.recipe.parts
    table = library.windows(
        ["content", "start", "end", *parts, *(f"{part}_present" for part in parts)], content=content
    ).sort_by("start")
    return SongWindows(
        item,
        path,
        duration,
        loudness,
        np.asarray(table["start"].to_numpy(), dtype=np.float64),
        np.asarray(table["end"].to_numpy(), dtype=np.float64),
        np.stack([library.as_vectors(table[part]) for part in parts], axis=1),
        np.stack([table[f"{part}_present"].to_numpy().astype(bool) for part in parts], axis=1),
    )


def _is_copy(song: SongWindows, others: Sequence[SongWindows], library: Library) -> bool:
    """Whether a song is the same recording as one of the others."""
    mix = library.recipe.parts.index(MIX) if MIX in library.recipe.parts else None
    if mix is None:
        return False
    vectors = song.vectors[:, mix].astype(np.float32)
    return any(
        same_recording(vectors, other.vectors[:, mix].astype(np.float32), song.duration, other.duration)
        for other in others
    )
