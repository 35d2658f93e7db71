"""State of a training, saved now and then, so that the same command continues it; and the running mean of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

Parts = Mapping[str, nn.Module | torch.optim.Optimizer]
"""What has a state, by the names that it has in the checkpoint."""


def restore(path: Path, parts: Parts) -> int:
    """The step from which the training goes on; the state of the parts is loaded if there is one."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])


def save(path: Path, parts: Parts, step: int) -> None:
    """Replace the state in one step."""
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**state, "step": step}, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    """Move the running mean by 1 - `keep` towards the present weights."""
    with torch.no_grad():
        for mean, value in zip(averaged.parameters(), network.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)


def mean_of_later(path: Path) -> dict[str, torch.Tensor]:
    """The mean of the snapshots NAME-STEP.pt, beside the checkpoint NAME.pt, of the second half of a training."""
    snapshots = {int(found.stem.rpartition("-")[2]): found for found in path.parent.glob(f"{path.stem}-*.pt")}
    later = [step for step in sorted(snapshots) if 2 * step > max(snapshots)]
    found = [torch.load(snapshots[step], weights_only=True) for step in later]
    return {key: torch.stack([one[key] for one in found]).mean(dim=0) for key in found[0]}
