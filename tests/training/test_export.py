"""The exported weights give with NumPy what the trained network gives with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.models.encoders.builtin.builtin_network import Network

pytestmark = pytest.mark.neural


def test_numpy_computes_what_torch_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra: neural")
    from training.export import folded, largest_difference
    from training.network import Ears

    torch.manual_seed(0)
    network = Ears()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    network.eval()
    np.savez(tmp_path / "weights.npz", **folded(network))
    assert largest_difference(network, Network(tmp_path / "weights.npz")) < 1e-5
