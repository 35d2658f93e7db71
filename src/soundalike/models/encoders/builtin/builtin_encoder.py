"""The embedded encoder: timbre and its course, rhythm and harmony by signal processing. No download, no torch.

A waveform becomes a vector of perceptual features in named blocks (`builtin_features`). They are centred
and whitened with fixed constants: a symmetric inverse square root of the *within-class* covariance, that is, of how
features differ between sounds that are the same to a listener (other notes of one instrument, other bars of one part,
the same sound after a codec or an equaliser). Each block is then scaled to a length of its
own, so that the cosine of two embeddings is the weighted mean of the cosines of their blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from soundalike.errors import InputError
from soundalike.models.encoders import Embeddings, Samples
from soundalike.models.encoders.builtin.builtin_features import BLOCKS, features
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, Array, listen

CONSTANTS = Path(__file__).parent / "builtin_constants.npz"
"""`mean` (D,) and `whitening` (D, D), made by `benchmarks/encoder_fit.py`."""

WEIGHTS: dict[str, float] = {
    "spectrum": 0.5,
    "attack": 0.5,
    "course": 1.0,
    "dynamics": 0.5,
    "modulation": 0.8,
    "bands": 0.5,
    "motion": 0.4,
    "rough": 0.3,
    "tonality": 0.4,
    "register": 0.4,
    "chroma": 0.3,
    "rhythm": 0.4,
}
"""Share of each block in the squared norm. Twice or half of any one changes no task of the study by much."""


class BuiltinEncoder:
    """Whitened blocks of perceptual features, side by side in one unit vector."""

    name = "builtin"
    version = "1"
    sample_rate = SAMPLE_RATE
    dimension = sum(BLOCKS.values())
    clip_seconds: float | None = None
    licence = "Apache-2.0"

    def __init__(self) -> None:
        with np.load(CONSTANTS) as constants:
            self._mean: Array = constants["mean"].astype(np.float32)
            self._whitening: Array = constants["whitening"].astype(np.float32)

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 32 kHz; silent ones give zero rows.

        Any length from one sample on will do. Deterministic, independent of the waveforms' level and of each other.
        Raises InputError for a waveform that is not one-dimensional or has samples that are not finite.
        """
        rows = np.zeros((len(waveforms), self.dimension), dtype=np.float32)
        for row, waveform in zip(rows, waveforms, strict=True):
            if waveform.ndim != 1:
                raise InputError(
                    f"a waveform of shape {waveform.shape}; the encoder takes mono ones, of shape (samples,)"
                )
            sound = listen(np.ascontiguousarray(waveform, dtype=np.float32))
            if sound is not None:
                row[:] = compose(*features(sound), self._mean, self._whitening)
        return rows


def compose(values: Array, present: dict[str, float], mean: Array, whitening: Array) -> Array:
    """The unit vector (D,) of raw features `values` (D,) whose blocks are `present` from 0 to 1 (1 if not named)."""
    whitened: Array = np.asarray((values - mean) @ whitening, dtype=np.float32)
    first = 0
    for block, size in BLOCKS.items():
        place = slice(first, first + size)
        length = max(float(np.linalg.norm(whitened[place])), 1e-6)
        whitened[place] *= math.sqrt(WEIGHTS[block]) * present.get(block, 1.0) / length
        first += size
    return np.asarray(whitened / max(float(np.linalg.norm(whitened)), 1e-9), dtype=np.float32)
