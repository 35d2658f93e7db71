"""Cascade: for each instrument a network that separates it from the mixture, and one that embeds what was separated.

Imamura et al. 2025, "Music Similarity Representation Learning Focusing on Individual Instruments with Source Separation and
Human Preference" (arXiv 2503.18486). The separator is the U-Net of Jansson et al. 2017 as in Spleeter.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from soundalike.models.encoders.trained.embedding_network import CHANNELS, SLOPE, EmbeddingNetwork, scaled
from soundalike.models.encoders.trained.mel_spectra import BINS, StandardisedMel, magnitudes

PARTS = ("bass", "drums", "guitar", "piano")
PART_DIMENSION = 128
CLIP_SECONDS = 5.0

_MULTIPLE = 2 ** len(CHANNELS)
"""The number of frames and bins is divided by two so often."""

_DROPOUT, _DROPOUT_LAYERS = 0.5, 3


class UNet(nn.Module):
    """Magnitudes of mixtures (B, BINS, frames) -> a mask of the same shape, 0 to 1, for one instrument.

    Six convolutions of 5x5 and stride 2 with 16 to 512 channels, batch normalisation and LeakyReLU; transposed convolutions
    back, each with the output of its opposite; dropout in the first three of those. The highest bin gets the mask of its
    neighbour, because 1,025 bins cannot be halved.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        channels = [1, *(scaled(number, width) for number in CHANNELS)]
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 5, stride=2, padding=2, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(SLOPE),
            )
            for before, after in pairwise(channels)
        )
        self.up = nn.ModuleList(
            self._step_up(channels[depth + 1] * (1 if depth == len(CHANNELS) - 1 else 2), channels[depth], depth)
            for depth in reversed(range(len(CHANNELS)))
        )

    @staticmethod
    def _step_up(before: int, after: int, depth: int) -> nn.Sequential:
        convolution = nn.ConvTranspose2d(before, after, 5, stride=2, padding=2, output_padding=1, bias=depth == 0)
        if depth == 0:
            return nn.Sequential(convolution, nn.Sigmoid())
        layers = [convolution, nn.BatchNorm2d(after), nn.ReLU()]
        if depth >= len(CHANNELS) - _DROPOUT_LAYERS:
            layers.append(nn.Dropout2d(_DROPOUT))
        return nn.Sequential(*layers)

    def forward(self, magnitudes: Tensor) -> Tensor:
        """See the class. The level of a clip does not matter: it is scaled to a maximum of 1."""
        frames = magnitudes.shape[-1]
        scale = magnitudes.amax((1, 2), keepdim=True).clamp(min=1e-8)
        values = functional.pad((magnitudes / scale)[:, None, : BINS - 1], (0, -frames % _MULTIPLE))
        values = values.to(memory_format=torch.channels_last)  # faster on a CPU with few channels
        outputs: list[Tensor] = []
        for layer in self.down:
            values = layer(values)
            outputs.append(values)
        values = self.up[0](outputs.pop())
        for layer in self.up[1:]:
            values = layer(torch.cat((values, outputs.pop()), 1))
        mask = values[:, 0, :, :frames]
        return torch.cat((mask, mask[:, -1:]), 1)


class PartCascade(nn.Module):
    """The two networks of one instrument: magnitudes of mixtures -> vectors (B, PART_DIMENSION)."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.separator = UNet(width)
        self.mel = StandardisedMel()
        self.embedding = EmbeddingNetwork(PART_DIMENSION, width)

    def separate(self, magnitudes: Tensor) -> Tensor:
        """The magnitudes (B, BINS, frames) of the instrument in those of mixtures."""
        return self.separator(magnitudes) * magnitudes

    def embed(self, magnitudes: Tensor) -> Tensor:
        """Vectors (B, PART_DIMENSION) of the magnitudes of the instrument alone."""
        return self.embedding(self.mel(magnitudes))

    def forward(self, magnitudes: Tensor) -> Tensor:
        """See the class."""
        return self.embed(self.separate(magnitudes))


class Cascade(nn.Module):
    """Waveforms of mixtures (B, samples) at 44.1 kHz -> a vector for each part (B, parts, PART_DIMENSION)."""

    def __init__(self, parts: tuple[str, ...] = PARTS, width: float = 1.0) -> None:
        super().__init__()
        self.parts = parts
        self.of_part = nn.ModuleDict({part: PartCascade(width) for part in parts})

    def forward(self, waveforms: Tensor) -> Tensor:
        """See the class."""
        spectra = magnitudes(waveforms)
        return torch.stack([self.of_part[part](spectra) for part in self.parts], 1)
