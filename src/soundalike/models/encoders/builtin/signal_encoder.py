"""Version 1 of the built-in encoder: timbre and its evolution, rhythm and harmony by signal processing.

Libraries of version 1 keep it; version 2 (`builtin_encoder`) has the same features with other constants. A
waveform becomes a vector of perceptual features in named blocks (`builtin_features`), whitened (`whitened_features`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from soundalike.errors import InputError
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, Array, compute_spectra
from soundalike.models.encoders.builtin.whitened_features import DIMENSION, WhitenedFeatures

CONSTANTS = Path(__file__).with_name("signal_constants.npz")
"""`mean` (D,) and `whitening` (D, D) of version 1, made by `benchmarks/encoder_fit.py`."""

WEIGHTS: dict[str, float] = {
    "spectrum": 0.5,
    "attack": 0.5,
    "evolution": 1.0,
    "dynamics": 0.5,
    "modulation": 0.8,
    "bands": 0.5,
    "motion": 0.4,
    "roughness": 0.3,
    "tonality": 0.4,
    "register": 0.4,
    "chroma": 0.3,
    "rhythm": 0.4,
}
"""Relative weight of each block in the squared norm."""


class SignalEncoder:
    """Version 1: concatenates whitened blocks of perceptual features into unit vectors."""

    name = "builtin"
    version = "1"
    sample_rate = SAMPLE_RATE
    dimension = DIMENSION
    clip_seconds: float | None = None
    licence = "Apache-2.0"

    def __init__(self) -> None:
        self._features = WhitenedFeatures(CONSTANTS, WEIGHTS)

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 32 kHz; zero rows for silent waveforms.

        Waveforms can have any length from one sample. Embeddings are deterministic, and independent of the level and of
        the other waveforms. Raises InputError if a waveform is not one-dimensional or has samples that are not finite.
        """
        rows = np.zeros((len(waveforms), self.dimension), dtype=np.float32)
        for row, waveform in zip(rows, waveforms, strict=True):
            spectra = compute_spectra(mono(waveform))
            if spectra is not None:
                row[:] = self._features.vector(spectra)
        return rows


def mono(waveform: Samples) -> Array:
    """`waveform` as contiguous float32. Raises InputError if it is not one-dimensional."""
    if waveform.ndim != 1:
        raise InputError(f"a waveform has the shape {waveform.shape}; give mono waveforms of shape (samples,)")
    return np.ascontiguousarray(waveform, dtype=np.float32)
