"""Version 2 of the built-in encoder: signal features, fused with what a small network hears.

The vector is [signal, instance, group], each piece of unit norm times the root of its share (`SHARES`), so that the cosine of
two vectors is the mean of the three cosines by those shares. The signal features know more about sounds on their own; the
network was trained to hear a sound through the rest of a song. So it has a small share of the vector, and a large one where a
region of a song is compared with sounds (`heard_through_music`): which it is, only the query knows. How the network was
trained, on which sounds: `docs/ears.md`. No download, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.builtin.builtin_features import features
from soundalike.models.encoders.builtin.builtin_network import HEADS, shipped_network
from soundalike.models.encoders.builtin.builtin_spectra import SAMPLE_RATE, Array, Spectra, compute_spectra
from soundalike.models.encoders.builtin.signal_encoder import mono
from soundalike.models.encoders.builtin.whitened_features import DIMENSION, WhitenedFeatures

CONSTANTS = Path(__file__).with_name("builtin_constants.npz")
"""`mean` (D,) and `whitening` (D, D) of the signal features of version 2, made by `python -m training constants`: also from what
the built-in separator makes of stems in songs, and from other music by the same instruments."""

WEIGHTS: dict[str, float] = {
    "spectrum": 0.45,
    "attack": 0.5,
    "evolution": 1.0,
    "dynamics": 0.6,
    "modulation": 0.8,
    "bands": 0.7,
    "motion": 0.4,
    "roughness": 0.3,
    "tonality": 0.4,
    "register": 0.4,
    "chroma": 0.4,
    "rhythm": 0.4,
}
"""Relative weight of each block of signal features in their squared norm."""

PIECES: dict[str, int] = {"signal": DIMENSION, **HEADS}
"""Numbers of each piece of a vector, in their order."""

SHARES: dict[str, float] = {"signal": 0.97, "instance": 0.009, "group": 0.021}
"""Of each piece in the squared norm of a vector. With larger shares of the network sounds on their own are less alike than they
ought to be (docs/ears.md)."""

INSTANCE = 0.65
"""How much of the network's share is that of the head `instance` where sounds are heard through music; the rest is that of
`group`."""


class BuiltinEncoder:
    """Signal features and learned heads as one unit vector."""

    name = "builtin"
    version = "2"
    sample_rate = SAMPLE_RATE
    dimension = sum(PIECES.values())
    clip_seconds: float | None = None
    licence = "Apache-2.0"

    def __init__(self) -> None:
        self._signal = WhitenedFeatures(CONSTANTS, WEIGHTS)
        self._network = shipped_network()

    def embed(self, waveforms: Sequence[Samples]) -> Embeddings:
        """Embeddings (N, D), rows of unit norm, of N mono waveforms (samples,) at 32 kHz; zero rows for silent waveforms.

        As those of `SignalEncoder`: any length, independent of the level and of the other waveforms. Raises InputError if a
        waveform is not one-dimensional or has samples that are not finite.
        """
        rows = np.zeros((len(waveforms), self.dimension), dtype=np.float32)
        for row, waveform in zip(rows, waveforms, strict=True):
            spectra = compute_spectra(mono(waveform), with_mels=True)
            if spectra is not None:
                row[:] = fuse(self.hear(spectra))
        return rows

    def hear(self, spectra: Spectra) -> dict[str, Array]:
        """By name, the pieces of a vector, each of unit norm: `signal`, the whitened features, and the heads of the network.

        Raises InputError for spectra without mels.
        """
        if spectra.mels is None:
            raise InputError("the network needs spectra with mels; compute them with with_mels=True")
        return {"signal": self._signal.composed(*features(spectra)), **self._network.heads(spectra.mels)}


def fuse(heard: Mapping[str, Array]) -> Array:
    """The unit vector (D,) of pieces of unit norm, by `SHARES`."""
    fused = np.concatenate([math.sqrt(share) * heard[name] for name, share in SHARES.items()])
    return np.asarray(fused / max(float(np.linalg.norm(fused)), 1e-9), dtype=np.float32)


def heard_through_music(direction: NDArray[np.floating], network: float) -> NDArray[np.float64]:
    """The direction (D,) of a query that was heard in a song, with which the network has the share `network` of a score.

    Its product with a vector is the mean of the cosines of the pieces: `network` of it is the network's, the rest that of the
    signal features. It has no unit norm. Raises InputError for another D, or a share outside 0..1.
    """
    _check_dimension(direction)
    return np.asarray(direction * piece_factors(network), dtype=np.float64)


def both_heard_through_music(vectors: Array, network: float) -> Array:
    """Vectors (N, D) that were all heard in a song: the same as `heard_through_music`, for products of them with one another;
    of unit norm as before. Raises InputError as it does."""
    _check_dimension(vectors)
    return np.asarray(vectors * np.sqrt(piece_factors(network)), dtype=np.float32)


def piece_factors(network: float) -> NDArray[np.float64]:
    """(D,) by which one of two vectors is multiplied, so that the network has the share `network` in their product.

    Raises InputError for a share outside 0..1.
    """
    shares = piece_shares(network)
    return np.repeat([shares[name] / SHARES[name] for name in PIECES], list(PIECES.values()))


def piece_shares(network: float, instance: float = INSTANCE) -> dict[str, float]:
    """By name, the share of each piece in a score in which the network has the share `network`, and the head `instance` the share
    `instance` of that. Raises InputError for a share outside 0..1."""
    if not 0 <= network <= 1:
        raise InputError(f"a share of {network:g} is not possible; give 0 to 1")
    return {"signal": 1 - network, "instance": network * instance, "group": network * (1 - instance)}


def _check_dimension(vectors: NDArray[np.floating]) -> None:
    if vectors.shape[-1:] != (BuiltinEncoder.dimension,):
        raise InputError(
            f"vectors of the shape {vectors.shape} have no pieces; those of version 2 of the built-in encoder have "
            f"{BuiltinEncoder.dimension} numbers"
        )
