"""The network of the vocals: with NumPy what the trained network gives with torch; what its loss asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from soundalike.models.separators.builtin.vocal_masks import (
    VOCAL_BANDS,
    VOCAL_INPUTS,
    VOCAL_REACH,
    load_vocal_network,
)
from training.separator_network import exported
from training.vocal_network import VocalShares
from training.vocal_train import FRAMES, SCHEDULE, export, objective, train

pytestmark = pytest.mark.neural


def test_numpy_computes_what_torch_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = VocalShares()
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    np.savez(tmp_path / "weights.npz", **exported(network))
    inputs = torch.rand(1, 2 * VOCAL_REACH + 20, VOCAL_INPUTS)
    with torch.no_grad():
        expected = network(inputs)[0].numpy()
    np.testing.assert_allclose(load_vocal_network(tmp_path / "weights.npz")(inputs[0].numpy()), expected, atol=1e-4)


def test_the_true_share_costs_least() -> None:
    """Less than silence, than everything, and than the share of the rest."""
    torch.manual_seed(0)
    shares = torch.sigmoid(2 * torch.randn(2, 40, VOCAL_BANDS.count))
    power = torch.rand(2, 40, VOCAL_BANDS.count)
    right = torch.logit(shares)
    found = {
        name: objective(scores, power, shares)
        for name, scores in {
            "right": right,
            "none": torch.full_like(right, -20),
            "all": torch.full_like(right, 20),
            "rest": -right,
        }.items()
    }
    for loss in ("voice", "others", "groups"):
        assert min(found, key=lambda name: float(found[name][loss])) == "right"
    assert float(found["none"]["voice"]) == pytest.approx(0, abs=1e-3)
    assert float(found["right"]["certain"]) < 0.01 < float(found["none"]["certain"])


def test_an_absent_voice_costs_what_it_gets() -> None:
    power, shares = torch.rand(1, 40, VOCAL_BANDS.count), torch.zeros(1, 40, VOCAL_BANDS.count)
    quiet, loud = (float(objective(torch.full_like(shares, score), power, shares)["absent"]) for score in (-8.0, 0.0))
    assert quiet < loud
    assert float(objective(torch.zeros_like(shares), power, shares)["voice"]) == 0


def test_a_training_is_continued_and_the_later_snapshots_are_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.vocal_train.SCHEDULE", replace(SCHEDULE, snapshot_every=1))
    (tmp_path / "vocal-examples").mkdir()
    rng = np.random.default_rng(0)
    frames = FRAMES + 2 * VOCAL_REACH
    rows = {
        "inputs": rng.random((2, frames, VOCAL_INPUTS)),
        "power": np.log(rng.random((2, frames, VOCAL_BANDS.count))),
        "shares": rng.random((2, frames, VOCAL_BANDS.count)),
    }
    np.savez(tmp_path / "vocal-examples" / "000.npz", **{name: row.astype(np.float16) for name, row in rows.items()})
    train(tmp_path, 1, 1)
    train(tmp_path, 2, 1)
    state = torch.load(tmp_path / "vocals.pt", weights_only=True)
    assert state["step"] == 2
    export(tmp_path)
    last = torch.load(tmp_path / "vocals-00002.pt", weights_only=True)["first.bias"].numpy()
    with np.load(tmp_path / "vocals.npz") as stored:
        np.testing.assert_allclose(stored["first.bias"], last, atol=1e-3)
