"""The built-in separator: bass, drums, vocals and residuals of any mixture; no download, no torch.

Version 2: a small network corrects the masks of version 1 (`signal_separator`), and a part that is absent is silent
(`learned_masks`); another one finds the vocals in what is neither bass nor drums (`vocal_masks`); `blocks` makes stems of the
masks. Stems depend on the mixture within three seconds on either side.
"""

from __future__ import annotations

from pathlib import Path

from soundalike.models.separators.builtin import short_time
from soundalike.models.separators.builtin.blocks import checked_block, separate_in_blocks
from soundalike.models.separators.builtin.learned_masks import MASKS_REACH, WEIGHTS, MaskNetwork, learned_masks
from soundalike.models.separators.builtin.masks import SAMPLE_RATE, load_network
from soundalike.models.separators.builtin.short_time import Samples, Spectrum
from soundalike.models.separators.builtin.vocal_masks import (
    VOCAL_MASK_REACH,
    VOCAL_WEIGHTS,
    load_vocal_network,
    vocal_mask,
)

# Frames processed at once, 12 s: smaller blocks recompute more of their margins.
BLOCK = 768


class BuiltinSeparator:
    """Separates mixtures at 32 kHz, of any number of channels (indexing uses mono), into bass, drums, vocals and residuals.

    block: frames processed at once; it does not change the result; weights, vocal_weights: of the networks (those that ship).
    """

    name = "builtin"
    version = "2"
    parts: tuple[str, ...] = ("bass", "drums", "vocals", "residuals")
    sample_rate = SAMPLE_RATE
    channels = 1
    context = 3.0
    segment_seconds = 600.0
    licence = "Apache-2.0"

    def __init__(self, block: int = BLOCK, weights: Path = WEIGHTS, vocal_weights: Path = VOCAL_WEIGHTS) -> None:
        self._block = checked_block(block, BLOCK)
        self._cues, self._network = load_network(), MaskNetwork(weights)
        self._vocals = load_vocal_network(vocal_weights)

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems of `mixture` (channels, samples), each float32 of the same shape; they add up to the mixture.

        Raises InputError unless `mixture` is a float32 array with two axes.
        """
        return separate_in_blocks(mixture, self._block, MASKS_REACH + VOCAL_MASK_REACH, self.parts[:-1], self._masks)

    def _masks(self, spectra: list[Spectrum]) -> tuple[Samples, Samples, Samples]:
        power = short_time.power(spectra)
        bass, drums = learned_masks(spectra, power, self._cues, self._network)
        vocals = vocal_mask(power[MASKS_REACH : len(power) - MASKS_REACH], bass, drums, self._vocals)
        inner = slice(VOCAL_MASK_REACH, len(bass) - VOCAL_MASK_REACH)
        return bass[inner], drums[inner], vocals
