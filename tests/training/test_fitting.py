"""The loop that trains: its learning rate, its running mean, and that an interruption changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor, nn

from training.fitting import Schedule, fit, rate_at

pytestmark = pytest.mark.neural

SCHEDULE = Schedule(warmup=3, peak_rate=0.1, weight_decay=0.02, averaged=0.9, snapshot_every=4)


def network() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def gradients_of(trained: nn.Linear, stop: int | None = None) -> Callable[[int], dict[str, Tensor]]:
    """Those of random inputs of each step; that of `stop` is interrupted."""

    def gradients_at(step: int) -> dict[str, Tensor]:
        if step == stop:
            raise KeyboardInterrupt
        inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(step))
        loss = (trained(inputs) - inputs[:, :2]).square().mean()
        loss.backward()
        return {"loss": loss}

    return gradients_at


def fitted(path: Path, steps: int, stop: int | None = None) -> None:
    trained = network()
    fit(path, trained, SCHEDULE, steps, gradients_of(trained, stop))


@pytest.mark.parametrize(("step", "rate"), [(0, 0.5), (2, 1.2803301), (4, 1.0), (6, 0.2928932), (8, 0.0)])
def test_the_learning_rate_rises_and_falls_along_half_a_cosine(step: int, rate: float) -> None:
    """Of 8 steps with a peak of 2, 4 of them rising: the cosine is 1, 1/sqrt(2), 0, -1/sqrt(2), -1."""
    assert rate_at(step, 8, 4, 2.0) == pytest.approx(rate, abs=1e-7)


def test_an_interrupted_training_ends_with_equal_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.fitting.CHECKPOINT_EVERY", 5)
    for name in ("whole", "interrupted"):
        (tmp_path / name).mkdir()
    fitted(tmp_path / "whole" / "net.pt", 12)
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "interrupted" / "net.pt", 12, stop=7)
    assert torch.load(tmp_path / "interrupted" / "net.pt", weights_only=True)["step"] == 5
    fitted(tmp_path / "interrupted" / "net.pt", 12)
    names = {"net.pt", "net-00004.pt", "net-00008.pt", "net-00012.pt"}
    assert {path.name for path in (tmp_path / "whole").iterdir()} == names
    for name in names:
        whole, continued = (
            torch.load(tmp_path / folder / name, weights_only=True) for folder in ("whole", "interrupted")
        )
        torch.testing.assert_close(continued, whole, rtol=0, atol=0)


def test_a_snapshot_is_the_running_mean_of_the_weights(tmp_path: Path) -> None:
    """It begins with the weights after the first step, then keeps 1/51, 2/52 and so on of what it was, 0.03 at most here."""
    trained, seen = network(), []

    def gradients_at(step: int) -> dict[str, Tensor]:
        seen.append(trained.weight.detach().clone())
        return gradients_of(trained)(step)

    fit(tmp_path / "net.pt", trained, replace(SCHEDULE, averaged=0.03, snapshot_every=1), 4, gradients_at)
    last = trained.weight.detach()
    mean = torch.zeros_like(last)
    for number, (weights, kept) in enumerate(zip([*seen[1:], last], (0, 1 / 51, 0.03, 0.03), strict=True)):
        mean = kept * mean + (1 - kept) * weights
        snapshot = torch.load(tmp_path / f"net-{number + 1:05}.pt", weights_only=True)
        torch.testing.assert_close(snapshot["weight"], mean, rtol=0, atol=1e-6)
    assert float((mean - last).abs().max()) > 1e-4


def test_a_quiet_training_reports_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quiet, trained = network(), network()
    fit(tmp_path / "net.pt", quiet, SCHEDULE, 3, gradients_of(quiet), quiet=True)
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""
    fit(tmp_path / "net.pt", trained, SCHEDULE, 3, gradients_of(trained))
    assert '"step": 3' in capsys.readouterr().out
    torch.testing.assert_close(quiet.state_dict(), trained.state_dict(), rtol=0, atol=0)
