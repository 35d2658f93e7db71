"""Hubs among windows of real songs, and whether centring or mutual proximity reduces them.

    python -m benchmarks.hubness

The songs of SOUNDALIKE_TEST_DATA are cut into windows. Reported per part: the skewness of the 10-occurrence N_10, the
share of windows that are in no other song's top 10, and how well a window retrieves the other windows of its own song
(mean average precision). Three similarities are compared: the cosine; the cosine of centred vectors (minus the mean of
all windows); and empirical mutual proximity (Schnitzer et al. 2012: the share of windows that are farther from both
vectors than these are from each other).
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from benchmarks.shared.audio_data import audio_files, audio_folder
from benchmarks.shared.markdown import print_table
from benchmarks.shared.ranking import average_precision
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.similarity.cosine import unit

Similarities = NDArray[np.float64]
NEIGHBOURS = 10


def mutual_proximity(similarities: Similarities) -> Similarities:
    """Empirical mutual proximity of all pairs, from their similarities (N, N)."""
    result = np.empty_like(similarities)
    for row, own in enumerate(similarities):
        farther_from_row = own[np.newaxis] < own[:, np.newaxis]  # (other, third)
        farther_from_other = similarities < own[:, np.newaxis]
        result[row] = (farther_from_row & farther_from_other).mean(axis=1)
    return result


def evaluate(similarities: Similarities, songs: NDArray[np.int64]) -> tuple[float, float, float]:
    """Skewness of N_10, share never retrieved by other songs, mean average precision of a window's own song."""
    others = np.where(songs[:, np.newaxis] == songs, -np.inf, similarities)
    nearest = np.argsort(-others, axis=1, kind="stable")[:, :NEIGHBOURS]
    occurrences = np.bincount(nearest.ravel(), minlength=len(similarities))
    precisions = []
    for row in range(len(similarities)):
        relevant = np.delete(songs == songs[row], row)
        if relevant.any():
            precisions.append(average_precision(np.delete(similarities[row], row), relevant))
    return float(skew(occurrences)), float(np.mean(occurrences == 0)), float(np.mean(precisions))


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    analyser = Analyser(make_recipe())
    paths = audio_files(audio_folder("songs"))
    analyses = [analyser.analyse(path, "song", with_facts=False) for path in paths]
    vectors = np.concatenate([analysis.vectors for analysis in analyses])
    present = np.concatenate([analysis.present for analysis in analyses])
    songs = np.concatenate([np.full(len(analysis.starts), number) for number, analysis in enumerate(analyses)])
    print(f"{len(paths)} songs, {len(songs)} windows\n")
    rows = []
    for number, part in enumerate(analyser.recipe.parts):
        audible = present[:, number]
        points = vectors[audible, number]
        cosine = (points @ points.T).astype(np.float64)
        centred = unit(points - points.mean(axis=0)).astype(np.float64)
        for name, similarities in (
            ("cosine", cosine),
            ("centred", centred @ centred.T),
            ("mutual proximity", mutual_proximity(cosine)),
        ):
            skewness, never, precision = evaluate(similarities, songs[audible])
            rows.append((part, name, f"{skewness:+.2f}", f"{never:.0%}", f"{precision:.3f}"))
    print_table(("part", "similarity", "skewness of N_10", "never retrieved", "own song: mAP"), rows)


if __name__ == "__main__":
    main()
