"""The triplet loss on Euclidean distances, and how often a network orders triplets correctly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from soundalike.research.baselines.segment_audio import Samples, SegmentAudio
from soundalike.research.baselines.training_options import MARGIN
from soundalike.research.baselines.training_triplets import Sound, TrainingTriplet


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances (B,) of vectors (B, D); differentiable where they are zero."""
    return ((first - second).square().sum(-1) + 1e-12).sqrt()


def triplet_loss(vectors: Tensor, weights: Tensor | None = None) -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + MARGIN), mean over triplets.

    vectors (3 B, D): all anchors, then all positives, then all negatives; weights (B,): of the triplets.
    """
    anchor, positive, negative = vectors.chunk(3)
    losses = torch.relu(distances(anchor, positive) - distances(anchor, negative) + MARGIN)
    return losses.mean() if weights is None else (losses * weights).sum() / weights.sum()


def all_triplets_loss(vectors: Tensor, labels: Tensor) -> Tensor:
    """The triplet loss of all triplets among N vectors (N, D), mean over those that are not 0 (Hermans et al. 2017).

    labels (N,): a vector is nearer to those with its label than to those with another one; negative: it is in no triplet.
    """
    between = distances(vectors[:, None], vectors[None])
    known = labels >= 0
    alike = (labels[:, None] == labels[None]) & known & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    unlike = (labels[:, None] != labels[None]) & known & known[:, None]
    losses = torch.relu(between[:, :, None] - between[:, None, :] + MARGIN)
    losses = losses * (alike[:, :, None] & unlike[:, None, :])
    return losses.sum() / (losses > 0).sum().clamp(min=1)


def invariance_loss(vectors: Tensor, labels: Tensor) -> Tensor:
    """Mean distance of the pairs with the same label, as a share of that of the pairs with different labels (ours).

    It does not depend on the scale of the vectors, as the margin of the triplet loss does. vectors, labels: as in
    `all_triplets_loss`; 0 if there are no pairs of either kind.
    """
    first, second = torch.triu_indices(len(labels), len(labels), 1, device=labels.device)
    known = (labels[first] >= 0) & (labels[second] >= 0)
    first, second = first[known], second[known]
    between, alike = distances(vectors[first], vectors[second]), labels[first] == labels[second]
    if not alike.any() or alike.all():
        return vectors.sum() * 0.0
    return between[alike].mean() / between[~alike].mean()


def ordered_correctly(vectors: Tensor) -> Tensor:
    """(B,) whether the positive is nearer than the negative; vectors as in `triplet_loss`."""
    anchor, positive, negative = vectors.chunk(3)
    return distances(anchor, positive) < distances(anchor, negative)


def sounds_of(triplets: Sequence[TrainingTriplet]) -> list[tuple[Sound, str]]:
    """All anchors, then all positives, then all negatives, each with the triplet's part."""
    roles: list[Callable[[TrainingTriplet], Sound]] = [
        lambda triplet: triplet.anchor,
        lambda triplet: triplet.positive,
        lambda triplet: triplet.negative,
    ]
    return [(role(triplet), triplet.part) for role in roles for triplet in triplets]


def mixtures_of(audio: SegmentAudio, triplets: Sequence[TrainingTriplet]) -> list[Samples]:
    """The mixtures of `sounds_of`."""
    return [audio.mixture(sound, part) for sound, part in sounds_of(triplets)]


def stems_of(audio: SegmentAudio, triplets: Sequence[TrainingTriplet]) -> list[Samples]:
    """The targets of `sounds_of` alone."""
    return [audio.stem(sound.target, part) for sound, part in sounds_of(triplets)]
