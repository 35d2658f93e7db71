"""The network that is trained; `builtin_network` runs the same with NumPy, with batch normalisation folded in.

Input (N, 1, T, 64): `network_input` of mel spectra. Residual 3 x 3 convolutions at three resolutions, one layer over all
frequencies, the level-weighted mean and the maximum over time, and linear heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundalike.models.encoders.builtin.builtin_features import BLOCKS
from soundalike.models.encoders.builtin.builtin_network import CHANNELS, HEADS, HIDDEN, STRIDE
from soundalike.models.encoders.builtin.builtin_spectra import MELS
from soundalike.models.encoders.builtin.one_shot_classes import CLASSES

HELPING = {"target": sum(BLOCKS.values()), "class": len(CLASSES)}
"""Heads that only help training: the signal features of the clean sound, and logits of its class."""


class Residual(nn.Module):
    """x + conv(relu(conv(x))), each convolution with batch normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.first_norm(self.first(x)))
        return functional.relu(x + self.second_norm(self.second(inner)))


class Ears(nn.Module):
    """Spectra -> a dictionary of `HEADS` and `HELPING`, of unit norm except for `class`."""

    def __init__(self) -> None:
        super().__init__()
        one, two, three = CHANNELS
        self.stem = nn.Conv2d(1, one, 5, stride=2, padding=2, bias=False)
        self.stem_norm = nn.BatchNorm2d(one)
        self.blocks = nn.ModuleList([Residual(one), Residual(two), Residual(three)])
        self.downs = nn.ModuleList(
            [
                nn.Conv2d(one, two, 3, stride=2, padding=1, bias=False),
                nn.Conv2d(two, three, 3, stride=2, padding=1, bias=False),
            ]
        )
        self.down_norms = nn.ModuleList([nn.BatchNorm2d(two), nn.BatchNorm2d(three)])
        self.over_frequency = nn.Conv2d(three, HIDDEN, (1, MELS // STRIDE), bias=False)
        self.over_frequency_norm = nn.BatchNorm2d(HIDDEN)
        self.heads = nn.ModuleDict({name: nn.Linear(2 * HIDDEN, size) for name, size in {**HEADS, **HELPING}.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        weight = functional.avg_pool2d(x, (STRIDE, MELS))[:, 0, :, 0]
        x = functional.relu(self.stem_norm(self.stem(x)))
        x = self.blocks[0](x)
        for down, norm, block in zip(self.downs, self.down_norms, list(self.blocks)[1:], strict=True):
            x = block(functional.relu(norm(down(x))))
        x = functional.relu(self.over_frequency_norm(self.over_frequency(x)))[..., 0]
        weight = weight / weight.sum(dim=1, keepdim=True).clamp_min(1e-6)
        mean = (x * weight[:, None]).sum(dim=2)
        pooled = torch.cat([mean, x.amax(dim=2)], dim=1)
        heads = {name: head(pooled) for name, head in self.heads.items()}
        return {name: value if name == "class" else functional.normalize(value, dim=1) for name, value in heads.items()}
