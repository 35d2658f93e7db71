"""How well a few windows stand for a whole song: the top 10 they give beside the top 10 of all windows.

    python benchmarks/representative_windows.py [--generated 60] [--counts 1 2 4 8]

Library: songs/ of SOUNDALIKE_TEST_DATA (those of 60 s or more) and generated songs of 90 s, by the built-in models, all
parts, equal weights. Each song asks once. Both sides, query and library, have the same few windows: chosen by facility
location (what `--windows N` does), the first N, N evenly spaced, N drawn at random (mean of 5 draws). Besides the
overlap of the top 10: the share of all windows' separation that is left to do.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.shared import audio_data
from soundalike.analysis.analyser import Analyser, Analysis
from soundalike.analysis.recipe import make_recipe
from soundalike.analysis.window_selection import choose_windows
from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.models.encoders import load_encoder
from soundalike.synth.music_library import write_library

TOP = 10
SHORTEST = 60.0


def analysed(path: Path) -> tuple[Analysis, np.ndarray, np.ndarray]:
    """All windows of a song, and what representatives are chosen by: vectors (N, D) of the mix, levels (N,)."""
    analysis = Analyser(make_recipe()).analyse(path, "song", with_facts=False)
    encoder = load_encoder("builtin")
    waveform = decode.read(path)
    rate = encoder.sample_rate
    mono = resample(waveform.mono(), waveform.sample_rate, rate)
    spans = zip(analysis.starts, analysis.ends, strict=True)
    crops = [mono[round(start * rate) : round(end * rate)] for start, end in spans]
    levels = np.array([10 * np.log10(np.mean(np.square(crop)) + 1e-20) for crop in crops])
    return analysis, encoder.embed(crops), levels


def rankings(songs: list[Analysis], kept: list[np.ndarray]) -> np.ndarray:
    """The top 10 (S, 10) of each song among the others: mean over the query's windows, best window of a candidate."""
    means = [song.vectors[rows].mean(axis=0).ravel() for song, rows in zip(songs, kept, strict=True)]
    scores = np.empty((len(songs), len(songs)))
    for column, (song, rows) in enumerate(zip(songs, kept, strict=True)):
        windows = song.vectors[rows].reshape(len(rows), -1)
        scores[:, column] = (np.stack(means) @ windows.T).max(axis=1)
    np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1, kind="stable")[:, :TOP]


def overlap(ours: np.ndarray, truth: np.ndarray) -> float:
    """Mean share of the one's top 10 in the other's."""
    return float(np.mean([len(set(a) & set(b)) / TOP for a, b in zip(ours, truth, strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generated", type=int, default=60)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    paths = [path for path in sorted(audio_data.folder("songs").iterdir()) if path.suffix in decode.EXTENSIONS]
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(2) as pool:
        if arguments.generated:
            write_library(
                Path(scratch), seed=arguments.seed, songs=arguments.generated, loops=0, one_shots=0, length=90.0
            )
            paths += sorted(Path(scratch, "songs").glob("*.*"))
        found = list(pool.map(analysed, paths))
    found = [one for one in found if one[0].duration >= SHORTEST]
    songs = [analysis for analysis, _, _ in found]
    every = [np.arange(len(song.starts)) for song in songs]
    truth = rankings(songs, every)
    windows = sum(map(len, every))
    print(f"{len(songs)} songs, {windows} windows of 10 s; overlap of the top {TOP} with that of all windows\n")
    print("| windows a song | chosen | first | evenly spaced | random | share of windows separated |")
    print("|---|---|---|---|---|---|")
    for count in arguments.counts:
        chosen = [choose_windows(vectors, levels, count) for _, vectors, levels in found]

        def few(pick: Callable[[int], np.ndarray], count: int = count) -> float:
            return overlap(rankings(songs, [pick(len(rows)) if len(rows) > count else rows for rows in every]), truth)

        draws = []
        for draw in range(5):
            random = np.random.default_rng(draw)
            draws.append(few(lambda n, r=random, c=count: np.sort(r.choice(n, c, replace=False))))
        row = (
            overlap(rankings(songs, chosen), truth),
            few(lambda n, c=count: np.arange(c)),
            few(lambda n, c=count: ((np.arange(c) + 0.5) * n / c).astype(int)),
            float(np.mean(draws)),
        )
        share = sum(map(len, chosen)) / windows
        print(f"| {count} | " + " | ".join(f"{value:.2f}" for value in row) + f" | {share:.0%} |")


if __name__ == "__main__":
    main()
