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
from soundalike.models.encoders.trained.mel_spectra import HOP, SAMPLE_RATE, magnitudes, standardised
from soundalike.models.encoders.trained.trained_file import TrainedNetwork, read_trained, write_trained
from soundalike.models.encoders.trained.trained_path import trained_path
from soundalike.models.neural.device import choose_device
from soundalike.preferences.triplets import Triplet, above_cut_off, check_cut_off, merge_mirrored
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.training import provenance, scanned_split
from soundalike.research.baselines.training_loop import Losses, Run, Stage, explained
from soundalike.research.baselines.training_options import TUNING_STEPS, TrainingOptions, check_range, check_schedule
from soundalike.research.baselines.training_stages import SplitData, StageData, fixed_separation, joint_stage
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
    one that the encoder `cascade` loads; held_out: share of the tracks; batch, preferences: triplets of the training and of
    answers in a step (None: as many); fix_separator: only the embedding networks learn, so that the clips of answers are
    separated once; scale: factor of the paper's rates end to end; schedule: of the rates, one of SCHEDULES; weight: of the
    preferences beside the losses of the training, 0 to continue the training without them, as a control.

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
    preferences: int | None = None
    fix_separator: bool = False
    scale: float = 1.0
    schedule: str = "constant"
    weight: float = 1.0
    seed: int = 0
    runtime: Runtime = field(default_factory=Runtime)

    def __post_init__(self) -> None:
        check_range("--held-out", self.held_out, 0.0, 0.9)
        check_range("--steps", self.steps, 1, 10_000_000)
        check_range("--batch", self.batch, 2, 4096)
        check_range("--preferences", self.answers_batch, 1, 4096)
        check_range("--scale", self.scale, 1e-3, 1e3)
        check_range("--weight", self.weight, 0.0, 1e3)
        check_schedule(self.schedule)
        check_cut_off(self.cut_off)

    @property
    def answers_batch(self) -> int:
        """Triplets of answers in a step."""
        return self.batch if self.preferences is None else self.preferences


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

    def cut(self, name: str) -> ClipCut:
        """Where the clip is; clips of several names can be the same."""
        return self._cuts[name]

    def mixture(self, name: str) -> Float32:
        """Samples (samples,) of the clip's mixture. Raises AudioError if it cannot be decoded."""
        return self.mixture_at(self._cuts[name])

    def mixture_at(self, cut: ClipCut) -> Float32:
        """The same of a clip that is given by its place."""
        found = self._kept.get(cut)
        if found is None:
            waveform = self._slakh.cut_mixture(cut)
            samples = resample(waveform.mono(), waveform.sample_rate, SAMPLE_RATE)[: self._size]
            found = np.pad(samples, (0, self._size - len(samples)))
            self._kept[cut] = found
        return found

    def of(self, triplets: Sequence[Triplet]) -> Float32:
        """Mixtures (3 N, samples): all references, then all preferred candidates, then all others."""
        return np.stack([self.mixture(name) for name in _clips_of(triplets)])


class SeparatedClips:
    """Mel bands of what a part's separator gives of the clips of answers, while it does not learn; kept within a bound."""

    def __init__(self, network: PartCascade, clips: ClipAudio, names: Sequence[str], device: torch.device) -> None:
        self._network, self._clips, self._device = network, clips, device
        self._cuts = list(dict.fromkeys(map(clips.cut, names)))
        numbers = {cut: number for number, cut in enumerate(self._cuts)}
        self._numbers = {name: numbers[clips.cut(name)] for name in names}
        self._kept: LRUCache[int, Tensor] = LRUCache(_MEMORY, getsizeof=lambda one: one.numel() * one.element_size())

    def number(self, name: str) -> int:
        """The number of a clip, by which `excerpt` knows it."""
        return self._numbers[name]

    def excerpt(self, number: int, share: float, frames: int) -> Tensor:
        """Power (BANDS, at most `frames`) in an excerpt of a clip; share: where it begins, 0 to below 1 of what is possible."""
        whole = self._kept.get(number)
        if whole is None:
            mixture = torch.from_numpy(self._clips.mixture_at(self._cuts[number])).to(self._device)
            whole = self._network.mel.power(fixed_separation(self._network, magnitudes(mixture[None])))[0]
            self._kept[number] = whole
        start = int(share * (max(0, whole.shape[1] - frames) + 1))
        return whole[:, start : start + frames]


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
    joint = joint_stage(network, part, data, device, separator_fixed=options.fix_separator)
    size = round(data.options.architecture.clip * SAMPLE_RATE)
    separated = SeparatedClips(network, clips, _names({part: answers}), device) if options.fix_separator else None

    def load(rng: np.random.Generator) -> list[NDArray[Any]]:
        drawn = [
            answers.tuned[index] for index in rng.integers(len(answers.tuned), size=options.answers_batch).tolist()
        ]
        weights = np.array([triplet.agreement() for triplet in drawn], np.float32)
        if separated is None:
            return [_excerpts(clips.of(drawn), size, rng), weights, *joint.load(rng)]
        chosen = np.array([separated.number(name) for name in _clips_of(drawn)])
        return [np.stack([chosen, rng.random(len(chosen))], 1), weights, *joint.load(rng)]

    def losses(batch: Sequence[Tensor]) -> Losses:
        if options.weight == 0.0:
            return joint.losses(batch[2:])
        if separated is None:
            vectors = network(magnitudes(batch[0]))
        else:
            excerpts = [separated.excerpt(int(clip), share, 1 + size // HOP) for clip, share in batch[0].tolist()]
            vectors = network.embedding(standardised(torch.stack(excerpts)))
        return {"preference": options.weight * triplet_loss(vectors, batch[1]), **joint.losses(batch[2:])}

    name = f"{part} tuned to answers"
    validate = _held_out_agreement(network, answers, clips, device)
    return Stage(name, options.steps, joint.rates, load, losses, validate, options.schedule)


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
        invariance=float(base.provenance.get("invariance", 0.0)),
        seed=options.seed,
        runtime=options.runtime,
    )
    slakh, tracks, _ = scanned_split(training, "train", callbacks)
    sampler = TripletSampler(tracks, architecture.parts, architecture.clip, architecture.hop)
    source = SplitData(sampler, SegmentAudio(slakh, architecture.clip, training.memory))
    return StageData(training, source, None)


def _settings(options: TuningOptions, base: TrainedNetwork) -> dict[str, Any]:
    changed: dict[str, Any] = {} if options.weight == 1.0 else {"weight": options.weight}
    if options.answers_batch != options.batch:
        changed["preferences"] = options.answers_batch
    if options.fix_separator:
        changed["fix_separator"] = True
    if options.schedule != "constant":
        changed["schedule"] = options.schedule
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
        **changed,
    }


def _clips_of(triplets: Sequence[Triplet]) -> list[str]:
    """All references, then all preferred candidates, then all others."""
    preferred = [(t.a, t.b) if t.label() > 0 else (t.b, t.a) for t in triplets]
    return [*(t.reference for t in triplets), *(name for name, _ in preferred), *(name for _, name in preferred)]


def _names(answers: Mapping[str, SplitAnswers]) -> list[str]:
    triplets = [triplet for split in answers.values() for triplet in (*split.tuned, *split.held_out)]
    return list(dict.fromkeys(name for t in triplets for name in (t.reference, t.a, t.b)))


def _report(answers: Mapping[str, SplitAnswers], callbacks: Callbacks) -> None:
    for part, split in answers.items():
        callbacks.on_status(f"{part}: tuned to {len(split.tuned)} triplets, {len(split.held_out)} held out")
