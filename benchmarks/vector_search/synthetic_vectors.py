"""Synthetic vectors with a realistic structure, in any number, on disk: N rows x 7 parts x 512, float16.

    python -m benchmarks.vector_search.synthetic_vectors --rows 100000 [--folder build/vectors] [--library LIBRARY]

A file only grows: 10,000 rows are the first of 100,000, and those the first of a million. Everything follows from
`SEED` and the number of a chunk (1,000 songs), whatever has been generated before.

Each part has a mean direction (random pairs of embeddings have cosines around .35 to .55, not 0) and a basis whose
variances fall as a power law (some 40 effective dimensions of 512). The coordinates of a window in that basis are the
sum of its genre (300, sizes by Zipf's law), its artist (30,000, by a flatter law), its song, the section of the song
(windows come in runs of similar ones) and an individual term. A share of each of these is common to all parts, so that
the parts of a song belong together, the mix most of all. Songs and genres lie at different distances from the mean,
which makes hubs. Parts can be absent (zeros) from a song and from a window: vocals 30 %, drums 10 %. One song in a
hundred is a near-duplicate of another, with cosines of .99. Queries are windows of songs that are not in the file.

With `--library`, the same statistics are printed for the windows of a soundalike library and for as many synthetic
songs with as many windows.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 2026
PARTS = ("bass", "drums", "guitar", "piano", "vocals", "residuals", "mix")
DIMENSION = 512
SONGS = 1_000  # per chunk
QUERIES = 20
HELD_OUT = 1_000_000  # the chunk of the queries
TO_APPEND = 1_000_001  # the chunk of appended rows

MEAN_COSINE = dict(zip(PARTS, (0.50, 0.42, 0.40, 0.38, 0.40, 0.45, 0.34), strict=True))
COMMON = dict(
    zip(PARTS, (0.35, 0.35, 0.4, 0.4, 0.3, 0.5, 0.7), strict=True)
)  # share of the variance common to all parts
ABSENT_SONG = dict(zip(PARTS, (0.06, 0.08, 0.15, 0.30, 0.22, 0.02, 0.0), strict=True))
ABSENT_WINDOW = dict(zip(PARTS, (0.03, 0.03, 0.10, 0.15, 0.10, 0.01, 0.0), strict=True))
GENRE, ARTIST, SONG, SECTION, WINDOW = 0.16, 0.12, 0.20, 0.27, 0.25  # shares of the variance around the mean
GENRES, ARTISTS = 300, 30_000
DUPLICATES = 0.01
SPREAD = 0.22  # standard deviation of the logarithm of a song's distance from the mean

Float32 = NDArray[np.float32]


def variances() -> Float32:
    """Variances (D,) of the axes of a part; they sum to 1."""
    falling = (np.arange(DIMENSION) + 6.0) ** -1.45
    return (falling / falling.sum()).astype(np.float32)


class World:
    """What all songs have in common: bases, means, genres, and the frequency of each."""

    def __init__(self) -> None:
        random = np.random.default_rng([SEED, 0])
        self.bases, self.means = [], []
        for _ in PARTS:
            axes = np.linalg.qr(random.standard_normal((DIMENSION, DIMENSION)))[0].astype(np.float32)
            self.means.append(axes[:, 0].copy())
            # the axes have any direction, except that of the mean
            turned = np.linalg.qr(np.column_stack([axes[:, 0], random.standard_normal((DIMENSION, DIMENSION - 1))]))[0]
            turned = np.roll(turned, -1, axis=1).astype(np.float32)  # the direction of the mean varies least
            self.bases.append(np.ascontiguousarray((turned * np.sqrt(variances())).T))
        self.genre_places = random.standard_normal((GENRES, len(PARTS) + 1, DIMENSION)).astype(np.float32)
        self.genre_spread = np.exp(0.15 * random.standard_normal(GENRES)).astype(np.float32)
        self.genre_odds = _zipf(GENRES, 1.0)
        self.artist_odds = _zipf(ARTISTS, 0.8)
        self.artist_genre = random.choice(GENRES, size=ARTISTS, p=self.genre_odds)

    def chunk(self, number: int) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
        """Rows (n, 7, 512), unit vectors or zeros, and the song (n,) of each, from number * 1000 on."""
        random = np.random.default_rng([SEED, 1, number])
        lengths = np.clip(np.round(np.exp(random.normal(2.2, 0.45, SONGS))), 2, 40).astype(np.int64)
        artists = random.choice(ARTISTS, size=SONGS, p=self.artist_odds)
        genres = self.artist_genre[artists]
        original = np.arange(SONGS)
        copies = np.flatnonzero(random.random(SONGS) < DUPLICATES)
        original[copies] = random.choice(np.setdiff1d(original, copies), size=len(copies))
        lengths[copies] = lengths[original[copies]]
        songs = np.repeat(np.arange(SONGS), lengths)
        first = np.concatenate([[0], np.cumsum(lengths)])
        sections = (
            np.cumsum(random.random(len(songs)) < 0.35) + songs
        )  # a new number for each run of windows and each song
        sections -= sections[0]

        places = [self._of_artist(artist) for artist in artists]
        artist_places = np.stack(places)
        song_places = random.standard_normal((SONGS, len(PARTS) + 1, DIMENSION), dtype=np.float32)
        song_spread = self.genre_spread[genres] * np.exp(SPREAD * random.standard_normal(SONGS))
        missing_song = random.random((SONGS, len(PARTS))) < np.array([ABSENT_SONG[part] for part in PARTS])
        missing = random.random((len(songs), len(PARTS))) < np.array([ABSENT_WINDOW[part] for part in PARTS])
        missing |= missing_song[songs]

        shape = (len(songs), DIMENSION)
        section_shape = (int(sections.max()) + 1, DIMENSION)
        common_window = random.standard_normal(shape, dtype=np.float32)
        common_section = random.standard_normal(section_shape, dtype=np.float32)
        rows = np.zeros((len(songs), len(PARTS), DIMENSION), dtype=np.float16)
        for index, part in enumerate(PARTS):
            both = np.array([np.sqrt(COMMON[part]), np.sqrt(1 - COMMON[part])], dtype=np.float32)
            song_level = (
                np.sqrt(GENRE) * _mixed(self.genre_places, index, both)[genres]
                + np.sqrt(ARTIST) * _mixed(artist_places, index, both)
                + np.sqrt(SONG) * _mixed(song_places, index, both)
            )
            section_level = both[0] * common_section + both[1] * random.standard_normal(section_shape, dtype=np.float32)
            window_level = both[0] * common_window + both[1] * random.standard_normal(shape, dtype=np.float32)
            place = song_level[songs] + np.sqrt(SECTION) * section_level[sections] + np.sqrt(WINDOW) * window_level
            place *= (song_spread[songs] * np.sqrt(1 - MEAN_COSINE[part]))[:, None].astype(np.float32)
            vectors = (
                place.astype(np.float32) @ self.bases[index]
                + np.float32(np.sqrt(MEAN_COSINE[part])) * self.means[index]
            )
            for copy in copies:
                source = vectors[first[original[copy]] : first[original[copy] + 1]]
                noise = random.standard_normal(source.shape, dtype=np.float32)
                noise *= 0.1 * np.linalg.norm(source, axis=1, keepdims=True) / np.sqrt(DIMENSION)
                vectors[first[copy] : first[copy + 1]] = source + noise
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors[missing[:, index]] = 0
            rows[:, index] = vectors
        return rows, number * SONGS + songs

    def _of_artist(self, artist: int) -> Float32:
        random = np.random.default_rng([SEED, 2, int(artist)])
        return random.standard_normal((len(PARTS) + 1, DIMENSION), dtype=np.float32)


def _zipf(count: int, power: float) -> NDArray[np.float64]:
    sizes = (np.arange(count) + 1.0) ** -power
    return np.asarray(sizes / sizes.sum())


def _mixed(places: Float32, part: int, both: Float32) -> Float32:
    """Coordinates (n, D) of a part: the common ones, which are the last of `places`, and its own."""
    return np.asarray(both[0] * places[:, -1] + both[1] * places[:, part], dtype=np.float32)


def queries(world: World) -> Float32:
    """Windows (20, 7, 512), one per song, that have every part."""
    rows, songs = world.chunk(HELD_OUT)
    whole = np.flatnonzero(rows.any(axis=2).all(axis=1))
    _, firsts = np.unique(songs[whole], return_index=True)
    return rows[whole[firsts[:QUERIES]]].astype(np.float32)


def write(folder: Path, rows: int) -> None:
    """Extend `vectors.f16` and `songs.i64` in `folder` to at least `rows` rows."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "vectors.json"
    done = json.loads(state.read_text()) if state.exists() else {"chunks": 0, "rows": 0}
    world = World()
    np.save(folder / "queries.npy", queries(world))
    np.save(folder / "to-append.npy", world.chunk(TO_APPEND)[0][:1000])
    while done["rows"] < rows:
        vectors, songs = world.chunk(done["chunks"])
        for name, values, size in (("vectors.f16", vectors, len(PARTS) * DIMENSION * 2), ("songs.i64", songs, 8)):
            with (folder / name).open("r+b" if (folder / name).exists() else "w+b") as out:
                out.truncate(done["rows"] * size)  # remove what an interrupted run left
                out.seek(0, 2)
                out.write(values.tobytes())
        done = {"chunks": done["chunks"] + 1, "rows": done["rows"] + len(vectors)}
        state.write_text(json.dumps(done))
    print(f"{done['rows']} rows in {folder}")


