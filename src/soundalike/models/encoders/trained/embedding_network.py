"""The network that turns mel bands into a vector, in D-CSN and in Cascade."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from soundalike.models.encoders.trained.mel_spectra import BANDS

CHANNELS = (16, 32, 64, 128, 256, 512)
"""Of the six convolutions, at width 1."""

SLOPE = 0.2
"""Of LeakyReLU below zero."""


def scaled(channels: int, width: float) -> int:
    """The number of channels at a width: 1 is that of the paper."""
    return max(1, round(channels * width))


class EmbeddingNetwork(nn.Module):
    """Standardised mel bands (B, 1, BANDS, frames) -> vectors (B, dimension): six convolutions, time mean, one linear layer.

    Ours, as the papers leave it open here: kernels of 3x3, stride 2, 16 to 512 channels, batch normalisation, LeakyReLU.
    """

    def __init__(self, dimension: int, width: float = 1.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before, bands = 1, BANDS
        for channels in (scaled(channels, width) for channels in CHANNELS):
            layers += [
                nn.Conv2d(before, channels, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.LeakyReLU(SLOPE),
            ]
            before, bands = channels, (bands + 1) // 2
        self.convolutions = nn.Sequential(*layers)
        self.linear = nn.Linear(before * bands, dimension)

    def forward(self, mel: Tensor) -> Tensor:
        """See the class."""
        over_time = self.convolutions(mel).mean(-1)
        return self.linear(torch.flatten(over_time, 1))
