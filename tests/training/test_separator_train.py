"""The loss of the separator's network: what a lost hit costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from soundalike.models.separators.builtin.learned_masks import INPUTS, MASK_BANDS, NETWORK_REACH
from training.separator_network import Masks, log_masks
from training.separator_train import (
    BY_GROUP,
    BY_MOMENT,
    FRAMES,
    MOMENT,
    SILENCE,
    WHOLE,
    Examples,
    export,
    objective,
    train,
)

pytestmark = pytest.mark.neural

HITS = range(0, FRAMES, 2 * MOMENT)


def losses(heard: range, hits: range = HITS) -> dict[str, float]:
    """Those of masks that give the drums the hits that are `heard` of a mixture in which there are more."""
    power = torch.full((1, FRAMES, MASK_BANDS), 0.1)
    shares, scores = torch.zeros(1, FRAMES, 3, MASK_BANDS), torch.zeros(1, FRAMES, 3, MASK_BANDS)
    shares[:, :, 2] = 1
    scores[:, :, 2] = 6
    for hit in hits:
        frames = slice(hit, hit + MOMENT)
        power[:, frames] = 1
        shares[:, frames, 1:] = torch.tensor([1.0, 0.0])[:, None]
        if hit in heard:
            scores[:, frames, 1:] = torch.tensor([6.0, 0.0])[:, None]
    found = objective(scores, power, shares, torch.zeros(1, dtype=torch.bool))
    return {name: float(value) for name, value in found.items()}


def test_each_lost_hit_costs_the_same_by_moments_whether_there_are_few_or_many() -> None:
    many = [losses(range(0, FRAMES - MOMENT * 2 * lost, 2 * MOMENT))["moments"] for lost in range(3)]
    assert many[1] - many[0] == pytest.approx(many[2] - many[1], rel=0.05)
    alone = range(0, MOMENT, MOMENT)
    one = losses(range(0), alone)["moments"] - losses(alone, alone)["moments"]
    assert one == pytest.approx(many[1] - many[0], rel=0.05)
    assert one > 0.1


def test_what_drums_get_where_there_are_none_costs_less_than_a_hit() -> None:
    none, heard = range(0), range(0, MOMENT, MOMENT)
    invented = losses(heard, none)
    assert np.isfinite(list(invented.values())).all()
    assert invented["moments"] == pytest.approx(losses(none, none)["moments"], abs=1e-3)


def test_the_mean_of_the_later_snapshots_is_exported(tmp_path: Path) -> None:
    for step, value in ((4000, 9.0), (6000, 1.0), (10000, 2.0)):
        network = Masks()
        for weights in network.parameters():
            torch.nn.init.constant_(weights, value)
        torch.save(network.state_dict(), tmp_path / f"separator-{step:05}.pt")
    export(tmp_path)
    with np.load(tmp_path / "separator.npz") as stored:
        assert {float(stored[name].max()) for name in stored.files} == {1.5}


def test_two_processes_train_on_the_mean_of_the_gradients_of_their_crops(tmp_path: Path) -> None:
    """As AdamW keeps it after the first step, of which nothing is clipped: a tenth."""
    rng = np.random.default_rng(0)
    rows = {
        "inputs": rng.random((2, FRAMES + 8 + 2 * NETWORK_REACH, INPUTS)),
        "power": np.log(rng.random((2, FRAMES + 8, MASK_BANDS))),
        "shares": rng.random((2, FRAMES + 8, 2, MASK_BANDS)) / 2,
    }
    (tmp_path / "examples").mkdir()
    shard = {name: row.astype(np.float16) for name, row in rows.items()}
    np.savez(tmp_path / "examples" / "000.npz", undivided=np.zeros(2, bool), **shard)
    train(tmp_path, 1, 1, 2)
    state = torch.load(tmp_path / "separator.pt", weights_only=True)
    assert state["step"] == 1
    torch.manual_seed(1)
    network, examples, gradients = Masks(), Examples(tmp_path), []
    for process in range(2):
        inputs, *wanted = examples.crops(np.random.default_rng([1, 0, process]))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            corrections = network(inputs)
        found = objective(log_masks(corrections.float(), inputs), *wanted)
        total = WHOLE * found["whole"] + BY_GROUP * found["groups"] + SILENCE * found["silence"]
        network.zero_grad()
        (total + BY_MOMENT * found["moments"]).backward()
        gradients.append(torch.cat([weights.grad.flatten() for weights in network.parameters()]))
    momentum = torch.cat([of["exp_avg"].flatten() for of in state["optimiser"]["state"].values()])
    torch.testing.assert_close(momentum, 0.1 * torch.stack(gradients).mean(dim=0), rtol=0, atol=1e-6)
    assert float((momentum - 0.1 * gradients[0]).abs().max()) > 1e-5
