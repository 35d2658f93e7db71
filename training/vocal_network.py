"""The network of the vocals in torch; `vocal_masks` of the built-in separator is the same in NumPy."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundalike.models.separators.builtin.vocal_masks import (
    VOCAL_BANDS,
    VOCAL_CHANNELS,
    VOCAL_DILATIONS,
    VOCAL_INPUTS,
    VOCAL_WIDE,
)
from training.separator_network import exported_layers


class VocalShares(nn.Module):
    """(N, frames, VOCAL_INPUTS) -> logits of the share of the voice (N, frames - 2 VOCAL_REACH, bands)."""

    def __init__(self) -> None:
        super().__init__()
        channels = VOCAL_CHANNELS
        self.first = nn.Linear(VOCAL_INPUTS, VOCAL_WIDE)
        self.second = nn.Linear(VOCAL_WIDE, channels)
        self.spread = nn.ModuleList(nn.Conv1d(channels, channels, 3, dilation=dilation) for dilation in VOCAL_DILATIONS)
        self.back = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in VOCAL_DILATIONS)
        self.last = nn.Linear(channels, VOCAL_BANDS.count)
        for layer in self.back:
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.constant_(self.last.bias, -1.0)

    def forward(self, inputs: Tensor) -> Tensor:
        x = self.second(torch.relu(self.first(inputs))).transpose(1, 2)
        for dilation, spread, back in zip(VOCAL_DILATIONS, self.spread, self.back, strict=True):
            x = x[:, :, dilation:-dilation] + back(torch.relu(spread(torch.relu(x))))
        return self.last(x.transpose(1, 2))


def exported(network: VocalShares) -> dict[str, NDArray[np.float32]]:
    """Weights and biases by the names that `DilatedNetwork` uses."""
    return exported_layers(network.first, network.second, network.last, network.spread, network.back)
