"""Does a part find its like? On generated music whose truth is known, with the built-in separator and with true stems.

    python benchmarks/parts.py --songs 48 --seed 3

Songs: each song's drums (bass) are asked for among all songs; right are those played on the same kit (by the same
bass patch). Loops: each song's drums (bass) are asked for among all loops; right in kind are drum (bass) loops, right
in sound those of the same kit (patch). Figures are mean average precision, and for loops the share of the first five
that are of the right part. "true stems" shows what the encoder would reach if separation were perfect; "mix" what
comes without any separation.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.audio.windows import window_starts
from soundalike.parts import MIX
from soundalike.synth.music_library import write_library
from soundalike.synth.truth import Truth

Float32 = NDArray[np.float32]
PARTS = ("drums", "bass")


def average_precision(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """Average precision of a ranking by descending score."""
    ranked = right[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def embed_stem(analyser: Analyser, path: Path) -> Float32:
    """Vectors of the windows of a true stem (silent windows left out)."""
    waveform = decode.read(path)
    mono = resample(waveform.mono(), waveform.sample_rate, 32_000)
    crops = [mono[round(32_000 * start) :][:320_000] for start in window_starts(waveform.duration)]
    return analyser.embed_whole([crop for crop in crops if np.square(crop).mean() > 1e-7])


def song_scores(queries: list[Float32], windows: list[Float32]) -> NDArray[np.floating]:
    """Score of each song for each query: mean over the query's windows, best window of the song; -inf for itself."""
    means = [query.mean(axis=0) if len(query) else np.zeros(windows[0].shape[1]) for query in queries]
    scores = np.array([[(w @ mean).max(initial=-1.0) for w in windows] for mean in means])
    np.fill_diagonal(scores, -np.inf)
    return scores


def report(label: str, part: str, truth: Truth, windows: list[Float32], loops: Float32) -> None:
    """One row of the table."""
    names = [song.file for song in truth.songs]
    scores = song_scores(windows, windows)
    found, in_part, in_sound = [], [], []
    of_part = np.array([loop.part == part for loop in truth.loops])
    for row, name in enumerate(names):
        alike = np.array([other in truth.songs_like(name, part) for other in names])
        if alike.any():
            found.append(average_precision(np.delete(scores[row], row), np.delete(alike, row)))
        by_loop = loops @ windows[row].mean(axis=0) if len(windows[row]) else np.zeros(len(loops))
        in_part.append(of_part[np.argsort(-by_loop, kind="stable")[:5]].mean())
        right = np.array([loop.file in truth.loops_like(name, part) for loop in truth.loops])
        if right.any():
            in_sound.append(average_precision(by_loop, right))
    print(
        f"| {part} | {label} | {np.mean(found):.3f} | {np.mean(in_part):.2f} | {np.mean(in_sound):.3f} | "
        f"{len(found)} / {len(in_sound)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=48)
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    analyser = Analyser(make_recipe())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_library(folder, arguments.seed, arguments.songs, 2 * arguments.songs, 0, 30.0, stems=True)
        songs = [analyser.analyse(folder / song.file, "song", with_facts=False) for song in truth.songs]
        loops = np.concatenate(
            [analyser.analyse(folder / loop.file, "loop", with_facts=False).vectors[:, 0] for loop in truth.loops]
        )
        print(f"{len(songs)} songs, {len(loops)} loops, seed {arguments.seed}\n")
        print(
            "| part | vectors from | songs, same sound: mAP | loops: first five of that part | loops, same sound: mAP | queries |"
        )
        print("|---|---|---|---|---|---|")
        rng = np.random.default_rng(0)
        for part in PARTS:
            have = [song for song in truth.songs if part in song.stems]
            assert len(have) == len(truth.songs)
            true = [embed_stem(analyser, folder / song.stems[part]) for song in truth.songs]
            for label, column in (("separated", part), ("mix, unseparated", MIX)):
                index = analyser.recipe.parts.index(column)
                windows = [song.vectors[song.present[:, index], index] for song in songs]
                report(label, part, truth, windows, loops)
            report("true stems", part, truth, true, loops)
            chance = [rng.normal(size=w.shape).astype(np.float32) for w in true]
            report("chance", part, truth, chance, loops)


if __name__ == "__main__":
    main()
