"""Trains the network of the vocals on its examples: seeded, continued from the last checkpoint."""

from __future__ import annotations

import copy
import itertools
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from soundalike.models.separators.builtin.masks import FRAME, SAMPLE_RATE
from soundalike.models.separators.builtin.vocal_masks import VOCAL_BANDS, VOCAL_REACH, load_vocal_network
from training.checkpoint import average, mean_of_later, restore, save
from training.separator_network import exported
from training.separator_train import QUIET, SILENT
from training.vocal_network import VocalShares

CROPS, FRAMES = 8, 160
WARMUP, PEAK_RATE, DECAY = 300, 1.5e-3, 0.02
AVERAGED = 0.997
"""Of the weights of a snapshot, a running mean over about 330 steps."""
SNAPSHOT_EVERY = 2000
CORNERS = (200, 400, 800, 1600, 3200, 6400)  # Hz
VOICE, OTHERS, BY_GROUP, ABSENT, CERTAIN = 2.0, 0.2, 1.5, 0.2, 0.1
"""Weights of the losses."""
RISING = 3000
"""Steps in which the weight of what an absent voice gets rises: from the beginning it would teach silence and nothing else."""
OTHERS_BY_GROUP, MOST_CERTAIN = 0.4, 8.0


class Examples:
    """All examples of the shards that exist."""

    def __init__(self, work: Path) -> None:
        self._shards: list[dict[str, np.ndarray]] = []
        for path in sorted((work / "vocal-examples").glob("[0-9]*.npz")):
            with np.load(path) as shard:
                self._shards.append({name: shard[name] for name in shard.files})

    def crops(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs, power and real masks of the voice, of random stretches."""
        picked: dict[str, list[np.ndarray]] = {"inputs": [], "power": [], "shares": []}
        for _ in range(CROPS):
            shard = self._shards[int(rng.integers(len(self._shards)))]
            row = int(rng.integers(len(shard["power"])))
            start = int(rng.integers(0, shard["power"].shape[1] - FRAMES - 2 * VOCAL_REACH + 1))
            inner = slice(start + VOCAL_REACH, start + VOCAL_REACH + FRAMES)
            picked["inputs"].append(shard["inputs"][row, start : start + FRAMES + 2 * VOCAL_REACH])
            for name in ("power", "shares"):
                picked[name].append(shard[name][row, inner])
        inputs, power, shares = (torch.from_numpy(np.stack(rows).astype(np.float32)) for rows in picked.values())
        return inputs, power.exp(), shares


def objective(scores: Tensor, power: Tensor, shares: Tensor) -> dict[str, Tensor]:
    """Logarithms of the error over the energy of the voice and of everything else, as a whole and by groups of bands; what an
    absent voice gets; and how much scores exceed what is certain enough (a mask that is stuck at 0 learns nothing more)."""
    masks = torch.sigmoid(scores)
    power = power / power.sum(dim=(1, 2), keepdim=True).clamp_min(1e-6)
    error, voice, others = (power * part**2 for part in (masks - shares, shares, 1 - shares))
    wrong, sung, played = (part.sum(dim=(1, 2)) for part in (error, voice, others))
    has_voice, has_others = (sung > SILENT).float(), (played > SILENT).float()
    grouped = []
    for first, last in itertools.pairwise(_groups()):
        floor = QUIET * power[:, :, first:last].sum(dim=(1, 2)) + 1e-6
        inside = error[:, :, first:last].sum(dim=(1, 2)) + floor
        for there, energy in ((has_voice, voice), (OTHERS_BY_GROUP * has_others * has_voice, others)):
            grouped.append(there * torch.log(inside / (energy[:, :, first:last].sum(dim=(1, 2)) + floor)).clamp_max(2))
    leak = torch.log((wrong + SILENT / 3) / QUIET)
    return {
        "voice": _mean(torch.log((wrong + QUIET) / (sung + QUIET)), has_voice),
        "others": _mean(torch.log((wrong + QUIET) / (played + QUIET)), has_others),
        "groups": torch.stack(grouped).mean(),
        "absent": ((1 - has_voice) * leak).sum() / len(power),
        "certain": torch.relu(scores.abs() - MOST_CERTAIN).mean(),
    }


def _mean(values: Tensor, there: Tensor) -> Tensor:
    return (there * values).sum() / there.sum().clamp_min(1)


def _groups() -> tuple[int, ...]:
    bins = np.array(CORNERS) * FRAME / SAMPLE_RATE
    return (0, *(int(band) for band in np.searchsorted(VOCAL_BANDS.edges, bins)), VOCAL_BANDS.count)


def train(work: Path, steps: int, seed: int) -> None:
    """Train for `steps` steps and write `vocals.pt`; a checkpoint is continued."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = VocalShares()
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=DECAY)
    path = work / "vocals.pt"
    first = restore(path, network, averaged, optimiser)
    examples, started, means = Examples(work), time.monotonic(), {}
    for step in range(first, steps):
        rate = PEAK_RATE * min(1.0, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = rate
        inputs, *wanted = examples.crops(np.random.default_rng([seed, step]))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = network(inputs)
        losses = objective(scores.float(), *wanted)
        absent = ABSENT * min(1.0, step / RISING)
        total = VOICE * losses["voice"] + OTHERS * losses["others"] + BY_GROUP * losses["groups"]
        total = total + absent * losses["absent"] + CERTAIN * losses["certain"]
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        average(averaged, network, min(AVERAGED, step / (step + 50)))
        for name, value in losses.items():
            means[name] = 0.99 * means.get(name, float(value.detach())) + 0.01 * float(value.detach())
        if (step + 1) % 500 == 0 or step + 1 == steps:
            shown = {name: round(value, 3) for name, value in means.items()}
            print(json.dumps({"step": step + 1, "s": round(time.monotonic() - started), **shown}), flush=True)
            save(path, network, averaged, optimiser, step + 1)
        if (step + 1) % SNAPSHOT_EVERY == 0 or step + 1 == steps:
            torch.save(averaged.state_dict(), work / f"vocals-{step + 1:05}.pt")


def export(work: Path) -> None:
    """Write the mean of the snapshots `work/vocals-*.pt` of the second half of the training as float16 to `work/vocals.npz`."""
    out, network = work / "vocals.npz", VocalShares()
    network.load_state_dict(mean_of_later(work, "vocals"))
    weights = {name: value.astype(np.float16) for name, value in exported(network).items()}
    np.savez_compressed(out, **weights)
    load_vocal_network(out)
    print(f"{out}: {sum(value.size for value in weights.values())} parameters, {out.stat().st_size / 1e6:.2f} MB")
