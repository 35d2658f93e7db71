"""The stages of D-CSN and of Cascade: which batches, which losses, which rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from soundalike.research.baselines.training_triplets import (
    Recombination,
    TrainingTriplet,
    TripletSampler,
    track_numbers,
)
from soundalike.research.baselines.triplet_loss import (
    all_triplets_loss,
    invariance_loss,
    mixtures_of,
    ordered_correctly,
    stems_of,
    triplet_loss,
)

Array = NDArray[Any]

VALIDATED = 32
"""Validation triplets for each part."""

_AT_ONCE = 8
"""Validation triplets that are computed at once."""


@dataclass(frozen=True)
class SplitData:
    """The tracks of a split: what is drawn from them, and their audio."""

    sampler: TripletSampler
    audio: SegmentAudio


@dataclass(frozen=True)
class StageData:
    """The tracks that stages draw from: training, and validation if there are any."""

    options: TrainingOptions
    training: SplitData
    validation: SplitData | None

    def validation_triplets(self, parts: Sequence[str]) -> list[TrainingTriplet]:
        """Triplets about `parts` from the validation tracks, the same in every run; none without such tracks."""
        if self.validation is None:
            return []
        rng = np.random.default_rng(0)
        return self.validation.sampler.draw_many(VALIDATED * len(parts), rng, self.options.pseudo, parts)


def make_stages(network: nn.Module, data: StageData, device: torch.device) -> list[Stage]:
    """The stages that train `network`, in their order."""
    if isinstance(network, Dcsn):
        return [_dcsn_stage(network, data, device)]
    assert isinstance(network, Cascade)
    stages = []
    for part in network.parts:
        of_part = network.of_part[part]
        stages += [_separator_stage(of_part, part, data, device), _embedding_stage(of_part, part, data, device)]
        if data.options.joint_steps:
            stages.append(joint_stage(of_part, part, data, device))
    return stages


def _dcsn_stage(network: Dcsn, data: StageData, device: torch.device) -> Stage:
    options, source = data.options, data.training

    def load(rng: np.random.Generator) -> list[Array]:
        triplets = source.sampler.draw_many(options.batch, rng, options.pseudo)
        return [np.stack(mixtures_of(source.audio, triplets)), _part_numbers(triplets, network.parts)]

    def losses(batch: Sequence[Tensor]) -> Losses:
        return {"triplet": triplet_loss(_selected(network(batch[0]), batch[1]))}

    def load_recombined(rng: np.random.Generator) -> list[Array]:
        mixtures = source.sampler.draw_recombined(3 * options.batch, rng)
        return [_recombined(source, mixtures), track_numbers(mixtures, network.parts)]

    def recombined_losses(batch: Sequence[Tensor]) -> Losses:
        pairs = zip(network(batch[0]).unbind(1), batch[1].unbind(1), strict=True)
        of_parts = [_recombined_losses(vectors, tracks, options) for vectors, tracks in pairs]
        return {name: torch.stack([losses[name] for losses in of_parts]).mean() for name in of_parts[0]}

    def vectors(triplets: Sequence[TrainingTriplet], audio: SegmentAudio) -> Tensor:
        batch = torch.from_numpy(np.stack(mixtures_of(audio, triplets))).to(device)
        return _selected(network(batch), torch.from_numpy(_part_numbers(triplets, network.parts)).to(device))

    return Stage(
        "dcsn",
        options.steps,
        [(network, options.learning_rate)],
        load_recombined if options.recombine else load,
        recombined_losses if options.recombine else losses,
        _agreement(network, network.parts, data, vectors),
        options.schedule,
    )


def _separator_stage(network: PartCascade, part: str, data: StageData, device: torch.device) -> Stage:
    options, source = data.options, data.training

    def load(rng: np.random.Generator) -> list[Array]:
        sounds = source.sampler.draw_sounds(part, options.batch, rng, options.pseudo)
        mixtures = [source.audio.mixture(sound, part) for sound in sounds]
        return [np.stack(mixtures), np.stack([source.audio.stem(sound.target, part) for sound in sounds])]

    def losses(batch: Sequence[Tensor]) -> Losses:
        return {"separation": _separation_loss(network, batch[0], batch[1])[0]}

    return Stage(
        f"separator of {part}",
        options.steps,
        [(network.separator, options.learning_rate)],
        load,
        losses,
        _separation(network, part, data, device),
        options.schedule,
    )


def _embedding_stage(network: PartCascade, part: str, data: StageData, device: torch.device) -> Stage:
    options, source = data.options, data.training

    def load(rng: np.random.Generator) -> list[Array]:
        triplets = source.sampler.draw_many(options.batch, rng, 0.0, (part,))
        return [np.stack(stems_of(source.audio, triplets))]

    def losses(batch: Sequence[Tensor]) -> Losses:
        return {"triplet": triplet_loss(network.embed(magnitudes(batch[0])))}

    def load_recombined(rng: np.random.Generator) -> list[Array]:
        mixtures = source.sampler.draw_recombined(3 * options.batch, rng, part)
        return [_recombined(source, mixtures), track_numbers(mixtures, (part,))[:, 0]]

    def recombined_losses(batch: Sequence[Tensor]) -> Losses:
        separated = fixed_separation(network, magnitudes(batch[0]))
        return _recombined_losses(network.embed(separated), batch[1], options)

    def vectors(triplets: Sequence[TrainingTriplet], audio: SegmentAudio) -> Tensor:
        if options.recombine:
            return network(magnitudes(torch.from_numpy(np.stack(mixtures_of(audio, triplets))).to(device)))
        return network.embed(magnitudes(torch.from_numpy(np.stack(stems_of(audio, triplets))).to(device)))

    return Stage(
        f"embedding of {part}",
        options.steps,
        [(network.embedding, options.learning_rate)],
        load_recombined if options.recombine else load,
        recombined_losses if options.recombine else losses,
        _agreement(network, (part,), data, vectors),
        options.schedule,
    )


def joint_stage(
    network: PartCascade, part: str, data: StageData, device: torch.device, *, separator_fixed: bool = False
) -> Stage:
    """Both networks of a part end to end: separation and triplet loss, one to one.

    separator_fixed: the embedding network alone learns, from what the separator gives, by the triplet loss.
    """
    options, source = data.options, data.training

    def load(rng: np.random.Generator) -> list[Array]:
        triplets = source.sampler.draw_many(options.batch, rng, options.pseudo, (part,))
        return [np.stack(mixtures_of(source.audio, triplets)), np.stack(stems_of(source.audio, triplets))]

    def losses(batch: Sequence[Tensor]) -> Losses:
        separation, separated = separate(batch)
        return {**separation, "triplet": triplet_loss(network.embed(separated))}

    def load_recombined(rng: np.random.Generator) -> list[Array]:
        mixtures = source.sampler.draw_recombined(3 * options.batch, rng, part)
        stems = np.stack([source.audio.recombined_stem(mixture, part) for mixture in mixtures])
        return [_recombined(source, mixtures), stems, track_numbers(mixtures, (part,))[:, 0]]

    def recombined_losses(batch: Sequence[Tensor]) -> Losses:
        separation, separated = separate(batch)
        return {**separation, **_recombined_losses(network.embed(separated), batch[2], options)}

    def separate(batch: Sequence[Tensor]) -> tuple[Losses, Tensor]:
        if separator_fixed:
            return {}, fixed_separation(network, magnitudes(batch[0]))
        separation, separated = _separation_loss(network, batch[0], batch[1])
        return {"separation": separation}, separated

    def vectors(triplets: Sequence[TrainingTriplet], audio: SegmentAudio) -> Tensor:
        return network(magnitudes(torch.from_numpy(np.stack(mixtures_of(audio, triplets))).to(device)))

    separator = [] if separator_fixed else [(network.separator, SEPARATOR_RATE * options.joint_scale)]
    return Stage(
        f"{part} end to end",
        options.joint_steps,
        [*separator, (network.embedding, EMBEDDING_RATE * options.joint_scale)],
        load_recombined if options.recombine else load,
        recombined_losses if options.recombine else losses,
        _agreement(network, (part,), data, vectors),
        options.schedule,
    )


def fixed_separation(network: PartCascade, spectra: Tensor) -> Tensor:
    """What the separator gives as it is used, without dropout, and without learning; (B, BINS, frames) as the mixtures."""
    network.separator.eval()
    with torch.no_grad():
        return network.separate(spectra)


def _recombined_losses(vectors: Tensor, tracks: Tensor, options: TrainingOptions) -> Losses:
    """Of vectors (N, D) of a part whose tracks (N,) are numbered."""
    losses = {"triplet": all_triplets_loss(vectors, tracks)}
    if options.invariance:
        losses["invariance"] = options.invariance * invariance_loss(vectors, tracks)
    return losses


def _recombined(source: SplitData, mixtures: Sequence[Recombination]) -> Array:
    """The waveforms (N, samples) of N mixtures."""
    return np.stack([source.audio.recombined(mixture) for mixture in mixtures])


def _part_numbers(triplets: Sequence[TrainingTriplet], parts: Sequence[str]) -> Array:
    """The number of the part of each of `sounds_of`."""
    return np.array([parts.index(triplet.part) for triplet in triplets] * 3)


def _selected(vectors: Tensor, numbers: Tensor) -> Tensor:
    """The vector (N, D) of one part of each of N mixtures (N, parts, D)."""
    return vectors[torch.arange(len(vectors), device=vectors.device), numbers]


def _separation_loss(network: PartCascade, mixtures: Tensor, stems: Tensor) -> tuple[Tensor, Tensor]:
    """The error of what is separated from mixtures (B, samples), and the separated magnitudes."""
    spectra = magnitudes(mixtures)
    separated = network.separate(spectra)
    return _error(spectra, separated, magnitudes(stems)), separated


def _error(mixtures: Tensor, separated: Tensor, stems: Tensor) -> Tensor:
    """L1 between separated and true magnitudes (B, BINS, frames), relative to the mean of the mixture (ours)."""
    scale = mixtures.mean((1, 2), keepdim=True).clamp(min=1e-8)
    return ((separated - stems) / scale).abs().mean()


def _agreement(
    network: nn.Module,
    parts: Sequence[str],
    data: StageData,
    vectors: Callable[[Sequence[TrainingTriplet], SegmentAudio], Tensor],
) -> Callable[[], Mapping[str, float]] | None:
    """Measures how many validation triplets are ordered correctly; None if there are no tracks for validation."""
    if data.validation is None:
        return None
    triplets, audio = data.validation_triplets(parts), data.validation.audio

    def measure() -> Mapping[str, float]:
        network.eval()
        with torch.inference_mode():
            groups = [triplets[start : start + _AT_ONCE] for start in range(0, len(triplets), _AT_ONCE)]
            right = torch.cat([ordered_correctly(vectors(group, audio)) for group in groups])
        network.train()
        return {"validation_agreement": float(right.float().mean())}

    return measure


def _separation(
    network: PartCascade, part: str, data: StageData, device: torch.device
) -> Callable[[], Mapping[str, float]] | None:
    """Measures the loss of mixtures of the tracks for validation, and what it would be if silence were separated; None if
    there are no such tracks. The two are alike as long as a separator has learned nothing.
    """
    if data.validation is None:
        return None
    audio = data.validation.audio
    sounds = data.validation.sampler.draw_sounds(part, VALIDATED, np.random.default_rng(0), data.options.pseudo)

    def measure() -> Mapping[str, float]:
        network.eval()
        losses, of_silence = [], []
        with torch.inference_mode():
            for sound in sounds:
                mixture = torch.from_numpy(audio.mixture(sound, part))[None].to(device)
                stem = torch.from_numpy(audio.stem(sound.target, part))[None].to(device)
                spectra, true = magnitudes(mixture), magnitudes(stem)
                losses.append(_error(spectra, network.separate(spectra), true))
                of_silence.append(_error(spectra, torch.zeros_like(true), true))
        network.train()
        return {
            "validation_separation": float(torch.stack(losses).mean()),
            "validation_separation_of_silence": float(torch.stack(of_silence).mean()),
        }

    return measure
