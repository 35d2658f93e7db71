"""A whole training: scan the tracks, estimate time and memory, train stage by stage, write the encoder's file."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from soundalike import __version__
from soundalike.errors import InputError
from soundalike.models.encoders.trained.trained_file import write_trained
from soundalike.models.encoders.trained.trained_path import trained_path
from soundalike.models.neural.device import choose_device
from soundalike.research.baselines.segment_audio import SegmentAudio
from soundalike.research.baselines.track_scan import TrackFacts, scan_tracks
from soundalike.research.baselines.training_estimate import TrainingEstimate, estimate_training
from soundalike.research.baselines.training_loop import Run, Stage, explained
from soundalike.research.baselines.training_options import TrainingOptions
from soundalike.research.baselines.training_stages import SplitData, StageData, make_stages
from soundalike.research.baselines.training_triplets import TripletSampler
from soundalike.research.datasets.slakh import SLAKH_HINT, Slakh
from soundalike.research.reproduce.clip_jobs import Callbacks, Progress

SCAN = "tracks-{split}.jsonl"


@dataclass(frozen=True)
class Prepared:
    """A training that could start: its network, stages and run, and what it will take."""

    options: TrainingOptions
    network: nn.Module
    data: StageData
    run: Run
    stages: Sequence[Stage]
    problems: dict[str, str]


def prepare_training(options: TrainingOptions, callbacks: Callbacks) -> Prepared:
    """Scan the tracks and build the network.

    Raises InputError if there are no tracks for training, or too few with one of the parts, or the device is missing.
    """
    device = choose_device(options.runtime)
    if options.runtime.threads is not None:
        torch.set_num_threads(options.runtime.threads)
    slakh, train, problems = scanned_split(options, "train", callbacks)
    architecture = options.architecture
    sampler = TripletSampler(train, architecture.parts, architecture.clip, architecture.hop)
    validation = None
    if (options.slakh / "validation").is_dir():
        validation_slakh, tracks, others = scanned_split(options, "validation", callbacks)
        problems |= others
        try:
            validation_sampler = TripletSampler(tracks, architecture.parts, architecture.clip, architecture.hop)
        except InputError as error:
            callbacks.on_status(f"the curves have no validation: {error}")
        else:
            validation = SplitData(
                validation_sampler, SegmentAudio(validation_slakh, architecture.clip, options.memory // 4)
            )
    training = SplitData(sampler, SegmentAudio(slakh, architecture.clip, options.memory))
    torch.manual_seed(options.seed)
    network = architecture.build().to(device)
    data = StageData(options, training, validation)
    run = Run(options.out, network, device, options.settings, options.seed, callbacks)
    return Prepared(options, network, data, run, make_stages(network, data, device), problems)


def estimate(prepared: Prepared) -> TrainingEstimate:
    """Time, memory and disk of the whole training, from a few steps of a copy of the network."""
    run = copy.copy(prepared.run)
    run.network = copy.deepcopy(prepared.network)
    return estimate_training(run, make_stages(run.network, prepared.data, run.device))


def train(prepared: Prepared) -> Path:
    """Train, or continue where an interrupted run stopped; the path of the file that the encoder loads.

    Raises as `Run.train` does.
    """
    prepared.run.train(prepared.stages)
    options = prepared.options
    path = options.out / f"{options.system}.pt"
    with explained(path):
        write_trained(path, options.architecture, prepared.network, provenance(options, prepared.data))
    return path


def provenance(options: TrainingOptions, data: StageData) -> dict[str, Any]:
    """How a network was trained, for its file."""
    return {
        **options.settings,
        "slakh": options.slakh.name,
        "tracks": len({segment.track for segment in data.training.sampler.segments}),
        "soundalike": __version__,
        "torch": torch.__version__,
    }


def default_folder(name: str) -> Path:
    """The folder that the encoder `name` is loaded from."""
    return trained_path(name).parent


def check_space(folder: Path, needed: int) -> None:
    """Raise InputError if the disk of `folder` has less than `needed` bytes free."""
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise InputError(
            f"{place} has {free / 2**30:.2f} GiB free, but the state of the training needs {needed / 2**30:.2f} GiB; make room, "
            "or choose another --out"
        )


def scanned_split(
    options: TrainingOptions, split: str, callbacks: Callbacks
) -> tuple[Slakh, tuple[TrackFacts, ...], dict[str, str]]:
    """The tracks of a split, their facts, and the unusable ones. Raises InputError if there is no usable one."""
    folder = options.slakh / split
    if not options.slakh.is_dir():
        raise InputError(f"{options.slakh} is not a folder; {SLAKH_HINT}")
    if not folder.is_dir():
        raise InputError(f"{options.slakh} has no folder {split}, which holds the tracks for it; {SLAKH_HINT}")
    slakh, title = Slakh(folder), f"measuring the tracks of {split}"
    found, problems = scan_tracks(
        slakh,
        options.out / SCAN.format(split=split),
        lambda done, total: callbacks.on_progress(Progress(title, done, total, None, "tracks")),
    )
    callbacks.on_status(
        f"{split}: {len(found)} tracks, {sum(facts.seconds for facts in found) / 3600:.2f} h"
        + (f"; {len(problems)} cannot be used, such as {next(iter(problems))}" if problems else "")
    )
    return slakh, found, problems
