"""How the networks of the separator are trained and exported: all but their examples and losses."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.checkpoint import average, mean_of_later, restore, save
from training.separator_network import Dilated, exported

REPORT_EVERY, CHECKPOINT_EVERY = 50, 200


@dataclass(frozen=True)
class Schedule:
    """What AdamW gets, and when the weights are averaged.

    warmup: steps in which the learning rate rises to peak_rate; averaged: the weights of a snapshot are a running mean over
    about 1 / (1 - averaged) steps; snapshot_every: steps between snapshots, whose mean is exported: it does better on other
    music than the last of them.
    """

    warmup: int
    peak_rate: float
    weight_decay: float
    averaged: float
    snapshot_every: int


def rate_at(step: int, steps: int, warmup: int, peak_rate: float) -> float:
    """The learning rate: half a cosine from `peak_rate` to 0 over all steps, times a linear rise in the first `warmup`."""
    return peak_rate * min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * step / steps))


def fit(
    path: Path,
    network: nn.Module,
    schedule: Schedule,
    steps: int,
    gradients_at: Callable[[int], dict[str, Tensor]],
    *,
    quiet: bool = False,
) -> None:
    """Train for `steps` steps and write the checkpoint `path`, which is continued, and snapshots NAME-STEP.pt beside it.

    gradients_at(step): computes the gradients of the network and returns the losses to report; it depends on the step and
    the weights only, so that a training that was interrupted ends with equal weights. quiet: report and write nothing.
    """
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=schedule.peak_rate, weight_decay=schedule.weight_decay)
    parts = {"network": network, "averaged": averaged, "optimiser": optimiser}
    started = time.monotonic()
    means: dict[str, float] = {}
    for step in range(restore(path, parts), steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, steps, schedule.warmup, schedule.peak_rate)
        optimiser.zero_grad(set_to_none=True)
        losses = gradients_at(step)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average(averaged, network, min(schedule.averaged, step / (step + 50)))
        if quiet:
            continue
        done, last = step + 1, step + 1 == steps
        for name, value in losses.items():
            means[name] = 0.98 * means.get(name, float(value.detach())) + 0.02 * float(value.detach())
        if done % REPORT_EVERY == 0 or last:
            shown = {name: round(value, 3) for name, value in means.items()}
            print(json.dumps({"step": done, "s": round(time.monotonic() - started), **shown}), flush=True)
        if done % CHECKPOINT_EVERY == 0 or last:
            save(path, parts, done)
        if done % schedule.snapshot_every == 0 or last:
            torch.save(averaged.state_dict(), path.with_name(f"{path.stem}-{done:05}.pt"))


def export_mean(path: Path, network: Dilated, load: Callable[[Path], object]) -> None:
    """Write the mean of the snapshots of the second half of the training of `path` as float16 to the .npz beside it.

    load: reads the file, and raises an error if it cannot be used.
    """
    out = path.with_suffix(".npz")
    network.load_state_dict(mean_of_later(path))
    weights = {name: value.astype(np.float16) for name, value in exported(network).items()}
    np.savez_compressed(out, **weights)
    load(out)
    print(f"{out}: {sum(value.size for value in weights.values())} parameters, {out.stat().st_size / 1e6:.2f} MB")
