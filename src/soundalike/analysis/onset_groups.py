"""From a song to its hits: cut a stem at its onsets and put like hits together.

A *hit* here is one strike in a stem: from an onset to the next, at most `LONGEST` seconds. Hits are embedded whole, as
one-shots are, so that each group can be compared with a library's one-shots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from soundalike.analysis.analyser import Analyser
from soundalike.audio.onsets import onset_times
from soundalike.errors import AudioError

Float32 = NDArray[np.float32]

LONGEST = 0.6
SHORTEST = 0.05
QUIETEST_DB = -30.0
MOST = 400
FADE = 0.005


@dataclass(frozen=True)
class HitGroup:
    """Hits of a stem that sound alike: their start and end times (n,) in s within the stem, loudest first; vectors
    (n, D)."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Float32


def cut(samples: Float32, sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and end times (s) of the hits of a mono stem (samples,): louder than `QUIETEST_DB` under the loudest."""
    starts = onset_times(samples, sample_rate)
    ends = np.minimum(np.append(starts[1:], len(samples) / sample_rate), starts + LONGEST)
    kept = ends - starts >= SHORTEST
    starts, ends = starts[kept], ends[kept]
    power = np.array(
        [
            float(np.mean(np.square(samples[int(a * sample_rate) : int(b * sample_rate)], dtype=np.float64)))
            for a, b in zip(starts, ends, strict=True)
        ]
    )
    loud = power > power.max(initial=0.0) * 10 ** (QUIETEST_DB / 10)
    order = np.flatnonzero(loud)[np.argsort(-power[loud], kind="stable")][:MOST]
    return starts[order], ends[order]


def group_hits(analyser: Analyser, samples: Float32, sample_rate: int, *, alike: float) -> list[HitGroup]:
    """The hits of a mono stem in groups, the most frequent first; average linkage, cut where the cosine falls under
    `alike`.

    Raises AudioError where the stem has no hit.
    """
    starts, ends = cut(samples, sample_rate)
    if not len(starts):
        raise AudioError("no hits were found there: the part is silent or has no onsets; try another part or region")
    fade = np.linspace(1, 0, max(1, int(FADE * sample_rate)), dtype=np.float32)
    crops = []
    for start, end in zip(starts, ends, strict=True):
        crop = samples[int(start * sample_rate) : int(end * sample_rate)].copy()
        crop[-len(fade) :] *= fade
        crops.append(crop)
    vectors = analyser.embed_whole(crops)
    labels = _cluster(vectors, alike)
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    groups.sort(key=lambda members: (-len(members), members[0]))
    return [HitGroup(starts[members], ends[members], vectors[members]) for members in groups]


def _cluster(vectors: Float32, alike: float) -> NDArray[np.int32]:
    if len(vectors) == 1:
        return np.ones(1, dtype=np.int32)
    distance = np.clip(1 - vectors.astype(np.float64) @ vectors.T.astype(np.float64), 0, 2)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), method="average")
    return np.asarray(fcluster(tree, 1 - alike, criterion="distance"), dtype=np.int32)
