"""State of a training, saved now and then, so that the same command continues it; and the running mean of its weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn


def restore(path: Path, network: nn.Module, averaged: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """The step from which the training goes on; its state is loaded if there is one."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    averaged.load_state_dict(state["averaged"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def save(path: Path, network: nn.Module, averaged: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Replace the state in one step."""
    state = {
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
    }
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    """Move the running mean by 1 - `keep` towards the present weights."""
    with torch.no_grad():
        for mean, value in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)


def mean_of_later(work: Path, name: str) -> dict[str, torch.Tensor]:
    """The mean of the snapshots `work/NAME-STEP.pt` of the second half of a training."""
    snapshots = {int(path.stem.rpartition("-")[2]): path for path in work.glob(f"{name}-*.pt")}
    later = [step for step in sorted(snapshots) if 2 * step > max(snapshots)]
    found = [torch.load(snapshots[step], weights_only=True) for step in later]
    return {key: torch.stack([one[key] for one in found]).mean(dim=0) for key in found[0]}
