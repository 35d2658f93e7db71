"""The stages of D-CSN and of Cascade: which batches, which losses, which rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundalike.models.encoders.trained.cascade_network import Cascade, PartCascade
from soundalike.models.encoders.trained.dcsn_network import Dcsn
from soundalike.models.encoders.trained.mel_spectra import magnitudes
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.training_loop import Losses, Stage
from soundalike.research.baselines.training_options import EMBEDDING_RATE, SEPARATOR_RATE, TrainingOptions
from soundalike.research.baselines.training_triplets import TrainingTriplet, TripletSampler
from soundalike.research.baselines.triplet_loss import mixtures_of, ordered_correctly, stems_of, triplet_loss

Array = NDArray[Any]

VALIDATED = 32
"""Validation triplets for each part."""

_AT_ONCE = 8
"""Validation triplets that are computed at once."""


class StageData:
    """The tracks that stages draw from: training, and validation if there are any."""

    def __init__(
        self, options: TrainingOptions, audio: SegmentAudio, sampler: TripletSampler, validation: TripletSampler | None
    ) -> None:
        self.options, self.audio, self.sampler, self.validation = options, audio, sampler, validation

    def validation_triplets(self, parts: Sequence[str]) -> list[TrainingTriplet]:
        """Triplets about `parts` from the validation tracks, the same in every run; none without such tracks."""
        if self.validation is None:
            return []
        rng = np.random.default_rng(0)
        return self.validation.draw_many(VALIDATED * len(parts), rng, self.options.pseudo, parts)


def make_stages(network: nn.Module, data: StageData, device: torch.device) -> list[Stage]:
    """The stages that train `network`, in their order."""
    if isinstance(network, Dcsn):
        return [_dcsn_stage(network, data, device)]
    assert isinstance(network, Cascade)
    stages = []
    for part in network.parts:
        of_part = network.of_part[part]
        stages += [_separator_stage(of_part, part, data), _embedding_stage(of_part, part, data, device)]
        if data.options.joint_steps:
            stages.append(joint_stage(of_part, part, data, device))
    return stages


def _dcsn_stage(network: Dcsn, data: StageData, device: torch.device) -> Stage:
    options = data.options

    def load(rng: np.random.Generator) -> list[Array]:
        triplets = data.sampler.draw_many(options.batch, rng, options.pseudo)
        return [np.stack(mixtures_of(data.audio, triplets)), _part_numbers(triplets, network.parts)]

    def losses(batch: Sequence[Tensor]) -> Losses:
        return {"triplet": triplet_loss(_selected(network(batch[0]), batch[1]))}

    def vectors(triplets: Sequence[TrainingTriplet]) -> Tensor:
        batch = torch.from_numpy(np.stack(mixtures_of(data.audio, triplets))).to(device)
        return _selected(network(batch), torch.from_numpy(_part_numbers(triplets, network.parts)).to(device))

    agreement = _agreement(network, data.validation_triplets(network.parts), vectors)
    return Stage("dcsn", options.steps, [(network, options.learning_rate)], load, losses, agreement)


def _separator_stage(network: PartCascade, part: str, data: StageData) -> Stage:
    options = data.options

    def load(rng: np.random.Generator) -> list[Array]:
        sounds = data.sampler.draw_sounds(part, options.batch, rng, options.pseudo)
        mixtures = [data.audio.mixture(sound, part) for sound in sounds]
        return [np.stack(mixtures), np.stack([data.audio.stem(sound.target, part) for sound in sounds])]

    def losses(batch: Sequence[Tensor]) -> Losses:
        return {"separation": _separation_loss(network, batch[0], batch[1])[0]}

    return Stage(f"separator of {part}", options.steps, [(network.separator, options.learning_rate)], load, losses)


def _embedding_stage(network: PartCascade, part: str, data: StageData, device: torch.device) -> Stage:
    options = data.options

    def load(rng: np.random.Generator) -> list[Array]:
        triplets = data.sampler.draw_many(options.batch, rng, 0.0, (part,))
        return [np.stack(stems_of(data.audio, triplets))]

    def losses(batch: Sequence[Tensor]) -> Losses:
        return {"triplet": triplet_loss(network.embed(magnitudes(batch[0])))}

    def vectors(triplets: Sequence[TrainingTriplet]) -> Tensor:
        return network.embed(magnitudes(torch.from_numpy(np.stack(stems_of(data.audio, triplets))).to(device)))

    agreement = _agreement(network, data.validation_triplets((part,)), vectors)
    rates = [(network.embedding, options.learning_rate)]
    return Stage(f"embedding of {part}", options.steps, rates, load, losses, agreement)


def joint_stage(network: PartCascade, part: str, data: StageData, device: torch.device) -> Stage:
    """Both networks of a part end to end: separation and triplet loss, one to one."""
    options = data.options

    def load(rng: np.random.Generator) -> list[Array]:
        triplets = data.sampler.draw_many(options.batch, rng, options.pseudo, (part,))
        return [np.stack(mixtures_of(data.audio, triplets)), np.stack(stems_of(data.audio, triplets))]

    def losses(batch: Sequence[Tensor]) -> Losses:
        separation, separated = _separation_loss(network, batch[0], batch[1])
        return {"separation": separation, "triplet": triplet_loss(network.embed(separated))}

    def vectors(triplets: Sequence[TrainingTriplet]) -> Tensor:
        return network(magnitudes(torch.from_numpy(np.stack(mixtures_of(data.audio, triplets))).to(device)))

    rates = [
        (network.separator, SEPARATOR_RATE * options.joint_scale),
        (network.embedding, EMBEDDING_RATE * options.joint_scale),
    ]
    agreement = _agreement(network, data.validation_triplets((part,)), vectors)
    return Stage(f"{part} end to end", options.joint_steps, rates, load, losses, agreement)


def _part_numbers(triplets: Sequence[TrainingTriplet], parts: Sequence[str]) -> Array:
    """The number of the part of each of `sounds_of`."""
    return np.array([parts.index(triplet.part) for triplet in triplets] * 3)


def _selected(vectors: Tensor, numbers: Tensor) -> Tensor:
    """The vector (N, D) of one part of each of N mixtures (N, parts, D)."""
    return vectors[torch.arange(len(vectors), device=vectors.device), numbers]


def _separation_loss(network: PartCascade, mixtures: Tensor, stems: Tensor) -> tuple[Tensor, Tensor]:
    """L1 between separated and true magnitudes, relative to the mean of the mixture (ours), and the separated magnitudes."""
    spectra = magnitudes(mixtures)
    separated = network.separate(spectra)
    scale = spectra.mean((1, 2), keepdim=True).clamp(min=1e-8)
    return ((separated - magnitudes(stems)) / scale).abs().mean(), separated


def _agreement(
    network: nn.Module, triplets: Sequence[TrainingTriplet], vectors: Callable[[Sequence[TrainingTriplet]], Tensor]
) -> Callable[[], float] | None:
    if not triplets:
        return None

    def measure() -> float:
        network.eval()
        with torch.inference_mode():
            groups = [triplets[start : start + _AT_ONCE] for start in range(0, len(triplets), _AT_ONCE)]
            right = torch.cat([ordered_correctly(vectors(group)) for group in groups])
        network.train()
        return float(right.float().mean())

    return measure
