"""Version 1 of the built-in encoder: timbre and its evolution, rhythm and harmony by signal processing.

It is the larger half of version 2 (`builtin_encoder`), and what libraries of version 1 go on with.

A waveform becomes a vector of perceptual features in named blocks (`builtin_features`). They are centred and whitened with
fixed constants: the symmetric inverse square root of the *within-class* covariance, which describes how features differ
between sounds that are the same to a listener (other notes of one instrument, other bars of one part, the same sound after
a codec or an equaliser). Each block is then scaled to its own length, so that the cosine of two embeddings is the weighted
mean of the cosines of their blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from soundalike.errors import InputError
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.builtin.builtin_features import BLOCKS, features
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, Array, Spectra, compute_spectra

CONSTANTS = Path(__file__).parent / "builtin_constants.npz"
"""`mean` (D,) and `whitening` (D, D), made by `benchmarks/encoder_fit.py`."""

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
"""Share of each block in the squared norm. Doubling or halving any of them changes the results of `docs/builtin-encoder.md`
little."""


class SignalEncoder:
    """Version 1: concatenates whitened blocks of perceptual features into unit vectors."""

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
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 32 kHz; zero rows for silent waveforms.

        Waveforms can have any length from one sample. Embeddings are deterministic, and independent of the level and of
        the other waveforms. Raises InputError if a waveform is not one-dimensional or has samples that are not finite.
        """
        rows = np.zeros((len(waveforms), self.dimension), dtype=np.float32)
        for row, waveform in zip(rows, waveforms, strict=True):
            spectra = compute_spectra(mono(waveform))
            if spectra is not None:
                row[:] = self.vector(spectra)
        return rows

    def vector(self, spectra: Spectra) -> Array:
        """The embedding (D,) of a waveform with these spectra."""
        return self.composed(*features(spectra))

    def composed(self, values: Array, present: dict[str, float]) -> Array:
        """The embedding (D,) of what `features` returned."""
        return compose(values, present, self._mean, self._whitening)


def mono(waveform: Samples) -> Array:
    """`waveform` as contiguous float32. Raises InputError if it is not one-dimensional."""
    if waveform.ndim != 1:
        raise InputError(f"a waveform has the shape {waveform.shape}; give mono waveforms of shape (samples,)")
    return np.ascontiguousarray(waveform, dtype=np.float32)


def compose(values: Array, present: dict[str, float], mean: Array, whitening: Array) -> Array:
    """The unit vector (D,) of raw features `values` (D,); present: weight of a block from 0 to 1, 1 if not named."""
    whitened: Array = np.asarray((values - mean) @ whitening, dtype=np.float32)
    first = 0
    for block, size in BLOCKS.items():
        place = slice(first, first + size)
        length = max(float(np.linalg.norm(whitened[place])), 1e-6)
        whitened[place] *= math.sqrt(WEIGHTS[block]) * present.get(block, 1.0) / length
        first += size
    return np.asarray(whitened / max(float(np.linalg.norm(whitened)), 1e-9), dtype=np.float32)
