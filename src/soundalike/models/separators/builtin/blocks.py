"""Stems of a mixture of any length from masks of its parts, block by block.

Each part has one real mask in 0..1, the same for all channels, that multiplies the short-time spectrum. Everything else is
residuals: the mixture minus the other parts in the time domain, so stems add up to the mixture. The mixture is mirrored at its
ends, so that a file that begins in the middle of a note does not begin with a drum. The size of a block does not change the
result (except for rounding), and the memory needed beyond the stems does not depend on the length of the mixture.

Conventions: waveforms are float32 (channels, samples) at 32 kHz.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from soundalike.errors import InputError
from soundalike.models.separators.builtin.masks import HOP
from soundalike.models.separators.builtin.short_time import (
    LEAD,
    Samples,
    Spectrum,
    add_at,
    frame_count,
    spectra_around,
    waveform,
)

Masks = Callable[[list[Spectrum]], Sequence[Samples]]
"""Masks (frames, BINS) of all parts but the residuals from the spectra of the channels, which have `reach` more frames on either
side."""


def checked_block(block: int, default: int) -> int:
    """`block`. Raises InputError if it holds no frame."""
    if block < 1:
        raise InputError(f"block is {block}; give at least 1 frame, or leave it out for the default of {default}")
    return block


def separate_in_blocks(
    mixture: Samples, block: int, reach: int, parts: Sequence[str], masks: Masks
) -> dict[str, Samples]:
    """Stems of `mixture` (channels, samples), each float32 of the same shape: `parts` and the residuals, which add up to the
    mixture.

    block: frames at once; reach: frames on either side that masks depend on; masks: those of `parts`. Raises InputError unless
    `mixture` is a float32 array with two axes.
    """
    if mixture.ndim != 2 or mixture.dtype != np.float32:
        raise InputError(
            f"a mixture of type {mixture.dtype} and shape {mixture.shape} cannot be separated: "
            "give float32 of shape (channels, samples)"
        )
    stems = {part: np.zeros_like(mixture) for part in parts}
    if mixture.size:
        frames = frame_count(mixture.shape[1])
        for first in range(0, frames, block):
            last = min(first + block, frames)
            spectra = spectra_around(mixture, first, last, reach)
            for stem, mask in zip(stems.values(), masks(spectra), strict=True):
                for channel, spectrum in zip(stem, spectra, strict=True):
                    add_at(channel, waveform(spectrum[reach : reach + last - first], mask), first * HOP - LEAD)
    residuals = mixture.copy()
    for stem in stems.values():
        residuals -= stem
    return {**stems, "residuals": residuals}
