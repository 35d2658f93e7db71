"""Trains the network of the vocals on its examples: seeded, continued from the last checkpoint."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from soundalike.models.separators.builtin.masks import FRAME, SAMPLE_RATE
from soundalike.models.separators.builtin.vocal_masks import VOCAL_BANDS, VOCAL_REACH, load_vocal_network
from training.fitting import Schedule, export_mean, fit
from training.separator_train import QUIET, SILENT
from training.vocal_network import VocalShares

CROPS, FRAMES = 8, 160
SCHEDULE = Schedule(warmup=300, peak_rate=1.5e-3, weight_decay=0.02, averaged=0.997, snapshot_every=2000)
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
    network, examples = VocalShares(), Examples(work)

    def gradients_at(step: int) -> dict[str, Tensor]:
        inputs, *wanted = examples.crops(np.random.default_rng([seed, step]))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = network(inputs)
        losses = objective(scores.float(), *wanted)
        absent = ABSENT * min(1.0, step / RISING)
        total = VOICE * losses["voice"] + OTHERS * losses["others"] + BY_GROUP * losses["groups"]
        total = total + absent * losses["absent"] + CERTAIN * losses["certain"]
        total.backward()
        return losses

    fit(work / "vocals.pt", network, SCHEDULE, steps, gradients_at)


def export(work: Path) -> None:
    """Write the mean of the snapshots `work/vocals-*.pt` of the second half of the training to `work/vocals.npz`."""
    export_mean(work / "vocals.pt", VocalShares(), load_vocal_network)
