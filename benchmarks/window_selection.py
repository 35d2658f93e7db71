"""How well a few windows represent a whole song: the top 10 they give against the top 10 of all windows.

    python -m benchmarks.window_selection [--generated 60] [--counts 1 2 4 8]

Library: the songs of SOUNDALIKE_TEST_DATA (60 s or longer) and generated songs of 90 s, built-in models, all parts with
equal weights. Each song is a query once. Query and library use the same few windows: selected by facility location (as
`--max-windows N` does), the first N, N evenly spaced, or N drawn at random (mean of 5 draws). Also reported: the share
of all windows that still has to be separated.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.shared.audio_data import audio_files, audio_folder
from benchmarks.shared.markdown import print_table
from soundalike.analysis.analyser import Analyser, Analysis
from soundalike.analysis.recipe import make_recipe
from soundalike.analysis.window_selection import select_windows
from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.models.encoders import load_encoder
from soundalike.synth.music_library import MusicOptions, write_library

TOP = 10
SHORTEST = 60.0  # s
DRAWS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", type=int, default=60)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    paths = audio_files(audio_folder("songs"))
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(2) as pool:
        if arguments.generated:
            write_library(Path(scratch), MusicOptions(arguments.seed, arguments.generated, 0, 0, 90.0))
            paths += audio_files(Path(scratch, "songs"))
        analysed = [one for one in pool.map(analyse, paths) if one[0].duration >= SHORTEST]
    songs = [analysis for analysis, _, _ in analysed]
    windows = sum(len(song.starts) for song in songs)
    print(f"{len(songs)} songs, {windows} windows of 10 s; overlap of the top {TOP} with that of all windows\n")
    print_table(
        ("windows per song", "selected", "first", "evenly spaced", "random", "windows separated"),
        (row(songs, [(vectors, levels) for _, vectors, levels in analysed], n, windows) for n in arguments.counts),
    )


def analyse(path: Path) -> tuple[Analysis, np.ndarray, np.ndarray]:
    """All windows of a song, and what the selection uses: vectors (N, D) of the mix and levels (N,) in dB."""
    analysis = Analyser(make_recipe()).analyse(path, "song", with_facts=False)
    encoder = load_encoder("builtin")
    waveform = decode.read(path)
    rate = encoder.sample_rate
    mono = resample(waveform.mono(), waveform.sample_rate, rate)
    spans = zip(analysis.starts, analysis.ends, strict=True)
    crops = [mono[round(start * rate) : round(end * rate)] for start, end in spans]
    levels = np.array([10 * np.log10(np.mean(np.square(crop)) + 1e-20) for crop in crops])
    return analysis, encoder.embed(crops), levels


def row(songs: list[Analysis], bases: list[tuple[np.ndarray, np.ndarray]], count: int, windows: int) -> list[str]:
    """One row of the table: `count` windows per song, selected in each way."""
    every = [np.arange(len(song.starts)) for song in songs]
    truth = top_hits(songs, every)

    def overlap_of(select: Callable[[int], np.ndarray]) -> float:
        kept = [select(len(rows)) if len(rows) > count else rows for rows in every]
        return overlap(top_hits(songs, kept), truth)

    def random_windows(draw: int) -> float:
        rng = np.random.default_rng(draw)
        return overlap_of(lambda n: np.sort(rng.choice(n, count, replace=False)))

    selected = [select_windows(vectors, levels, count) for vectors, levels in bases]
    overlaps = (
        overlap(top_hits(songs, selected), truth),
        overlap_of(lambda n: np.arange(count)),
        overlap_of(lambda n: ((np.arange(count) + 0.5) * n / count).astype(int)),
        float(np.mean([random_windows(draw) for draw in range(DRAWS)])),
    )
    share = sum(map(len, selected)) / windows
    return [str(count), *(f"{value:.2f}" for value in overlaps), f"{share:.0%}"]


def top_hits(songs: list[Analysis], kept: list[np.ndarray]) -> np.ndarray:
    """The top 10 (S, 10) of each song among the others: mean over the query's windows, best window of a candidate."""
    means = np.stack([song.vectors[rows].mean(axis=0).ravel() for song, rows in zip(songs, kept, strict=True)])
    scores = np.empty((len(songs), len(songs)))
    for column, (song, rows) in enumerate(zip(songs, kept, strict=True)):
        windows = song.vectors[rows].reshape(len(rows), -1)
        scores[:, column] = (means @ windows.T).max(axis=1)
    np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1, kind="stable")[:, :TOP]


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Mean share of one top 10 that is in the other."""
    return float(np.mean([len(set(a) & set(b)) / TOP for a, b in zip(first, second, strict=True)]))


if __name__ == "__main__":
    main()
