"""Features of a sound as a unit vector in which the features of equal sounds differ alike in all directions.

Features are centred and whitened with fixed constants: the symmetric inverse square root of the *within-class* covariance
(Hatch et al. 2006), which describes how features differ between sounds that are the same to a listener. Each block of features
is then scaled to its own length, so that the cosine of two vectors is the weighted mean of the cosines of their blocks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from soundalike.models.encoders.builtin.builtin_features import BLOCKS, features
from soundalike.models.encoders.builtin.builtin_spectra import Array, Spectra

DIMENSION = sum(BLOCKS.values())


class WhitenedFeatures:
    """Constants, and the relative weight of each block in the squared norm."""

    def __init__(self, constants: Path, weights: Mapping[str, float]) -> None:
        """constants: an .npz file with `mean` (D,) and `whitening` (D, D)."""
        with np.load(constants) as stored:
            self._mean: Array = stored["mean"].astype(np.float32)
            self._whitening: Array = stored["whitening"].astype(np.float32)
        self._weights = dict(weights)

    def vector(self, spectra: Spectra) -> Array:
        """The unit vector (D,) of a sound with these spectra."""
        return self.composed(*features(spectra))

    def composed(self, values: Array, present: Mapping[str, float]) -> Array:
        """The unit vector (D,) of what `features` returned."""
        return compose(values, present, self._mean, self._whitening, self._weights)


def compose(
    values: Array, present: Mapping[str, float], mean: Array, whitening: Array, weights: Mapping[str, float]
) -> Array:
    """The unit vector (D,) of raw features `values` (D,); present: how much of a block there is, 0 to 1, 1 if not named."""
    whitened: Array = np.asarray((values - mean) @ whitening, dtype=np.float32)
    first = 0
    for block, size in BLOCKS.items():
        place = slice(first, first + size)
        length = max(float(np.linalg.norm(whitened[place])), 1e-6)
        whitened[place] *= math.sqrt(weights[block]) * present.get(block, 1.0) / length
        first += size
    return np.asarray(whitened / max(float(np.linalg.norm(whitened)), 1e-9), dtype=np.float32)
