"""Hubs, and whether centring or mutual proximity helps against them.

    python benchmarks/hubness.py

The songs of SOUNDALIKE_TEST_DATA are cut into windows; per part: skewness of the 10-occurrence, share of windows
never returned, and how well a window finds the other windows of its own song (mean average precision). Compared: the
cosine as it is; centred (the mean vector of all windows taken off, and brought back to unit length); mutual proximity
(Schnitzer et al. 2012, the empirical form: the share of all windows that are farther from both than they are from
each other).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import skew

from benchmarks.shared.audio_data import folder
from soundalike.analysis.analyser import Analyser
from soundalike.analysis.recipe import make_recipe
from soundalike.audio import decode
from soundalike.similarity.cosine import unit

Similarities = NDArray[np.float64]
NEIGHBOURS = 10


def mutual_proximity(similar: Similarities) -> Similarities:
    """The empirical mutual proximity of all pairs, from their similarities (N, N)."""
    count = len(similar)
    found = np.empty_like(similar)
    for row in range(count):
        farther_here = similar[row][np.newaxis] < similar[row][:, np.newaxis]  # (other, third)
        farther_there = similar < similar[row][:, np.newaxis]
        found[row] = (farther_here & farther_there).sum(axis=1) / count
    return found


def judge(similar: Similarities, groups: NDArray[np.int64]) -> tuple[float, float, float]:
    """Skewness and share never returned among other songs' windows; mean average precision for the own song's."""
    others = np.where(groups[:, np.newaxis] == groups, -np.inf, similar)
    nearest = np.argsort(-others, axis=1, kind="stable")[:, :NEIGHBOURS]
    counts = np.bincount(nearest.ravel(), minlength=len(similar))
    precisions = []
    for row in range(len(similar)):
        order = np.argsort(-np.delete(similar[row], row), kind="stable")
        right = np.delete(groups == groups[row], row)[order]
        if right.any():
            precisions.append((np.cumsum(right) / np.arange(1, len(right) + 1))[right].mean())
    return float(skew(counts)), float(np.mean(counts == 0)), float(np.mean(precisions))


def main() -> None:
    songs = folder("songs")
    analyser = Analyser(make_recipe())
    paths = sorted(path for path in songs.iterdir() if path.suffix.lower() in decode.EXTENSIONS)
    found = [analyser.analyse(path, "song", with_facts=False) for path in paths]
    vectors = np.concatenate([one.vectors for one in found])
    present = np.concatenate([one.present for one in found])
    song = np.concatenate([np.full(len(one.starts), number) for number, one in enumerate(found)])
    print(f"{len(paths)} songs, {len(song)} windows\n")
    print("| part | method | skewness of N_10 | never returned | own song: mAP |")
    print("|---|---|---|---|---|")
    for number, part in enumerate(analyser.recipe.parts):
        there = present[:, number]
        points, groups = vectors[there, number], song[there]
        cosine = (points @ points.T).astype(np.float64)
        centred = unit(points - points.mean(axis=0)).astype(np.float64)
        for name, similar in (
            ("cosine", cosine),
            ("centred", centred @ centred.T),
            ("mutual proximity", mutual_proximity(cosine)),
        ):
            skewness, never, precision = judge(similar, groups)
            print(f"| {part} | {name} | {skewness:+.2f} | {never:.0%} | {precision:.3f} |")


if __name__ == "__main__":
    main()
