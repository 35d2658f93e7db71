"""The separator's network in torch; `training.separator_masks` is the same in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundalike.models.separators.builtin.masks import BANDS
from training.separator_masks import CHANNELS, DILATIONS, INPUTS, PARTS

LEAST_SHARE = 0.02
"""As in `separator_masks`."""


class Masks(nn.Module):
    """(N, frames, INPUTS) -> logarithms of the shares (N, frames - 2 NETWORK_REACH, 3, BANDS), not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(INPUTS, CHANNELS)
        self.spread = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 3, dilation=dilation) for dilation in DILATIONS)
        self.back = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 1) for _ in DILATIONS)
        self.last = nn.Linear(CHANNELS, len(PARTS) * BANDS)
        for layer in (*self.back, self.last):  # begins as the built-in separator
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        x = torch.relu(self.first(inputs)).transpose(1, 2)
        for dilation, spread, back in zip(DILATIONS, self.spread, self.back, strict=True):
            x = x[:, :, dilation:-dilation] + back(torch.relu(spread(x)))
        scores = self.last(x.transpose(1, 2)).unflatten(2, (len(PARTS), BANDS))
        return scores + torch.log(known_shares(inputs)[:, sum(DILATIONS) : -sum(DILATIONS)] + LEAST_SHARE)


def known_shares(inputs: Tensor) -> Tensor:
    """The masks of the built-in separator, (N, frames, 3, BANDS), which are the last of the inputs."""
    bass, drums = inputs[..., -2 * BANDS :].unflatten(-1, (2, BANDS)).unbind(-2)
    return torch.stack([bass, drums, (1 - bass - drums).clamp_min(0)], dim=-2)


def exported(network: Masks) -> dict[str, NDArray[np.float32]]:
    """Weights (inputs, outputs) and biases by the names that `MaskNetwork` uses; of convolutions (time, inputs, outputs)."""
    layers: dict[str, nn.Module] = {"first": network.first, "last": network.last}
    for index, (spread, back) in enumerate(zip(network.spread, network.back, strict=True)):
        layers |= {f"block{index}.spread": spread, f"block{index}.back": back}
    weights = {}
    for name, layer in layers.items():
        kernel = layer.weight.detach()
        if name.endswith("spread"):
            weights[name] = kernel.permute(2, 1, 0).contiguous().numpy()
        else:
            weights[name] = kernel.reshape(kernel.shape[0], kernel.shape[1]).T.contiguous().numpy()
        weights[f"{name}.bias"] = layer.bias.detach().numpy()
    return weights
