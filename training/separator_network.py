"""The separator's network in torch; `learned_masks` of the built-in separator is the same in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundalike.models.separators.builtin.learned_masks import (
    CHANNELS,
    COMB_BANDS,
    DILATIONS,
    INPUTS,
    LEAST_MASK,
    MASK_BANDS,
    MOST_CORRECTION,
    PARTS,
    WIDE,
)

SEEN = np.ones(INPUTS, np.float32)
for _first in (0, MASK_BANDS, 2 * MASK_BANDS, 3 * MASK_BANDS, 3 * MASK_BANDS + COMB_BANDS):
    SEEN[_first : _first + 2] = 0
"""Inputs that count: not what is below 23 Hz, so that removing an offset changes nothing."""


class Dilated(nn.Module):
    """Two layers for each frame, residual convolutions over time, and a last layer: `DilatedNetwork` is the same in NumPy.
    (N, frames, inputs) -> (N, frames - 2 sum(dilations), outputs)."""

    def __init__(self, inputs: int, wide: int, channels: int, dilations: Sequence[int], outputs: int) -> None:
        super().__init__()
        self._dilations = tuple(dilations)
        self.first = nn.Linear(inputs, wide)
        self.second = nn.Linear(wide, channels)
        self.spread = nn.ModuleList(nn.Conv1d(channels, channels, 3, dilation=dilation) for dilation in dilations)
        self.back = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in dilations)
        self.last = nn.Linear(channels, outputs)
        for layer in self.back:
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        x = self.second(torch.relu(self.first(inputs))).transpose(1, 2)
        for dilation, spread, back in zip(self._dilations, self.spread, self.back, strict=True):
            x = x[:, :, dilation:-dilation] + back(torch.relu(spread(torch.relu(x))))
        return self.last(x.transpose(1, 2))


class Masks(Dilated):
    """(N, frames, INPUTS) -> corrections of the logarithms of the masks (N, frames - 2 NETWORK_REACH, 3, MASK_BANDS)."""

    seen: Tensor

    def __init__(self) -> None:
        super().__init__(INPUTS, WIDE, CHANNELS, DILATIONS, len(PARTS) * MASK_BANDS)
        self.register_buffer("seen", torch.from_numpy(SEEN), persistent=False)
        nn.init.zeros_(self.last.weight)  # begins as the built-in separator
        nn.init.zeros_(self.last.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs * self.seen).unflatten(2, (len(PARTS), MASK_BANDS))


def log_masks(corrections: Tensor, inputs: Tensor) -> Tensor:
    """Logarithms of the corrected masks, not normalised, as `learned_masks.corrected_masks` has them."""
    reach = sum(DILATIONS)
    bass, drums = inputs[:, reach:-reach, MASK_BANDS : 3 * MASK_BANDS].split(MASK_BANDS, dim=2)
    known = torch.stack([bass, drums, 1 - bass - drums], dim=2).clamp_min(LEAST_MASK)
    above = (corrections - corrections.amax(dim=2, keepdim=True)).clamp_min(-MOST_CORRECTION)
    return torch.log(known) + above


def exported(network: Dilated) -> dict[str, NDArray[np.float32]]:
    """Weights (inputs, outputs) and biases by the names that `DilatedNetwork` uses; of convolutions (time, inputs, outputs); of
    inputs of `Masks` that do not count zeros."""
    layers: dict[str, nn.Module] = {"first": network.first, "second": network.second, "last": network.last}
    for index, pair in enumerate(zip(network.spread, network.back, strict=True)):
        layers |= dict(zip((f"block{index}.spread", f"block{index}.back"), pair, strict=True))
    weights = {}
    for name, layer in layers.items():
        kernel = layer.weight.detach()
        if name == "first" and isinstance(network, Masks):
            kernel = kernel * network.seen
        if name.endswith("spread"):
            weights[name] = kernel.permute(2, 1, 0).contiguous().numpy()
        else:
            weights[name] = kernel.reshape(kernel.shape[0], kernel.shape[1]).T.contiguous().numpy()
        weights[f"{name}.bias"] = layer.bias.detach().numpy()
    return weights
