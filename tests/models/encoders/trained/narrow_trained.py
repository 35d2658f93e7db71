"""Trained networks with random weights, narrow and on short clips."""

from __future__ import annotations

from pathlib import Path

import torch

from soundalike.config import Runtime
from soundalike.models.encoders.trained.embedding_network import EmbeddingNetwork
from soundalike.models.encoders.trained.trained_encoder import TrainedEncoder
from soundalike.models.encoders.trained.trained_file import SYSTEMS, Architecture, read_trained, write_trained

WIDTH = 1 / 16
RATE = 44_100


def narrow_architecture(name: str, clip: float = 2.0) -> Architecture:
    """As `soundalike train` would make it with a small --width and --clip."""
    system = SYSTEMS[name.removesuffix("-paft")]
    return Architecture(system.name, system.parts, WIDTH, clip, clip * system.hop / system.clip)


def write_narrow_trained(path: Path, name: str, seed: int = 0, tuned: frozenset[str] = frozenset()) -> Architecture:
    """Write random weights that distinguish sounds: vectors of noise, tones and clicks have a mean of zero."""
    torch.manual_seed(seed)
    architecture = narrow_architecture(name)
    network = architecture.build()
    embeddings = [module for module in network.modules() if isinstance(module, EmbeddingNetwork)]
    with torch.no_grad():
        for _ in range(5):
            network.train()(_sounds())  # sets the running averages
        for embedding in embeddings:
            hook = embedding.register_forward_hook(_centre)
            network.eval()(_sounds())
            hook.remove()
    write_trained(path, architecture, network, {"seed": seed}, tuned)
    return architecture


def _centre(embedding: EmbeddingNetwork, inputs: object, rows: torch.Tensor) -> None:
    embedding.linear.bias -= rows.mean(0)


def _sounds() -> torch.Tensor:
    """Mixtures (4, samples) that differ much."""
    time = torch.arange(RATE) / RATE
    noise = 0.1 * torch.randn(RATE)
    clicks = torch.zeros(RATE)
    clicks[:: RATE // 4] = 1.0
    return torch.stack((noise, torch.sin(2 * torch.pi * 330 * time) * (-3 * time).exp(), clicks, noise.cumsum(0) / 30))


def narrow_trained(folder: Path, name: str, runtime: Runtime) -> TrainedEncoder:
    """The encoder of such a file in `folder`."""
    write_narrow_trained(folder / f"{name}.pt", name)
    return TrainedEncoder(name, read_trained(folder / f"{name}.pt", name), runtime)
