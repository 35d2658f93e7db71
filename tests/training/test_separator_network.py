"""The separator's weights give with NumPy what the trained network gives with torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.models.separators.builtin.learned_masks import (
    INPUTS,
    MASK_BANDS,
    NETWORK_REACH,
    SINGLE_BINS,
    MaskNetwork,
    corrected_masks,
    mask_bands,
)
from soundalike.models.separators.builtin.masks import BINS

pytestmark = pytest.mark.neural


def test_numpy_computes_what_torch_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra: neural")
    from training.separator_network import Masks, exported, log_masks

    torch.manual_seed(0)
    network = Masks()
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    np.savez(tmp_path / "weights.npz", **exported(network))
    inputs = torch.rand(1, 2 * NETWORK_REACH + 20, INPUTS)
    shares = np.random.default_rng(0).dirichlet((1, 1, 1), size=(20, BINS)).astype(np.float32)
    bass, drums = shares[..., 0], shares[..., 1]
    known = np.concatenate([mask_bands(bass), mask_bands(drums)], axis=1)
    inputs[0, NETWORK_REACH:-NETWORK_REACH, MASK_BANDS : 3 * MASK_BANDS] = torch.from_numpy(known)
    with torch.no_grad():
        corrections = network(inputs)
        expected = torch.softmax(log_masks(corrections, inputs), dim=2)[0, :, :2, : SINGLE_BINS - 1].numpy()
    found = MaskNetwork(tmp_path / "weights.npz").corrections(inputs[0].numpy())
    np.testing.assert_allclose(found, corrections[0].numpy(), rtol=0, atol=1e-4)
    masks = np.stack(corrected_masks(bass, drums, found), axis=1)[..., : SINGLE_BINS - 1]
    np.testing.assert_allclose(masks, expected, rtol=0, atol=1e-4)


def test_the_objective_of_a_perfect_mask_is_lower_than_that_of_silence() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra: neural")
    from training.separator_train import MOMENT, objective

    torch.manual_seed(0)
    shares = torch.softmax(torch.randn(2, MOMENT, 3, MASK_BANDS), dim=2)
    power = torch.rand(2, MOMENT, MASK_BANDS)
    whole = torch.zeros(2, dtype=torch.bool)
    right = objective(torch.log(shares), power, shares, whole)
    wrong = objective(torch.log(shares.flip(2)), power, shares, whole)
    assert float(right["whole"]) < -5
    assert float(right["whole"]) < float(wrong["whole"])
    assert float(right["groups"]) < float(wrong["groups"])


def test_an_undivided_example_does_not_ask_which_is_the_bass() -> None:
    torch = pytest.importorskip("torch", reason="needs the extra: neural")
    from training.separator_train import MOMENT, objective

    torch.manual_seed(0)
    masks = torch.softmax(torch.randn(1, MOMENT, 3, MASK_BANDS), dim=2)
    other = masks[:, :, [2, 1, 0]]
    power, drums = torch.rand(2, 1, MOMENT, MASK_BANDS)
    shares = torch.stack([1 - drums, drums, torch.zeros_like(drums)], dim=2)
    for undivided, same in ((True, True), (False, False)):
        found = [objective(torch.log(m), power, shares, torch.tensor([undivided])) for m in (masks, other)]
        assert (abs(float(found[0]["whole"]) - float(found[1]["whole"])) < 1e-5) == same
