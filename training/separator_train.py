"""Trains the separator's network on the examples: seeded, continued from the last checkpoint."""

from __future__ import annotations

import itertools
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from soundalike.models.separators.builtin.masks import BANDS
from training.separator_masks import NETWORK_REACH, MaskNetwork
from training.separator_network import Masks, exported, known_shares

CROPS, FRAMES = 8, 192
WARMUP, PEAK_RATE, DECAY = 30, 3e-3, 0.01
CHECKPOINT_EVERY = 50
GROUPS = (0, 5, 10, 18, 25, 32, 39, 46, BANDS)  # up to 80, 160, 280, 520, 1100, 2500, 6200, 16000 Hz
WHOLE, BY_GROUP, SILENCE = 1.0, 0.5, 0.3
QUIET = 1e-3
"""Errors 30 dB below the mixture count little."""


class Examples:
    """All examples of the shards that exist."""

    def __init__(self, work: Path) -> None:
        shards = [np.load(path) for path in sorted((work / "examples").glob("[0-9]*.npz"))]
        self.inputs, self.power, self.shares = (
            np.concatenate([shard[name] for shard in shards]) for name in ("inputs", "power", "shares")
        )
        self.undivided = np.concatenate([shard["undivided"] for shard in shards])

    def crops(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Inputs, power and real masks (bass, drums, residuals) of random stretches, and which are undivided."""
        rows = rng.integers(len(self.inputs), size=CROPS)
        starts = rng.integers(self.power.shape[1] - FRAMES + 1, size=CROPS)
        inputs = np.stack(
            [self.inputs[r, s : s + FRAMES + 2 * NETWORK_REACH] for r, s in zip(rows, starts, strict=True)]
        )
        power = np.stack([self.power[r, s : s + FRAMES] for r, s in zip(rows, starts, strict=True)])
        shares = np.stack([self.shares[r, s : s + FRAMES] for r, s in zip(rows, starts, strict=True)])
        two = torch.from_numpy(shares.astype(np.float32))
        shares_of_all = torch.cat([two, 1 - two.sum(dim=2, keepdim=True)], dim=2)
        return (
            torch.from_numpy(inputs.astype(np.float32)),
            torch.from_numpy(power.astype(np.float32)).exp(),
            shares_of_all,
            torch.from_numpy(self.undivided[rows]),
        )


def objective(scores: Tensor, power: Tensor, shares: Tensor, undivided: Tensor) -> dict[str, Tensor]:
    """Logarithms of the error over the energy of each part, as a whole, by groups of bands, and where a part is silent.

    The energy of a part is taken for what its best real mask gives, so that a loss of 0 is that of silence. undivided (N,):
    examples in which bass and residuals count as one.
    """
    masks = torch.softmax(scores, dim=2)
    together = torch.stack([masks[:, :, 0] + masks[:, :, 2], masks[:, :, 1], torch.zeros_like(masks[:, :, 2])], dim=2)
    masks = torch.where(undivided[:, None, None, None], together, masks)
    power = power / power.sum(dim=(1, 2), keepdim=True)
    error = (power[:, :, None] * (masks - shares) ** 2).sum(dim=1)
    energy = (power[:, :, None] * shares**2).sum(dim=1)
    mixture = power.sum(dim=1)[:, None]
    floor = QUIET * mixture.sum(dim=2)
    ratio = torch.log((error.sum(dim=2) + floor) / (energy.sum(dim=2) + floor))
    there = (energy.sum(dim=2) > 2 * floor).float()
    grouped = [
        torch.log(
            (error[:, :, first:last].sum(dim=2) + QUIET * mixture[:, :, first:last].sum(dim=2) + 1e-6)
            / (energy[:, :, first:last].sum(dim=2) + QUIET * mixture[:, :, first:last].sum(dim=2) + 1e-6)
        )
        for first, last in itertools.pairwise(GROUPS)
    ]
    return {
        "whole": (there * ratio).sum() / there.sum(),
        "groups": (there[..., None] * torch.stack(grouped, dim=-1).clamp_max(2)).mean(),
        "silence": ((1 - there) * ratio).sum() / (1 - there).sum().clamp_min(1),
    }


def train(work: Path, steps: int, seed: int) -> None:
    """Train for `steps` steps and write `separator.pt`; a checkpoint is continued."""
    torch.manual_seed(seed)
    network = Masks()
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
    path, first = work / "separator.pt", 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        first = int(state["step"])
    examples = Examples(work)
    print(f"step {first} of {steps}, {len(examples.inputs)} examples", flush=True)
    started, sums = time.monotonic(), {}
    for step in range(first, steps):
        rate = PEAK_RATE * min(1.0, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = rate
        inputs, *wanted = examples.crops(np.random.default_rng([seed, step]))
        losses = objective(network(inputs), *wanted)
        total = WHOLE * losses["whole"] + BY_GROUP * losses["groups"] + SILENCE * losses["silence"]
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            before = objective(torch.log(known_shares(inputs)[:, NETWORK_REACH:-NETWORK_REACH] + 1e-9), *wanted)
        now = {
            **{k: float(v.detach()) for k, v in losses.items()},
            **{f"{k} of the built-in masks": float(v) for k, v in before.items()},
        }
        sums = {name: 0.97 * sums.get(name, value) + 0.03 * value for name, value in now.items()}
        if (step + 1) % 25 == 0:
            shown = {name: round(value, 3) for name, value in sums.items()}
            print(json.dumps({"step": step + 1, "s": round(time.monotonic() - started), **shown}), flush=True)
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == steps:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}
            torch.save(state, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)


def export(work: Path) -> None:
    """Write the weights of `work/separator.pt` as float16 to `work/separator.npz`."""
    out = work / "separator.npz"
    network = Masks()
    network.load_state_dict(torch.load(work / "separator.pt", weights_only=True)["network"])
    weights = {name: value.astype(np.float16) for name, value in exported(network).items()}
    np.savez(out, **weights)
    MaskNetwork(out)
    print(f"{out}: {sum(value.size for value in weights.values())} parameters, {out.stat().st_size / 1e6:.2f} MB")
