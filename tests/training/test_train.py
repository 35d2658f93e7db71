"""The training of the built-in encoder's network: that an interruption changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor
from torch.nn import functional

from training.network import HELPING
from training.train import LOOPS_EVERY, train

pytestmark = pytest.mark.neural


class RandomPairs:
    """In place of `Pairs`: noise, two sounds of each kin; step `stop` is interrupted."""

    stop: int | None = None

    def __init__(self, work: Path) -> None:
        self.rows = np.empty((0, 9), np.int32)

    def take_up(self, step: int) -> None:
        if step == self.stop:
            raise KeyboardInterrupt

    def batch(self, rng: np.random.Generator, loop: int) -> tuple[Tensor, ...]:
        clean, mixed = torch.from_numpy(rng.random((2, 6, 1, 24 if loop else 16, 64)).astype(np.float32))
        target = torch.from_numpy(rng.normal(size=(6, HELPING["target"])).astype(np.float32))
        kin, classes = torch.arange(6) // 2, torch.from_numpy(rng.integers(-1, 3, 6))
        return clean, mixed, functional.normalize(target, dim=1), kin, kin, classes


def test_an_interrupted_training_ends_with_equal_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.train.Pairs", RandomPairs)
    monkeypatch.setattr("training.train.CHECKPOINT_EVERY", 5)
    steps = LOOPS_EVERY + 2
    states = []
    for stop in (None, 7):
        work = tmp_path / str(stop)
        work.mkdir()
        if stop is not None:
            monkeypatch.setattr(RandomPairs, "stop", stop)
            with pytest.raises(KeyboardInterrupt):
                train(work, steps, 1)
            assert torch.load(work / "checkpoint.pt", weights_only=True)["step"] == 5
            monkeypatch.setattr(RandomPairs, "stop", None)
        train(work, steps, 1)
        states.append(torch.load(work / "checkpoint.pt", weights_only=True))
    assert states[0]["step"] == steps
    torch.testing.assert_close(states[1], states[0], rtol=0, atol=0)
