"""Trains the separator's network on the examples: seeded, continued from the last checkpoint.

Several processes can share the work: each takes its own crops, and their gradients are averaged.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed, multiprocessing, nn

from soundalike.models.separators.builtin.learned_masks import MASK_EDGES, NETWORK_REACH, MaskNetwork
from soundalike.models.separators.builtin.masks import FRAME, SAMPLE_RATE
from training.fitting import Schedule, export_mean, fit
from training.separator_network import Masks, log_masks

CROPS, FRAMES = 8, 160
"""Crops of each process in one step, and their length."""
SCHEDULE = Schedule(warmup=80, peak_rate=2.5e-3, weight_decay=0.02, averaged=0.996, snapshot_every=3000)
READ_EVERY = 50
CORNERS = (80, 160, 280, 520, 1100, 2500, 6200)  # Hz
WHOLE, BY_GROUP, SILENCE, BY_MOMENT = 1.0, 1.0, 0.3, 1.0
MOMENT, LOUD, LEAST_MOMENT = 16, 0.01, 1e-5
"""Frames of a moment, a quarter of a second; errors in the drums 20 dB below what sounds in it count little, as do those
50 dB below the mixture."""
LESS_LEAK = 0.4
"""Weight of what the drums get in a moment without them, so that it is cheaper to keep a doubtful hit than to lose it."""
QUIET = 1e-3
"""Errors 30 dB below the mixture count little."""
SILENT = 1e-4
"""A part 40 dB below the mixture is absent, as for the level gate."""


class Examples:
    """All examples of the shards that exist; more are read as they are made."""

    def __init__(self, work: Path) -> None:
        self._folder = work / "examples"
        self._shards: dict[str, dict[str, np.ndarray]] = {}
        self.read()

    def read(self) -> None:
        """Read the shards that are new."""
        for path in sorted(self._folder.glob("[0-9]*.npz")):
            if path.name not in self._shards:
                with np.load(path) as shard:
                    self._shards[path.name] = {name: shard[name] for name in shard.files}

    def crops(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Inputs, power and real masks (bass, drums, residuals) of random stretches, and which are undivided."""
        names = sorted(self._shards)
        picked: dict[str, list[np.ndarray]] = {"inputs": [], "power": [], "shares": [], "undivided": []}
        for _ in range(CROPS):
            shard = self._shards[names[int(rng.integers(len(names)))]]
            row = int(rng.integers(len(shard["undivided"])))
            start = int(rng.integers(shard["power"].shape[1] - FRAMES + 1))
            picked["inputs"].append(shard["inputs"][row, start : start + FRAMES + 2 * NETWORK_REACH])
            for name in ("power", "shares"):
                picked[name].append(shard[name][row, start : start + FRAMES])
            picked["undivided"].append(shard["undivided"][row])
        inputs, power, two = (
            torch.from_numpy(np.stack(picked[name]).astype(np.float32)) for name in ("inputs", "power", "shares")
        )
        shares = torch.cat([two, 1 - two.sum(dim=2, keepdim=True)], dim=2)
        return inputs, power.exp(), shares, torch.from_numpy(np.stack(picked["undivided"]))