def opened(folder: Path, rows: int) -> tuple[NDArray[np.float16], NDArray[np.int64]]:
    """The first `rows` rows (N, 7, 512), memory-mapped, and their songs (N,)."""
    there = json.loads((folder / "vectors.json").read_text())["rows"]
    if there < rows:
        raise SystemExit(f"{folder} has only {there} rows; run synthetic_vectors with --rows {rows} --folder {folder}")
    vectors = np.memmap(folder / "vectors.f16", np.float16, "r", shape=(rows, len(PARTS), DIMENSION))
    return vectors, np.fromfile(folder / "songs.i64", np.int64, count=rows)


def statistics(vectors: Float32, songs: NDArray[np.int64]) -> str:
    """Statistics of one part: share present, cosines of pairs, spectrum, hubs. Slow for more than 4,000 rows."""
    present = vectors.any(axis=1)
    unit, songs = vectors[present], songs[present]
    cosines = unit @ unit.T
    upper = np.triu(np.ones(cosines.shape, dtype=bool), 1)
    same = songs[:, None] == songs[None]
    between, within = cosines[upper & ~same], cosines[upper & same]
    centred = unit - unit.mean(axis=0)
    spectrum = np.clip(np.linalg.eigvalsh(centred.T.astype(np.float64) @ centred)[::-1], 0, None)
    effective = spectrum.sum() ** 2 / (spectrum**2).sum()
    ninety = int(np.searchsorted(np.cumsum(spectrum), 0.9 * spectrum.sum())) + 1
    np.fill_diagonal(cosines, -2)
    nearest = np.argpartition(-cosines, 10, axis=1)[:, :10]
    occurs = np.bincount(nearest.ravel(), minlength=len(unit)).astype(np.float64)
    skewness = float(((occurs - occurs.mean()) ** 3).mean() / occurs.std() ** 3)
    inside = f"{within.mean():.2f} +- {within.std():.2f}" if len(within) else "-"
    return (
        f"present {present.mean():.2f} | cosine between songs {between.mean():.2f} +- {between.std():.2f} | within {inside} | "
        f"effective dimensions {effective:.0f}, for 90 % {ninety} | skewness of 10-occurrence {skewness:.2f}"
    )


