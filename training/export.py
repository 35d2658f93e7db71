"""From a checkpoint to the weights that ship: batch normalisation folded in, float16, checked against torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from soundalike.models.encoders.builtin.builtin_network import HEADS, WEIGHTS, Network, network_input
from training.network import Ears

Float32 = NDArray[np.float32]

LARGEST_DIFFERENCE = 2e-3
"""Between torch in float32 and NumPy with float16 weights, over unit vectors."""


def export(work: Path, out: Path = WEIGHTS) -> None:
    """Write the weights of `work/checkpoint.pt` to `out`. Raises ValueError if NumPy computes something else than torch."""
    network = Ears()
    network.load_state_dict(torch.load(work / "checkpoint.pt", weights_only=True)["network"])
    network.eval()
    np.savez(out, **{name: value.astype(np.float16) for name, value in folded(network).items()})
    difference = largest_difference(network, Network(out))
    size = sum(value.size for value in folded(network).values())
    print(
        f"{out}: {size} parameters, {out.stat().st_size / 1e6:.2f} MB, largest difference from torch {difference:.1e}"
    )
    if difference > LARGEST_DIFFERENCE:
        raise ValueError(f"the exported network differs from torch by {difference}")


def folded(network: Ears) -> dict[str, Float32]:
    """Weights (inputs, outputs) and biases by the names that `Network` uses."""
    layers: dict[str, tuple[nn.Conv2d, nn.BatchNorm2d]] = {"stem": (network.stem, network.stem_norm)}
    for index, block in enumerate(network.blocks):
        layers[f"block{index}.first"] = (block.first, block.first_norm)
        layers[f"block{index}.second"] = (block.second, block.second_norm)
    for index, pair in enumerate(zip(network.downs, network.down_norms, strict=True)):
        layers[f"down{index}"] = pair
    layers["over_frequency"] = (network.over_frequency, network.over_frequency_norm)
    weights: dict[str, Float32] = {}
    for name, (convolution, norm) in layers.items():
        scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
        kernel = (convolution.weight * scale[:, None, None, None]).detach()
        if name == "over_frequency":  # (out, in, 1, frequency) -> (frequency, in, out)
            weights[name] = kernel[:, :, 0].permute(2, 1, 0).reshape(-1, len(kernel)).numpy()
        else:  # (out, in, time, frequency) -> (time, frequency, in, out)
            weights[name] = kernel.permute(2, 3, 1, 0).reshape(-1, len(kernel)).numpy()
        weights[f"{name}.bias"] = (norm.bias - norm.running_mean * scale).detach().numpy()
    for name in HEADS:
        weights[name] = network.heads[name].weight.detach().T.contiguous().numpy()
        weights[f"{name}.bias"] = network.heads[name].bias.detach().numpy()
    return weights


def largest_difference(network: Ears, exported: Network) -> float:
    """The largest difference of the heads over a few noises with envelopes."""
    rng, worst = np.random.default_rng(0), 0.0
    for frames in (10, 77, 320):
        mels = (rng.random((frames, 64)) ** 8 * np.exp(-np.arange(frames) / 20)[:, None]).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(network_input(mels))[None, None])
        found = exported.heads(mels)
        worst = max(worst, *(float(np.abs(found[name] - expected[name][0].numpy()).max()) for name in HEADS))
    return worst
