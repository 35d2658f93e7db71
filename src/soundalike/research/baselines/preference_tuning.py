"""Perception-aware fine-tuning (PAFT): a trained Cascade is tuned to the answers of listeners about single parts.

After Imamura et al. 2025 (arXiv 2503.18486), who do not publish the weights of the losses, the split or the rates. Ours:
the triplet loss on the preferred candidate, weighted by the agreement of the listeners, of random excerpts as long as the
segments in training; the losses of the training end to end beside it, one to one; tracks are either tuned to or held out, and
triplets across both are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache
from numpy.typing import NDArray
from torch import Tensor

from soundalike.audio.waveform import resample
from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.models.encoders.trained.cascade_network import Cascade, PartCascade
from soundalike.models.encoders.trained.mel_spectra import SAMPLE_RATE, magnitudes
from soundalike.models.encoders.trained.trained_file import TrainedNetwork, read_trained, write_trained
from soundalike.models.encoders.trained.trained_path import trained_path
from soundalike.models.neural.device import choose_device
from soundalike.preferences.triplets import Triplet, above_cut_off, check_cut_off, merge_mirrored
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.training import provenance, scanned_split
from soundalike.research.baselines.training_loop import Losses, Run, Stage, explained
from soundalike.research.baselines.training_options import TUNING_STEPS, TrainingOptions, check_range
from soundalike.research.baselines.training_stages import SplitData, StageData, joint_stage
from soundalike.research.baselines.training_triplets import TripletSampler
from soundalike.research.baselines.triplet_loss import ordered_correctly, triplet_loss
from soundalike.research.datasets.inst_sim_abx import read_answers, read_configurations
from soundalike.research.datasets.slakh import ClipCut, Slakh
from soundalike.research.reproduce.clip_jobs import Callbacks

NAME = "cascade-paft"
CUT_OFF = 0.75
"""Agreement of listeners from which a triplet is used."""

HELD_OUT = 0.3
"""Share of the tracks whose answers are not used."""

_MEMORY = 1 << 30
_AT_ONCE = 8

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class TuningOptions:
    """What to tune to.

    slakh, answers: folders of Slakh2100 and Inst-Sim-ABX; out: folder of the results; base: the trained Cascade, None for the
    one that the encoder `cascade` loads; held_out: share of the tracks; scale: factor of the paper's rates end to end; weight: of
    the preferences beside the losses of the training, 0 to continue the training without them, as a control.

    Raises InputError for values out of range.
    """

    slakh: Path
    answers: Path
    out: Path
    base: Path | None = None
    held_out: float = HELD_OUT
    cut_off: float = CUT_OFF
    steps: int = TUNING_STEPS
    batch: int = 64
    scale: float = 1.0
    weight: float = 1.0
    seed: int = 0
    runtime: Runtime = field(default_factory=Runtime)

    def __post_init__(self) -> None:
        check_range("--held-out", self.held_out, 0.0, 0.9)
        check_range("--steps", self.steps, 1, 10_000_000)
        check_range("--batch", self.batch, 2, 4096)
        check_range("--scale", self.scale, 1e-3, 1e3)
        check_range("weight", self.weight, 0.0, 1e3)
        check_cut_off(self.cut_off)


@dataclass(frozen=True)
class SplitAnswers:
    """Triplets of one part to tune to, and those of other tracks that are held out."""

    tuned: tuple[Triplet, ...]
    held_out: tuple[Triplet, ...]


def split_answers(
    triplets: Sequence[Triplet], parts: Sequence[str], options: TuningOptions
) -> tuple[dict[str, SplitAnswers], frozenset[str]]:
    """The triplets by part, and the tracks of those to tune to. Raises InputError if a part has none."""
    kept = merge_mirrored(above_cut_off([triplet for triplet in triplets if triplet.part in parts], options.cut_off))
    kept = [triplet for triplet in kept if triplet.label()]
    tracks = sorted({track for triplet in kept for track in triplet.tracks})
    order = np.random.default_rng(options.seed).permutation(len(tracks))
    held = {tracks[index] for index in order[: round(options.held_out * len(tracks))].tolist()}
    found, used = {}, set[str]()
    for part in parts:
        of_part = [triplet for triplet in kept if triplet.part == part]
        tuned = tuple(triplet for triplet in of_part if held.isdisjoint(triplet.tracks))
        if not tuned:
            raise InputError(
                f"{options.answers} has no triplet about {part} with an agreement of {options.cut_off:.0%} whose tracks are all "
                f"among the {len(tracks) - len(held)} to tune to; use a lower --cut-off or --held-out"
            )
        used |= {track for triplet in tuned for track in triplet.tracks}
        found[part] = SplitAnswers(tuned, tuple(triplet for triplet in of_part if held.issuperset(triplet.tracks)))
    return found, frozenset(used)


class ClipAudio:
    """The mixtures of the clips of answers, mono at 44.1 kHz, all of the same length; kept in memory within a bound."""

    def __init__(self, slakh: Slakh, cuts: Mapping[str, ClipCut], names: Sequence[str]) -> None:
        """Raises InputError if a clip is not in the configurations or its track cannot be used."""
        if missing := [name for name in names if name not in cuts]:
            raise InputError(f"{missing[0]} is missing from the configuration files beside the answers")
        self._slakh, self._cuts = slakh, cuts
        needed = [cuts[name] for name in names]
        for track, reason in slakh.problems(needed).items():
            raise InputError(f"{track} cannot be used: {reason}")
        self._size = round(max(cut.seconds for cut in needed) * SAMPLE_RATE)
        self._kept: LRUCache[ClipCut, Float32] = LRUCache(_MEMORY, getsizeof=lambda samples: samples.nbytes)

    def mixture(self, name: str) -> Float32:
        """Samples (samples,) of the clip's mixture. Raises AudioError if it cannot be decoded."""
        cut = self._cuts[name]
        found = self._kept.get(cut)
        if found is None:
            waveform = self._slakh.cut_mixture(cut)
            samples = resample(waveform.mono(), waveform.sample_rate, SAMPLE_RATE)[: self._size]
            found = np.pad(samples, (0, self._size - len(samples)))
            self._kept[cut] = found
        return found

    def of(self, triplets: Sequence[Triplet]) -> Float32:
        """Mixtures (3 N, samples): all references, then all preferred candidates, then all others."""
        preferred = [(t.a, t.b) if t.label() > 0 else (t.b, t.a) for t in triplets]
        names = [
            *(triplet.reference for triplet in triplets),
            *(name for name, _ in preferred),
            *(name for _, name in preferred),
        ]
        return np.stack([self.mixture(name) for name in names])


