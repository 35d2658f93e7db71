"""D-CSN: one network that hears the mixture, with a subspace of its embedding for each instrument.

Hashizume et al. 2025, "Learning Separated Representations for Instrument-based Music Similarity" (arXiv 2503.17281): a
Conditional Similarity Network (Veit et al. 2017) with fixed masks, one after the other: of 640 values each part has 128.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from soundalike.models.encoders.trained.embedding_network import EmbeddingNetwork
from soundalike.models.encoders.trained.mel_spectra import StandardisedMel, magnitudes

PARTS = ("bass", "drums", "guitar", "piano", "residuals")
PART_DIMENSION = 128
CLIP_SECONDS = 3.0
HOP_SECONDS = 1.5


def masks(parts: int) -> Tensor:
    """The fixed masks (parts, parts * PART_DIMENSION), of zeros and ones."""
    return torch.repeat_interleave(torch.eye(parts), PART_DIMENSION, dim=1)


class Dcsn(nn.Module):
    """Waveforms of mixtures (B, samples) at 44.1 kHz -> a vector for each part (B, parts, PART_DIMENSION)."""

    def __init__(self, parts: tuple[str, ...] = PARTS, width: float = 1.0) -> None:
        super().__init__()
        self.parts = parts
        self.mel = StandardisedMel()
        self.network = EmbeddingNetwork(len(parts) * PART_DIMENSION, width)

    def embedding(self, waveforms: Tensor) -> Tensor:
        """The whole embedding (B, parts * PART_DIMENSION)."""
        return self.network(self.mel(magnitudes(waveforms)))

    def forward(self, waveforms: Tensor) -> Tensor:
        """The values that each part's mask selects; distances between them are those between masked embeddings."""
        return self.embedding(waveforms).unflatten(1, (len(self.parts), PART_DIMENSION))
