"""How well a part retrieves its like, on generated music with known truth: built-in separator against true stems, for both
versions of the built-in encoder.

    python -m benchmarks.part_retrieval --songs 48 --seed 3

Songs: the drums (bass) of each song are the query among all songs; relevant are songs with the same kit (bass patch).
Loops: the drums (bass) of each song are the query among all loops; the right part are drum (bass) loops, the same sound
those with the same kit (patch). Figures are mean average precision, and for loops the share of the first five that are
of the right part. "true stems" is what the encoder would reach if separation were perfect, "mix" what it reaches
without separation; "as a region" compares the drums (bass) of each song with loops as a search does for a region of that length,
where mixture and network count by their shares.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.builtin_versions import VERSIONS, add_separator_option, analyser_of_both, as_version
from benchmarks.shared.markdown import print_table
from benchmarks.shared.ranking import average_precision
from soundalike.analysis.analyser import Analyser, Analysis
from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.audio.windows import window_starts
from soundalike.parts import MIX
from soundalike.search.region_shares import RegionShares, region_shares
from soundalike.synth.music_library import MusicOptions, write_library
from soundalike.synth.truth import Truth

Float32 = NDArray[np.float32]
PARTS = ("drums", "bass")
REGION = 30.0
"""Seconds: a whole song."""
HEADER = (
    "part",
    "vectors from",
    "version",
    "songs, same sound: mAP",
    "loops: first five of that part",
    "loops: mAP",
    "queries",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=48)
    parser.add_argument("--seed", type=int, default=3)
    add_separator_option(parser)
    arguments = parser.parse_args()
    analyser = analyser_of_both(arguments.separator)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_library(
            folder, MusicOptions(arguments.seed, arguments.songs, 2 * arguments.songs, 0, 30.0, stems=True)
        )
        songs = [analyser.analyse(folder / song.file, "song", with_facts=False) for song in truth.songs]
        loops = np.concatenate(
            [analyser.analyse(folder / loop.file, "loop", with_facts=False).vectors[:, 0] for loop in truth.loops]
        )
        print(f"{len(songs)} songs, {len(loops)} loops, seed {arguments.seed}\n")
        print_table(HEADER, rows(analyser, folder, truth, songs, loops))


def rows(
    analyser: Analyser, folder: Path, truth: Truth, songs: list[Analysis], loops: Float32
) -> Iterator[tuple[str, ...]]:
    """The rows of the table, for each part and source of vectors."""
    rng = np.random.default_rng(0)
    for part in PARTS:
        assert all(part in song.stems for song in truth.songs)
        true = [embed_stem(analyser, folder / song.stems[part]) for song in truth.songs]
        for label, column in (("separated", part), ("mix, unseparated", MIX)):
            index = analyser.recipe.parts.index(column)
            windows = [song.vectors[song.present[:, index], index] for song in songs]
            yield from by_version(part, label, truth, windows, loops)
        shares = region_shares(analyser.recipe, REGION)[part]
        regions = [region(song, [analyser.recipe.parts.index(name) for name in (part, MIX)], shares) for song in songs]
        yield part, "as a region", "2", "-", *evaluate(part, truth, regions, as_version(loops, "2"))[1:]
        yield from by_version(part, "true stems", truth, true, loops)
        chance = [rng.normal(size=as_version(windows, "2").shape).astype(np.float32) for windows in true]
        yield part, "chance", "-", *evaluate(part, truth, chance, as_version(loops, "2"))


def region(song: Analysis, columns: Sequence[int], shares: RegionShares) -> Float32:
    """(1, D) the direction of all windows of a song by version 2, from the columns of the part and of the mixture."""
    vectors = as_version(song.vectors, "2")
    stem, mixture = (vectors[song.present[:, column], column].mean(axis=0) for column in columns)
    return shares.combined(stem, mixture)[np.newaxis].astype(np.float32)


def by_version(
    part: str, label: str, truth: Truth, windows: list[Float32], loops: Float32
) -> Iterator[tuple[str, ...]]:
    """A row for each version of the encoder."""
    for version in VERSIONS:
        heard = [as_version(rows, version) for rows in windows]
        yield part, label, version, *evaluate(part, truth, heard, as_version(loops, version))


def embed_stem(analyser: Analyser, path: Path) -> Float32:
    """Vectors of the windows of a true stem; silent windows are left out."""
    waveform = decode.read(path)
    mono = resample(waveform.mono(), waveform.sample_rate, 32_000)
    crops = [mono[round(32_000 * start) :][:320_000] for start in window_starts(waveform.duration)]
    return analyser.embed_clips([crop for crop in crops if np.square(crop).mean() > 1e-7])


def song_scores(queries: list[Float32], windows: list[Float32]) -> NDArray[np.floating]:
    """Score of each song for each query: mean over the query's windows, best window of the song; -inf for itself."""
    means = [query.mean(axis=0) if len(query) else np.zeros(windows[0].shape[1]) for query in queries]
    scores = np.array([[(song @ mean).max(initial=-1.0) for song in windows] for mean in means])
    np.fill_diagonal(scores, -np.inf)
    return scores


def evaluate(part: str, truth: Truth, windows: list[Float32], loops: Float32) -> tuple[str, ...]:
    """The last four columns of a row."""
    names = [song.file for song in truth.songs]
    scores = song_scores(windows, windows)
    of_part = np.array([loop.part == part for loop in truth.loops])
    same_song, same_part, same_loop = [], [], []
    for row, name in enumerate(names):
        relevant = np.array([other in truth.songs_like(name, part) for other in names])
        if relevant.any():
            same_song.append(average_precision(np.delete(scores[row], row), np.delete(relevant, row)))
        by_loop = loops @ windows[row].mean(axis=0) if len(windows[row]) else np.zeros(len(loops))
        same_part.append(of_part[np.argsort(-by_loop, kind="stable")[:5]].mean())
        relevant = np.array([loop.file in truth.loops_like(name, part) for loop in truth.loops])
        if relevant.any():
            same_loop.append(average_precision(by_loop, relevant))
    figures = (f"{np.mean(same_song):.3f}", f"{np.mean(same_part):.2f}", f"{np.mean(same_loop):.3f}")
    return *figures, f"{len(same_song)} / {len(same_loop)}"


if __name__ == "__main__":
    main()