def tune(options: TuningOptions, callbacks: Callbacks) -> Path:
    """Tune a trained Cascade to answers; the path of the file that the encoder `cascade-paft` loads.

    Raises InputError for answers or tracks that cannot be used, CheckpointError if there is no trained Cascade.
    """
    device = choose_device(options.runtime)
    if options.runtime.threads is not None:
        torch.set_num_threads(options.runtime.threads)
    base_path = options.base or trained_path("cascade")
    base = read_trained(base_path, "cascade")
    if not isinstance(base.network, Cascade):
        raise InputError(f"{base_path} is a trained {base.architecture.system}; PAFT needs a Cascade")
    answers, used = split_answers(read_answers(options.answers).triplets, base.architecture.parts, options)
    clips = ClipAudio(Slakh(options.slakh), read_configurations(options.answers), _names(answers))
    data = _slakh_data(options, base, callbacks)
    network = base.network.to(device).requires_grad_(True)
    stages = [
        tuning_stage(network.of_part[part], part, answers[part], clips, data, options, device) for part in network.parts
    ]
    run = Run(options.out, network, device, _settings(options, base), options.seed, callbacks)
    _report(answers, callbacks)
    run.train(stages)
    path = options.out / f"{NAME}.pt"
    with explained(path):
        facts = {**provenance(data.options, data), **_settings(options, base), "base": dict(base.provenance)}
        write_trained(path, base.architecture, network, facts, used)
    return path


