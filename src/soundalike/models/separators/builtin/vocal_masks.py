"""The mask of the vocals: what of the residuals is a voice, by a small network that has heard sung and spoken lines; NumPy only.

The network sees, in `VOCAL_BANDS`, the level of what is neither bass nor drums, and how much of the mixture that is. It
answers with the share of the voice in it. Independent of level and local in time: `VOCAL_REACH` frames on either side of a
frame, and `REACH` more for the levels.

Conventions: axes are (frames, bands or bins).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import expit

from soundalike.models.separators.builtin.bands import Bands, Floats, levels
from soundalike.models.separators.builtin.dilated_network import DilatedNetwork
from soundalike.models.separators.builtin.masks import REACH

VOCAL_BANDS = Bands(128)  # of one bin each below 2 kHz, so that the harmonics of a voice are apart
VOCAL_INPUTS = 2 * VOCAL_BANDS.count
VOCAL_WIDE, VOCAL_CHANNELS = 192, 128
VOCAL_DILATIONS = (1, 2, 4, 8, 12, 16)
VOCAL_REACH = sum(VOCAL_DILATIONS)
VOCAL_MASK_REACH = REACH + VOCAL_REACH
VOCAL_WEIGHTS = Path(__file__).with_name("builtin_vocals_network.npz")


def load_vocal_network(weights: Path = VOCAL_WEIGHTS) -> DilatedNetwork:
    """The network with its weights."""
    return DilatedNetwork(weights, VOCAL_DILATIONS)


def vocal_inputs(residual_power: Floats, residual_mask: Floats) -> Floats:
    """What the network sees (frames - 2 REACH, VOCAL_INPUTS), from the power and the mask of the residuals (frames, BINS)."""
    known = residual_mask[REACH : len(residual_mask) - REACH]
    return np.concatenate([levels(VOCAL_BANDS.sums(residual_power)), VOCAL_BANDS.means(known)], axis=1)


def vocal_mask(power: Floats, bass: Floats, drums: Floats, network: DilatedNetwork) -> Floats:
    """The mask of the vocals in 0..1 (frames - 2 VOCAL_MASK_REACH, BINS); with those of bass and drums at most 1.

    power, bass, drums (frames, BINS): of the mixture, and the masks of its bass and drums.
    """
    residuals = np.maximum(1 - bass - drums, 0)
    shares = expit(network(vocal_inputs(power * np.square(residuals), residuals)))
    mask = VOCAL_BANDS.bins(shares)
    mask *= residuals[VOCAL_MASK_REACH : len(residuals) - VOCAL_MASK_REACH]
    return mask
