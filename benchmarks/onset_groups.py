"""At which similarity to split drum onsets into groups, against what was really struck, on generated songs.

    python -m benchmarks.onset_groups --songs 10 --seed 1

The drums of each song (separated, and as a true stem) are cut at their onsets and grouped at several thresholds of the
cosine, of vectors as they are stored and with the share of the network that is used. What was struck at each onset is known.
V-measure is the harmonic mean of homogeneity and completeness
(Rosenberg & Hirschberg 2007). Struck together, a snare and a hat are another sound than the snare alone; for a drummer's pads
they are the snare: "leading drum" counts them so, by the first of `LEADING`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import homogeneity_score, v_measure_score

from benchmarks.shared.markdown import print_table
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.onset_groups import LIKENESS, Likeness, OnsetGroup, embed_onsets, split_onsets
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.errors import AudioError
from soundalike.synth.music_library import MusicOptions, write_library

THRESHOLDS = (0.5, 0.6, 0.65, 0.7, 0.8)
NETWORK = LIKENESS["builtin", "2"].network
START, END = 4.0, 24.0  # s of each song
LEADING = ("snare", "clap", "kick", "low_tom", "high_tom", "cymbal", "open_hat", "closed_hat")
TOLERANCE = 0.03  # s between a detected onset and the stroke that caused it

Stroke = tuple[float, str]  # s from START, what was struck


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    analyser = Analyser(make_recipe())
    figures: dict[tuple[str, str, float], list[tuple[float, ...]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_library(folder, MusicOptions(arguments.seed, arguments.songs, 0, 0, 28.0, stems=True))
        for song in truth.songs:
            strokes = [(time - START, voice) for voice, times in song.hits.items() for time in times]
            stems, rate = analyser.stems(folder / song.file, START, END)
            true = decode.read(folder / song.stems["drums"], START, END - START)
            sources = {"separated": stems["drums"], "true stem": resample(true.mono(), true.sample_rate, rate)}
            for source, samples in sources.items():
                try:
                    onsets = embed_onsets(analyser, samples, rate)
                except AudioError:
                    continue
                for threshold, network in product(THRESHOLDS, (None, NETWORK)):
                    label = source, "as stored" if network is None else f"network {network:g}", threshold
                    figures[label].append(evaluate(split_onsets(onsets, Likeness(threshold, network)), strokes))
    print_table(
        (
            "drums",
            "vectors",
            "threshold",
            "V-measure",
            "homogeneity",
            "V-measure, leading drum",
            "groups",
            "really different",
        ),
        [(*key, *formatted(np.mean(rows, axis=0))) for key, rows in sorted(figures.items())],
    )


def formatted(means: NDArray[np.float64]) -> list[str]:
    """The figures of a row: three measures, then the two counts."""
    return [*(f"{value:.3f}" for value in means[:3]), *(f"{value:.1f}" for value in means[3:])]


def evaluate(groups: list[OnsetGroup], strokes: list[Stroke]) -> tuple[float, ...]:
    """V-measure, homogeneity, V-measure by the leading drum, number of groups, number of different strokes."""
    struck, leading, labels = [], [], []
    for number, group in enumerate(groups):
        for start in group.starts:
            voices = sorted({voice for time, voice in strokes if abs(time - start) < TOLERANCE})
            struck.append("+".join(voices) or "nothing")
            leading.append(next((voice for voice in LEADING if voice in voices), "nothing"))
            labels.append(number)
    return (
        v_measure_score(struck, labels),
        homogeneity_score(struck, labels),
        v_measure_score(leading, labels),
        len(groups),
        len(set(struck)),
    )


if __name__ == "__main__":
    main()