def tuning_stage(
    network: PartCascade,
    part: str,
    answers: SplitAnswers,
    clips: ClipAudio,
    data: StageData,
    options: TuningOptions,
    device: torch.device,
) -> Stage:
    """The preferences about one part, and its training end to end."""
    joint = joint_stage(network, part, data, device)
    size = round(data.options.architecture.clip * SAMPLE_RATE)

    def load(rng: np.random.Generator) -> list[NDArray[Any]]:
        drawn = [answers.tuned[index] for index in rng.integers(len(answers.tuned), size=options.batch).tolist()]
        weights = np.array([triplet.agreement() for triplet in drawn], np.float32)
        return [_excerpts(clips.of(drawn), size, rng), weights, *joint.load(rng)]

    def losses(batch: Sequence[Tensor]) -> Losses:
        if options.weight == 0.0:
            return joint.losses(batch[2:])
        preference = triplet_loss(network(magnitudes(batch[0])), batch[1])
        return {"preference": options.weight * preference, **joint.losses(batch[2:])}

    name = f"{part} tuned to answers"
    return Stage(name, options.steps, joint.rates, load, losses, _held_out_agreement(network, answers, clips, device))


def _excerpts(mixtures: Float32, size: int, rng: np.random.Generator) -> Float32:
    """A random excerpt of at most `size` samples of each row (N, samples)."""
    latest = max(0, mixtures.shape[1] - size)
    starts = rng.integers(latest + 1, size=len(mixtures)).tolist()
    return np.stack([row[start : start + size] for row, start in zip(mixtures, starts, strict=True)])


def _held_out_agreement(
    network: PartCascade, answers: SplitAnswers, clips: ClipAudio, device: torch.device
) -> Callable[[], Mapping[str, float]] | None:
    held_out = answers.held_out
    if not held_out:
        return None

    def measure() -> Mapping[str, float]:
        network.eval()
        right = []
        with torch.inference_mode():
            for start in range(0, len(held_out), _AT_ONCE):
                batch = torch.from_numpy(clips.of(held_out[start : start + _AT_ONCE])).to(device)
                right.append(ordered_correctly(network(magnitudes(batch))))
        network.train()
        return {"validation_agreement": float(torch.cat(right).float().mean())}

    return measure


def _slakh_data(options: TuningOptions, base: TrainedNetwork, callbacks: Callbacks) -> StageData:
    architecture = base.architecture
    training = TrainingOptions(
        "cascade",
        options.slakh,
        options.out,
        parts=architecture.parts,
        width=architecture.width,
        clip=architecture.clip,
        hop=architecture.hop,
        batch=options.batch,
        joint_steps=options.steps,
        joint_scale=options.scale,
        recombine=bool(base.provenance.get("recombine")),
        seed=options.seed,
        runtime=options.runtime,
    )
    slakh, tracks, _ = scanned_split(training, "train", callbacks)
    sampler = TripletSampler(tracks, architecture.parts, architecture.clip, architecture.hop)
    source = SplitData(sampler, SegmentAudio(slakh, architecture.clip, training.memory))
    return StageData(training, source, None)


def _settings(options: TuningOptions, base: TrainedNetwork) -> dict[str, Any]:
    weight = {} if options.weight == 1.0 else {"weight": options.weight}
    return {
        "system": NAME,
        "base_digest": base.digest,
        "answers": str(options.answers.resolve()),
        "held_out": options.held_out,
        "cut_off": options.cut_off,
        "steps": options.steps,
        "batch": options.batch,
        "scale": options.scale,
        "seed": options.seed,
        **weight,
    }


def _names(answers: Mapping[str, SplitAnswers]) -> list[str]:
    triplets = [triplet for split in answers.values() for triplet in (*split.tuned, *split.held_out)]
    return list(dict.fromkeys(name for t in triplets for name in (t.reference, t.a, t.b)))


def _report(answers: Mapping[str, SplitAnswers], callbacks: Callbacks) -> None:
    for part, split in answers.items():
        callbacks.on_status(f"{part}: tuned to {len(split.tuned)} triplets, {len(split.held_out)} held out")
