"""Weights are read without running code, and problems with a file are reported in one line."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.errors import CheckpointError  # noqa: E402
from soundalike.models.neural.loading import load_into, read_weights  # noqa: E402

pytestmark = pytest.mark.neural

WEIGHTS = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.0, 2.0])}


@pytest.mark.parametrize("name", ["a.pt", "a.bin", "a.safetensors", "old.pt"])
def test_saved_weights_are_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("safetensors"):
        from safetensors.torch import save_file

        save_file(WEIGHTS, path)
    else:
        torch.save(WEIGHTS, path, _use_new_zipfile_serialization=name != "old.pt")
    read = read_weights(path)
    assert set(read) == set(WEIGHTS)
    assert all(torch.equal(read[key], WEIGHTS[key]) for key in WEIGHTS)
    module = torch.nn.Linear(3, 2)
    load_into(module, read, path, "a layer")
    assert torch.equal(module(torch.ones(3)), torch.tensor([4.0, 14.0]))
    assert not module.training
    assert not module.weight.requires_grad


class Malice:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(tmp_path: Path, zipped: bool) -> None:
    path, proof = tmp_path / "evil.pt", tmp_path / "proof"
    torch.save({"state": Malice(f"touch {proof}")}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="contains more than weights"):
        read_weights(path)
    assert not proof.exists()


def test_a_plain_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    path, proof = tmp_path / "evil.bin", tmp_path / "proof"
    path.write_bytes(pickle.dumps(Malice(f"touch {proof}")))
    with pytest.raises(CheckpointError):
        read_weights(path)
    assert not proof.exists()


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, share: float) -> None:
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file({"weight": torch.zeros(1000)}, whole)
    else:
        torch.save({"weight": torch.zeros(1000)}, whole)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    with pytest.raises(CheckpointError, match=r"cut.*damaged or not a checkpoint.*models fetch") as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


def test_a_file_with_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.pt"
    torch.save([torch.zeros(2)], path)
    with pytest.raises(CheckpointError, match="contains a list"):
        read_weights(path)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"weight": torch.zeros(2, 3)}, "bias is missing"),
        ({**WEIGHTS, "bias": torch.zeros(5)}, r"bias has the shape \(5,\), expected \(2,\)"),
        ({**WEIGHTS, "bias": "text"}, "bias is not a tensor"),
    ],
)
def test_another_architecture_is_refused(weights: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(CheckpointError, match=f"w.pt is not a checkpoint of a layer: {message}"):
        load_into(torch.nn.Linear(3, 2), weights, Path("w.pt"), "a layer")


def test_unknown_weights_are_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    module = torch.nn.Linear(3, 2)
    more = {name: torch.zeros(1) for name in ("a", "b", "c", "d")}
    load_into(module, {**WEIGHTS, **more}, Path("w.pt"), "a layer")
    assert caplog.messages == ["w.pt has weights that a layer does not use: a, b, c and 1 more; they are ignored"]
    assert torch.equal(module.bias, WEIGHTS["bias"])
