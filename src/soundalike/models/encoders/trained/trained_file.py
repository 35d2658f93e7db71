"""Files of trained networks: what was trained, how, and its weights; no code.

`soundalike train` writes them to `trained_path`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from soundalike.config import replacing
from soundalike.errors import CheckpointError
from soundalike.models.encoders.trained import cascade_network, dcsn_network
from soundalike.models.encoders.trained.cascade_network import Cascade
from soundalike.models.encoders.trained.dcsn_network import Dcsn
from soundalike.models.neural.loading import load_into, read_weights

FORMAT = 1


@dataclass(frozen=True)
class System:
    """A kind of network that can be trained.

    build: from parts and width; parts: those of the paper; clip, hop: seconds of its inputs, and from one to the next.
    """

    name: str
    build: Callable[[tuple[str, ...], float], nn.Module]
    parts: tuple[str, ...]
    clip: float
    hop: float


SYSTEMS: dict[str, System] = {
    "dcsn": System("dcsn", Dcsn, dcsn_network.PARTS, dcsn_network.CLIP_SECONDS, dcsn_network.HOP_SECONDS),
    "cascade": System(
        "cascade", Cascade, cascade_network.PARTS, cascade_network.CLIP_SECONDS, cascade_network.CLIP_SECONDS
    ),
}


@dataclass(frozen=True)
class Architecture:
    """What determines the network, apart from its weights. clip, hop: seconds, as trained.

    Raises ValueError for values that no network can have.
    """

    system: str
    parts: tuple[str, ...]
    width: float
    clip: float
    hop: float

    def __post_init__(self) -> None:
        known = SYSTEMS.get(self.system)
        if known is None or not self.parts or not set(self.parts) <= set(dcsn_network.PARTS):
            raise ValueError(f"no system {self.system!r} with the parts {self.parts}")
        if not (0 < self.width <= 4 and 0.5 <= self.clip <= 60 and 0.1 <= self.hop <= self.clip):
            raise ValueError(f"width {self.width}, clip {self.clip} and hop {self.hop} are out of range")

    def build(self) -> nn.Module:
        """The network with initial weights."""
        return SYSTEMS[self.system].build(self.parts, self.width)


@dataclass(frozen=True)
class TrainedNetwork:
    """A network in evaluation mode. provenance: how it was trained, JSON-ready; tuned_tracks: the tracks whose answers of
    listeners it was tuned to, on which it must not be evaluated; digest: 16 hex digits of its file."""

    architecture: Architecture
    network: nn.Module
    provenance: Mapping[str, Any]
    tuned_tracks: frozenset[str] = field(default_factory=frozenset)
    digest: str = ""


def write_trained(
    path: Path,
    architecture: Architecture,
    network: nn.Module,
    provenance: Mapping[str, Any],
    tuned_tracks: frozenset[str] = frozenset(),
) -> None:
    """Write a trained network to `path` in one step. Raises OSError."""
    facts = {
        "format": FORMAT,
        "system": architecture.system,
        "parts": list(architecture.parts),
        "width": architecture.width,
        "clip": architecture.clip,
        "hop": architecture.hop,
        "tuned_tracks": sorted(tuned_tracks),
        "provenance": dict(provenance),
    }
    weights = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        torch.save({"facts": json.dumps(facts), "weights": weights}, temporary)


def read_trained(path: Path, name: str) -> TrainedNetwork:
    """The trained network in the file at `path`. Raises CheckpointError if it is missing, damaged or of another kind."""
    if not path.is_file():
        raise CheckpointError(
            f"there is no trained {name} at {path}; nobody publishes its weights: train it with `soundalike train {name} "
            "--slakh FOLDER` (docs/training.md)"
        )
    contents = read_weights(path)
    try:
        facts = json.loads(contents["facts"])
        if facts["format"] != FORMAT:
            raise CheckpointError(
                f"{path} has the format {facts['format']}, this version reads {FORMAT}; train it again"
            )
        architecture = Architecture(
            str(facts["system"]),
            tuple(map(str, facts["parts"])),
            float(facts["width"]),
            float(facts["clip"]),
            float(facts["hop"]),
        )
        network = architecture.build()
        weights, tuned, provenance = contents["weights"], frozenset(facts["tuned_tracks"]), dict(facts["provenance"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} was not written by `soundalike train`; train {name} again") from error
    load_into(network, weights, path, name)
    digest = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
    return TrainedNetwork(architecture, network, provenance, tuned, digest)
