"""The built-in separator: bass, drums and residuals of any mixture; no download, no torch.

Version 2: a small network corrects the masks of version 1 (`signal_separator`), and a part that is absent is silent;
`learned_masks` computes the masks and names the sources, `blocks` makes stems of them. Stems depend on the mixture within
1.8 s on either side.
"""

from __future__ import annotations

from pathlib import Path

from soundalike.models.separators.builtin.blocks import checked_block, separate_in_blocks
from soundalike.models.separators.builtin.learned_masks import (
    GATE_REACH,
    NETWORK_REACH,
    WEIGHTS,
    MaskNetwork,
    learned_masks,
)
from soundalike.models.separators.builtin.masks import REACH, SAMPLE_RATE, load_network
from soundalike.models.separators.builtin.short_time import Samples

# Frames processed at once, 8 s: smaller blocks recompute more of their margins.
BLOCK = 512


class BuiltinSeparator:
    """Separates mixtures at 32 kHz, of any number of channels (indexing uses mono), into bass, drums and residuals.

    block: frames processed at once; it does not change the result; weights: of the network (those that ship).
    """

    name = "builtin"
    version = "2"
    parts: tuple[str, ...] = ("bass", "drums", "residuals")
    sample_rate = SAMPLE_RATE
    channels = 1
    context = 1.8
    segment_seconds = 600.0
    licence = "Apache-2.0"

    def __init__(self, block: int = BLOCK, weights: Path = WEIGHTS) -> None:
        self._block = checked_block(block, BLOCK)
        self._cues, self._network = load_network(), MaskNetwork(weights)

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems of `mixture` (channels, samples), each float32 of the same shape; they add up to the mixture.

        Raises InputError unless `mixture` is a float32 array with two axes.
        """
        reach = REACH + NETWORK_REACH + GATE_REACH
        return separate_in_blocks(
            mixture, self._block, reach, lambda spectra: learned_masks(spectra, self._cues, self._network)
        )