def objective(scores: Tensor, power: Tensor, shares: Tensor, undivided: Tensor) -> dict[str, Tensor]:
    """Logarithms of the error over the energy of each part, as a whole, by groups of bands, and where a part is silent; and
    of the drums by moments and groups of bands, so that one hit of few counts as much there as one of a beat.

    The energy of a part is taken for what its best real mask gives, so that a loss of 0 is that of silence. undivided (N,):
    examples in which bass and residuals count as one.
    """
    masks = torch.softmax(scores, dim=2)
    together = torch.stack([masks[:, :, 0] + masks[:, :, 2], masks[:, :, 1], torch.zeros_like(masks[:, :, 2])], dim=2)
    masks = torch.where(undivided[:, None, None, None], together, masks)
    power = power / power.sum(dim=(1, 2), keepdim=True).clamp_min(1e-6)
    errors, energies = power[:, :, None] * (masks - shares) ** 2, power[:, :, None] * shares**2
    error, energy = errors.sum(dim=1), energies.sum(dim=1)
    mixture = power.sum(dim=1)[:, None]
    whole_error, whole_energy = error.sum(dim=2), energy.sum(dim=2)
    there = (whole_energy > SILENT).float()
    ratio = torch.log((whole_error + QUIET) / (whole_energy + QUIET))
    leak = torch.log((whole_error + SILENT / 3) / QUIET)
    grouped, moments = [], []
    for first, last in itertools.pairwise(_groups()):
        here = [_by_moment(one[:, :, first:last]) for one in (errors[:, :, 1], energies[:, :, 1], power)]
        least = LOUD * here[2] + LEAST_MOMENT
        sounding = torch.where(here[1] > 3 * least, 1.0, LESS_LEAK)
        moments.append(sounding * torch.log((here[0] + least) / (here[1] + least)).clamp_max(2))
        floor = QUIET * mixture[:, :, first:last].sum(dim=2) + 1e-6
        wrong, right = error[:, :, first:last].sum(dim=2), energy[:, :, first:last].sum(dim=2)
        grouped.append(torch.log((wrong + floor) / (right + floor)))
    return {
        "whole": (there * ratio).sum() / there.sum().clamp_min(1),
        "groups": (there[..., None] * torch.stack(grouped, dim=-1).clamp_max(2)).mean(),
        "moments": torch.stack(moments).mean(),
        "silence": ((1 - there) * leak).sum() / there.numel() * 6,
        **{
            name: (there * ratio)[:, i].sum() / there[:, i].sum().clamp_min(1)
            for i, name in ((0, "bass"), (1, "drums"))
        },
    }


def _by_moment(values: Tensor) -> Tensor:
    """Sums (N, moments) of (N, frames, bands)."""
    return values.sum(dim=2).unfold(1, MOMENT, MOMENT).sum(dim=2)


def _groups() -> tuple[int, ...]:
    """First band of each group of bands, then their number."""
    bins = np.array(CORNERS) * FRAME / SAMPLE_RATE
    return (0, *(int(i) for i in np.searchsorted(MASK_EDGES, bins)), len(MASK_EDGES) - 1)


def train(work: Path, steps: int, seed: int, processes: int) -> None:
    """Train for `steps` steps and write `separator.pt`; a checkpoint is continued."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = (processes, Path(folder) / "meeting", work, steps, seed)
        multiprocessing.spawn(_train, arguments, nprocs=processes)


def _train(rank: int, processes: int, meeting: Path, work: Path, steps: int, seed: int) -> None:
    """What each process does; that of rank 0 also reports and writes the checkpoints."""
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes)
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network, examples = Masks(), Examples(work)

    def gradients_at(step: int) -> dict[str, Tensor]:
        if step % READ_EVERY == 0:
            examples.read()
        inputs, *wanted = examples.crops(np.random.default_rng([seed, step, rank]))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            corrections = network(inputs)
        losses = objective(log_masks(corrections.float(), inputs), *wanted)
        total = WHOLE * losses["whole"] + BY_GROUP * losses["groups"] + SILENCE * losses["silence"]
        total = total + BY_MOMENT * losses["moments"]
        total.backward()
        _average_gradients(network, processes)
        return losses

    fit(work / "separator.pt", network, SCHEDULE, steps, gradients_at, quiet=rank > 0)


def _average_gradients(network: nn.Module, processes: int) -> None:
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= processes
    for gradient, mean in zip(gradients, flat.split([one.numel() for one in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def export(work: Path) -> None:
    """Write the mean of the snapshots `work/separator-*.pt` of the second half of the training to `work/separator.npz`."""
    export_mean(work / "separator.pt", Masks(), MaskNetwork)
