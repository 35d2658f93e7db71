"""Trained networks with random weights, narrow and on short clips."""

from __future__ import annotations

from pathlib import Path

import torch

from soundalike.config import Runtime
from soundalike.models.encoders.trained.trained_encoder import TrainedEncoder
from soundalike.models.encoders.trained.trained_file import SYSTEMS, Architecture, read_trained, write_trained

WIDTH = 1 / 16


def narrow_architecture(name: str, clip: float = 2.0) -> Architecture:
    """As `soundalike train` would make it with a small --width and --clip."""
    system = SYSTEMS[name.removesuffix("-paft")]
    return Architecture(system.name, system.parts, WIDTH, clip, clip * system.hop / system.clip)


def write_narrow_trained(path: Path, name: str, seed: int = 0, tuned: frozenset[str] = frozenset()) -> Architecture:
    """Write random weights that distinguish sounds: running averages are those of the first batches."""
    torch.manual_seed(seed)
    architecture = narrow_architecture(name)
    network = architecture.build().train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(4, 44_100))
    write_trained(path, architecture, network, {"seed": seed}, tuned)
    return architecture


def narrow_trained(folder: Path, name: str, runtime: Runtime) -> TrainedEncoder:
    """The encoder of such a file in `folder`."""
    write_narrow_trained(folder / f"{name}.pt", name)
    return TrainedEncoder(name, read_trained(folder / f"{name}.pt", name), runtime)
