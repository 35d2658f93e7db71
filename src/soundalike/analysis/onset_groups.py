"""From a stem to its onsets: cut it at the struck sounds and group those that sound alike.

An *onset* here is one struck sound in a stem: from one onset time to the next, at most `LONGEST` seconds. Each is
embedded whole, as one-shots are, so that each group can be compared with the one-shots of a library.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundalike.analysis.analyser import Analyser
from soundalike.audio.level import rms_level
from soundalike.audio.onsets import onset_times
from soundalike.errors import AudioError
from soundalike.models.encoders.builtin.builtin_encoder import both_heard_through_music

Float32 = NDArray[np.float32]

LONGEST = 0.6  # s
SHORTEST = 0.05  # s
QUIETEST_DB = -30.0  # relative to the loudest onset
MOST_ONSETS = 400
FADE = 0.005  # s


class Likeness(NamedTuple):
    """When two onsets sound alike. cosine: from which; network: share of the network in it (`both_heard_through_music`), None for
    the cosine of vectors as they are."""

    cosine: float
    network: float | None = None


LIKENESS: dict[tuple[str, str], Likeness] = {("builtin", "2"): Likeness(0.65, 0.7)}
"""By encoder and version, by `benchmarks/onset_groups.py`."""

OTHER_LIKENESS = Likeness(0.6)
"""With other encoders, as was measured with version 1 of the built-in one."""


@dataclass(frozen=True)
class OnsetGroup:
    """Onsets of a stem that sound alike, loudest first: starts, ends (n,) in s within the stem; vectors (n, D)."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    vectors: Float32


def cut_onsets(samples: Float32, sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and end times (s) of the onsets of a mono stem (samples,), loudest first.

    Those more than `-QUIETEST_DB` below the loudest are left out.
    """
    starts = onset_times(samples, sample_rate)
    ends = np.minimum(np.append(starts[1:], len(samples) / sample_rate), starts + LONGEST)
    kept = ends - starts >= SHORTEST
    starts, ends = starts[kept], ends[kept]
    levels = np.array([rms_level(_crop(samples, sample_rate, a, b)) for a, b in zip(starts, ends, strict=True)])
    loud = levels > levels.max(initial=-np.inf) + QUIETEST_DB
    order = np.flatnonzero(loud)[np.argsort(-levels[loud], kind="stable")][:MOST_ONSETS]
    return starts[order], ends[order]


def group_onsets(analyser: Analyser, samples: Float32, sample_rate: int) -> list[OnsetGroup]:
    """The onsets of a mono stem (samples,) that sound alike in groups, the largest first.

    Raises AudioError if there is no onset.
    """
    recipe = analyser.recipe
    likeness = LIKENESS.get((recipe.encoder, recipe.encoder_version), OTHER_LIKENESS)
    return split_onsets(embed_onsets(analyser, samples, sample_rate), likeness)


def embed_onsets(analyser: Analyser, samples: Float32, sample_rate: int) -> OnsetGroup:
    """All onsets of a mono stem (samples,). Raises AudioError if there are none."""
    starts, ends = cut_onsets(samples, sample_rate)
    if not len(starts):
        raise AudioError("no onsets were found: the part is silent or has no struck sounds; try another part or region")
    fade = np.linspace(1, 0, max(1, int(FADE * sample_rate)), dtype=np.float32)
    crops = []
    for start, end in zip(starts, ends, strict=True):
        crop = _crop(samples, sample_rate, start, end).copy()
        crop[-len(fade) :] *= fade
        crops.append(crop)
    return OnsetGroup(starts, ends, analyser.embed_clips(crops))


def split_onsets(onsets: OnsetGroup, likeness: Likeness) -> list[OnsetGroup]:
    """Onsets in groups of similar ones, the largest first: average linkage that stops at the cosine of `likeness`."""
    vectors = onsets.vectors
    if likeness.network is not None:
        vectors = both_heard_through_music(vectors, likeness.network)
    labels = _cluster(vectors, likeness.cosine)
    groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    groups.sort(key=lambda members: (-len(members), members[0]))
    return [OnsetGroup(onsets.starts[one], onsets.ends[one], onsets.vectors[one]) for one in groups]


def _crop(samples: Float32, sample_rate: int, start: float, end: float) -> Float32:
    return samples[int(start * sample_rate) : int(end * sample_rate)]


def _cluster(vectors: Float32, min_similarity: float) -> NDArray[np.int32]:
    if len(vectors) == 1:
        return np.ones(1, dtype=np.int32)
    distance = np.clip(1 - vectors.astype(np.float64) @ vectors.T.astype(np.float64), 0, 2)
    np.fill_diagonal(distance, 0)
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    tree = linkage(squareform(distance, checks=False), method="average")
    return np.asarray(fcluster(tree, 1 - min_similarity, criterion="distance"), dtype=np.int32)
