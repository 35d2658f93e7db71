"""Where to cut the tree of hits: groups of like hits against what was really struck, on generated songs.

    python benchmarks/hit_groups.py --songs 10 --seed 1

The drums of each song (separated, and as a true stem) are cut at their onsets and grouped at several thresholds of
the cosine. What was struck at each onset is known; V-measure is the harmonic mean of homogeneity and completeness
(Rosenberg & Hirschberg 2007).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import homogeneity_score, v_measure_score

from soundalike.analysis.analyser import Analyser
from soundalike.analysis.onset_groups import group_hits
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode
from soundalike.audio.waveform import resample
from soundalike.errors import AudioError
from soundalike.synth.music_library import write_library

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
START, END = 4.0, 24.0
NEAR = 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    analyser = Analyser(make_recipe())
    found: dict[tuple[str, float], list[tuple[float, float, int, int]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_library(folder, arguments.seed, arguments.songs, 0, 0, 28.0, stems=True)
        for song in truth.songs:
            separated, rate = analyser.stems(folder / song.file, START, END)
            true = decode.read(folder / song.stems["drums"], START, END - START)
            sources = {"separated": separated["drums"], "true stem": resample(true.mono(), true.sample_rate, rate)}
            times = [(time - START, voice) for voice, strokes in song.hits.items() for time in strokes]
            for source, samples in sources.items():
                for threshold in THRESHOLDS:
                    try:
                        groups = group_hits(analyser, samples, rate, alike=threshold)
                    except AudioError:
                        continue
                    struck, labels = [], []
                    for number, group in enumerate(groups):
                        for start in group.starts:
                            voices = sorted({voice for time, voice in times if abs(time - start) < NEAR})
                            struck.append("+".join(voices) or "nothing")
                            labels.append(number)
                    found.setdefault((source, threshold), []).append(
                        (
                            v_measure_score(struck, labels),
                            homogeneity_score(struck, labels),
                            len(groups),
                            len(set(struck)),
                        )
                    )
    print("| drums | threshold | V-measure | homogeneity | groups | really different |")
    print("|---|---|---|---|---|---|")
    for (source, threshold), values in sorted(found.items()):
        mean = np.mean(values, axis=0)
        print(f"| {source} | {threshold} | {mean[0]:.3f} | {mean[1]:.3f} | {mean[2]:.1f} | {mean[3]:.1f} |")


if __name__ == "__main__":
    main()
