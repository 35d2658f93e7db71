"""How long a training will take, and how much memory and disk: from a few steps of each stage."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch

from soundalike.research.baselines.training_loop import Run, Stage, train_step

TIMED_STEPS = 2
"""After one that warms up."""

_STATES = 4
"""The state has the network and two averages of Adam; the encoder's file has the network once more."""


@dataclass(frozen=True)
class TrainingEstimate:
    """seconds: of the whole training; memory: the most bytes in use during the steps (of the GPU, if there is one; 0:
    unknown); disk:
    bytes of the state and the encoder's file."""

    seconds: float
    memory: int
    disk: int


def estimate_training(run: Run, stages: Sequence[Stage]) -> TrainingEstimate:
    """Run a few steps of each kind of stage with `run.network`, which is changed by it.

    Stages of the same kind for other parts take as long.
    """
    seconds_of_kind: dict[str, float] = {}
    total = 0.0
    if run.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(run.device)
    for stage in stages:
        kind = _kind(stage)
        if kind not in seconds_of_kind:
            seconds_of_kind[kind] = _seconds_per_step(run, stage)
        total += stage.steps * seconds_of_kind[kind]
    values = sum(tensor.numel() * tensor.element_size() for tensor in run.network.state_dict().values())
    return TrainingEstimate(total, _memory(run.device), _STATES * values)


def _kind(stage: Stage) -> str:
    words = stage.name.split()
    return words[0] if words[0] in ("separator", "embedding") else " ".join(words[1:])


def _seconds_per_step(run: Run, stage: Stage) -> float:
    count = min(stage.steps, 1 + TIMED_STEPS)
    optimiser = stage.optimiser()
    ends = [time.perf_counter()]
    for _, batch in run.batches(replace(stage, steps=count), 0):
        train_step(stage, run.network, optimiser, batch, run.device)
        ends.append(time.perf_counter())  # from one to the next: what loading takes longer than computing counts too
    durations = [after - before for before, after in pairwise(ends)]
    return float(np.mean(durations[1:] or durations))


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
