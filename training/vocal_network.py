"""The network of the vocals in torch; `vocal_masks` of the built-in separator is the same in NumPy."""

from __future__ import annotations

from torch import nn

from soundalike.models.separators.builtin.vocal_masks import (
    VOCAL_BANDS,
    VOCAL_CHANNELS,
    VOCAL_DILATIONS,
    VOCAL_INPUTS,
    VOCAL_WIDE,
)
from training.separator_network import Dilated


class VocalShares(Dilated):
    """(N, frames, VOCAL_INPUTS) -> logits of the share of the voice (N, frames - 2 VOCAL_REACH, bands)."""

    def __init__(self) -> None:
        super().__init__(VOCAL_INPUTS, VOCAL_WIDE, VOCAL_CHANNELS, VOCAL_DILATIONS, VOCAL_BANDS.count)
        nn.init.normal_(self.last.weight, std=0.01)
        nn.init.constant_(self.last.bias, -1.0)