def compare(folder: Path, library: Path | None) -> None:
    """Print the statistics of the synthetic rows; with a library also its own, and those of as many synthetic rows."""
    there = json.loads((folder / "vectors.json").read_text())["rows"]
    vectors, songs = opened(folder, min(4000, there))
    print(f"synthetic, {len(vectors)} rows")
    for index, part in enumerate(PARTS):
        print(f"  {part:10s}", statistics(vectors[:, index].astype(np.float32), songs))
    if library is None:
        return
    from soundalike.library.storage.store import Library

    real = Library.open(library)
    _, real_songs = np.unique(real.windows(["content"])["content"].to_pylist(), return_inverse=True)
    print(f"{library}, {len(real_songs)} rows of {len(np.unique(real_songs))} songs")
    for part in real.recipe.parts:
        print(f"  {part:10s}", statistics(real.vectors("windows", part).astype(np.float32), real_songs))
    clips = real.vectors("clips", "mix").astype(np.float32)
    if len(clips):
        print(f"  loops and one-shots, {len(clips)} rows\n  mix       ", statistics(clips, np.arange(len(clips))))
    lengths = np.sort(np.bincount(real_songs))[::-1]
    chosen = _similar_songs(songs, lengths)
    print(f"synthetic, {len(chosen)} rows of {len(lengths)} songs")
    for index, part in enumerate(PARTS):
        print(f"  {part:10s}", statistics(vectors[chosen, index].astype(np.float32), songs[chosen]))


def _similar_songs(songs: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of as many songs, the longest first, with at most as many windows."""
    numbers, counts = np.unique(songs, return_counts=True)
    longest = numbers[np.argsort(-counts, kind="stable")[: len(lengths)]]
    pieces = [np.flatnonzero(songs == song)[:length] for song, length in zip(longest, lengths, strict=True)]
    return np.concatenate(pieces)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=Path("build/vectors"))
    parser.add_argument("--library", type=Path)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.rows)
    compare(arguments.folder, arguments.library)


if __name__ == "__main__":
    main()
