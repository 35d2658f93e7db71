"""Compiled networks compute what torch computes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra: neural")

from soundalike.config import Runtime  # noqa: E402
from soundalike.errors import CheckpointError, InputError  # noqa: E402
from soundalike.models.neural import device as devices  # noqa: E402
from soundalike.models.neural.compiled import compile_network  # noqa: E402

pytestmark = pytest.mark.neural


class Pair(torch.nn.Module):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = torch.nn.Conv1d(1, 4, 5)
        self.line = torch.nn.Linear(6, 3)

    def forward(self, waves: torch.Tensor, numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.nn.functional.gelu(self.convolution(waves)).mean(dim=2), self.line(numbers)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOUNDALIKE_CACHE", str(tmp_path))
    return tmp_path


EXAMPLES = (torch.zeros(2, 1, 50), torch.zeros(2, 6))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_exact_equals_torch_for_any_batch(cache: Path, batch: int) -> None:
    network = compile_network(Pair, EXAMPLES, key="pair", runtime=Runtime("cpu"))
    inputs = torch.randn(batch, 1, 50), torch.randn(batch, 6)
    for ours, theirs in zip(network(*inputs), Pair()(*inputs), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_fast_is_close_but_not_equal(cache: Path) -> None:
    if not devices.cpu_has_bfloat16():
        pytest.skip("this processor has no bfloat16")
    inputs = torch.randn(3, 1, 50), torch.randn(3, 6)
    exact = compile_network(Pair, EXAMPLES, key="pair", runtime=Runtime("cpu"))(*inputs)
    fast = compile_network(Pair, EXAMPLES, key="pair", runtime=Runtime("cpu", "fast"))(*inputs)
    for a, b in zip(exact, fast, strict=True):
        torch.testing.assert_close(a, b, atol=0.05, rtol=0.05)
    assert not all(torch.equal(a, b) for a, b in zip(exact, fast, strict=True))


def test_the_network_is_built_once_and_then_read_from_the_cache(cache: Path) -> None:
    built = []

    def build() -> Pair:
        built.append(1)
        return Pair()

    inputs = torch.randn(1, 1, 50), torch.randn(1, 6)
    first = compile_network(build, EXAMPLES, key="k", runtime=Runtime("cpu"))(*inputs)
    again = compile_network(build, EXAMPLES, key="k", runtime=Runtime("cpu"))(*inputs)
    assert built == [1]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    compile_network(build, EXAMPLES, key="another", runtime=Runtime("cpu"))
    assert built == [1, 1]


def test_results_are_not_overwritten_by_the_next_run(cache: Path) -> None:
    network = compile_network(Pair, EXAMPLES, key="pair", runtime=Runtime("cpu"))
    first = network(torch.ones(1, 1, 50), torch.ones(1, 6))
    copy = [value.clone() for value in first]
    network(torch.zeros(1, 1, 50), torch.zeros(1, 6))
    assert all(torch.equal(a, b) for a, b in zip(first, copy, strict=True))


def test_missing_devices_are_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r"'cuda' is not available.*--device cpu"):
            compile_network(Pair, EXAMPLES, key="pair", runtime=Runtime("cuda"))
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: False)
    with pytest.raises(InputError, match=r"no bfloat16.*--precision exact"):
        compile_network(Pair, EXAMPLES, key="pair", runtime=Runtime("cpu", "fast"))


def test_a_damaged_conversion_is_repeated(cache: Path) -> None:
    inputs = torch.randn(1, 1, 50), torch.randn(1, 6)
    first = compile_network(Pair, EXAMPLES, key="k", runtime=Runtime("cpu"))(*inputs)
    (network,) = cache.glob("openvino/*/network.xml")
    network.write_text("<net", encoding="utf-8")
    again = compile_network(Pair, EXAMPLES, key="k", runtime=Runtime("cpu"))(*inputs)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_full_cache_is_reported_with_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import openvino

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("Can't write: no space left on device\nwhere: somewhere in C++")

    monkeypatch.setattr(openvino, "save_model", full)
    with pytest.raises(CheckpointError, match=r"no space left on device\).*SOUNDALIKE_CACHE"):
        compile_network(Pair, EXAMPLES, key="k", runtime=Runtime("cpu"))
    assert [path.name for path in (cache / "openvino").iterdir() if path.is_dir()] == []
    (cache / "file").write_text("")
    monkeypatch.setenv("SOUNDALIKE_CACHE", str(cache / "file"))
    with pytest.raises(CheckpointError, match="SOUNDALIKE_CACHE"):
        compile_network(Pair, EXAMPLES, key="k", runtime=Runtime("cpu"))


NO_TELEMETRY = """
import os, sys
os.register_at_fork(before=lambda: print("forked"))
import torch
from soundalike.config import Runtime
from soundalike.models.neural.compiled import compile_network
compile_network(lambda: torch.nn.Linear(3, 2), (torch.zeros(1, 3),), key="k", runtime=Runtime("cpu"))
print("openvino" in sys.modules, [name for name in sys.modules if name.startswith("openvino_telemetry.")])
"""


def test_a_conversion_sends_no_telemetry(cache: Path) -> None:
    done = subprocess.run([sys.executable, "-c", NO_TELEMETRY], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines() == ["True []"]
