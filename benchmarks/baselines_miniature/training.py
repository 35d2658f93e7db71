"""Training of each system on the miniature, with the settings of the benchmark."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from soundalike.config import Runtime
from soundalike.models.encoders.trained.cascade_network import Cascade
from soundalike.models.encoders.trained.trained_file import SYSTEMS, TrainedNetwork, read_trained, write_trained
from soundalike.research.baselines.preference_tuning import TuningOptions, tune
from soundalike.research.baselines.training import prepare_training, train
from soundalike.research.baselines.training_options import TrainingOptions
from soundalike.research.reproduce.clip_jobs import Callbacks

CLIP = 2.0
"""Seconds of a segment."""

RUNTIME = Runtime("cpu", threads=1)
CALLBACKS = Callbacks(lambda message: print(message, flush=True))
COMMON = {"width": 0.125, "clip": CLIP, "runtime": RUNTIME}
DCSN = {"batch": 16, "steps": 5000, "pseudo": 0.6, "rate": 2e-3, "recombine": True}
DCSN_CHANGES: dict[str, dict[str, Any]] = {
    "dcsn": {},
    "dcsn-cosine": {"schedule": "cosine"},
    "dcsn-invariance": {"schedule": "cosine", "invariance": 1.0},
}
"""Trainings of D-CSN: what they change in DCSN. `dcsn-invariance` has a loss that asks each subspace to stay where it is when
only other parts change; `dcsn-cosine` is the same without it."""

CASCADE = {
    "batch": 6,
    "steps": 240,
    "joint_steps": 60,
    "pseudo": 0.6,
    "rate": 1e-2,
    "joint_scale": 40.0,
    "recombine": True,
}
PAFT = {
    "batch": 6,
    "preferences": 32,
    "fix_separator": True,
    "steps": 300,
    "scale": 20.0,
    "schedule": "cosine",
    "weight": 4.0,
    "held_out": 0.0,
    "cut_off": 0.75,
}
"""Few steps at high rates, for a short run; the papers' settings are the defaults of `soundalike train`."""

CONTROL = "paft-control"
"""The training continues with the same batches as in PAFT, without the answers."""


def train_system(folder: Path, system: str, parts: Sequence[str] | None) -> Path:
    """Train, unless it is trained already; the path of the file."""
    path = folder / system / f"{system}.pt"
    if path.exists():
        return path
    if system == "cascade":
        return train_cascade(folder, parts or SYSTEMS["cascade"].parts)
    if system in ("cascade-paft", CONTROL):
        base = folder / "cascade" / "cascade.pt"
        chosen = TuningOptions(folder / "slakh", folder / "answers-train", path.parent, base, runtime=RUNTIME, **PAFT)
        return tune(replace(chosen, weight=0.0) if system == CONTROL else chosen, CALLBACKS).replace(path)
    chosen = DCSN | DCSN_CHANGES[system]
    return _train(TrainingOptions("dcsn", folder / "slakh", path.parent, **COMMON, **chosen)).replace(path)


def train_cascade(folder: Path, parts: Sequence[str]) -> Path:
    """Train each part by itself, in a folder of its own, and put them together: nothing in Cascade is shared by parts."""
    found = [train_part(folder, part) for part in parts]
    first = found[0]
    network = Cascade(tuple(parts), first.architecture.width)
    for part, trained in zip(parts, found, strict=True):
        network.of_part[part] = trained.network.of_part[part]
    path = folder / "cascade" / "cascade.pt"
    provenance = {**first.provenance, "parts": list(parts)}
    write_trained(path, replace(first.architecture, parts=tuple(parts)), network, provenance)
    return path


def train_part(folder: Path, part: str) -> TrainedNetwork:
    """One part of Cascade, unless it is trained already."""
    path = folder / "cascade" / part / "cascade.pt"
    if not path.exists():
        used = time.process_time()
        _train(TrainingOptions("cascade", folder / "slakh", path.parent, parts=(part,), **COMMON, **CASCADE))
        print(f"cascade, {part}: {time.process_time() - used:.0f} s of processor time in this run", flush=True)
    return read_trained(path, "cascade")


def _train(options: TrainingOptions) -> Path:
    return train(prepare_training(options, CALLBACKS))
