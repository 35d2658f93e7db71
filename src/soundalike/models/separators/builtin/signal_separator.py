"""Version 1 of the built-in separator: bass, drums and residuals of any mixture by signal processing alone.

Masks as in soft harmonic/percussive masking (FitzGerald 2010; Driedger, Müller & Disch 2014), with a third class for the
bass; `masks` computes them and names the sources, `blocks` makes stems of them. Stems depend on the mixture within half a
second on either side.
"""

from __future__ import annotations

from soundalike.models.separators.builtin.blocks import checked_block, separate_in_blocks
from soundalike.models.separators.builtin.masks import REACH, SAMPLE_RATE, load_network, masks
from soundalike.models.separators.builtin.short_time import Samples, power

# Frames processed at once, 2.6 s: larger blocks do not fit the cache, smaller ones recompute more of their margins.
BLOCK = 160


class SignalSeparator:
    """Separates mixtures at 32 kHz, of any number of channels (indexing uses mono), into bass, drums and residuals.

    block: frames processed at once; it does not change the result.
    """

    name = "builtin"
    version = "1"
    parts: tuple[str, ...] = ("bass", "drums", "residuals")
    sample_rate = SAMPLE_RATE
    channels = 1
    context = 1.0
    segment_seconds = 600.0
    licence = "Apache-2.0"

    def __init__(self, block: int = BLOCK) -> None:
        self._block = checked_block(block, BLOCK)
        self._network = load_network()

    def separate(self, mixture: Samples) -> dict[str, Samples]:
        """Stems of `mixture` (channels, samples), each float32 of the same shape; they add up to the mixture.

        Raises InputError unless `mixture` is a float32 array with two axes.
        """
        return separate_in_blocks(
            mixture, self._block, REACH, ("bass", "drums"), lambda spectra: masks(power(spectra), self._network)
        )
