"""Version 2 of the built-in encoder: the signal features of version 1, fused with what a small network hears.

The vector is [signal, instance, group], each part of unit norm times the root of its share, so that the cosine of two
vectors of equal shares is the mean of the three cosines by those shares. The network was trained on sounds of up to five
seconds and hears which sound it is, not how a phrase goes: the longer a sound lasts, the larger is the share of the signal
features. How the network was trained, on which sounds: `docs/ears.md`. No download, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from soundalike.errors import InputError
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.builtin.builtin_network import HEADS, shipped_network
from soundalike.models.encoders.builtin.builtin_spectra import FRAME_RATE, SAMPLE_RATE, Array, Spectra, compute_spectra
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder, mono

LEARNED = 0.45
"""Share of the network in the vector of a short sound, at most half."""

LEARNED_LONG = 0.15
"""Its share in the vector of a long one."""

SHORT, LONG = 1.5, 4.0
"""Effective seconds (`effective_seconds`) up to which a sound counts as short, and from which as long."""

INSTANCE = 0.65
"""How much of the network's share is that of the head `instance`; the rest is that of `group`."""


class BuiltinEncoder:
    """Signal features and learned heads as one unit vector."""

    name = "builtin"
    version = "2"
    sample_rate = SAMPLE_RATE
    dimension = SignalEncoder.dimension + HEADS["instance"] + HEADS["group"]
    clip_seconds: float | None = None
    licence = "Apache-2.0"

    def __init__(self) -> None:
        self._signal = SignalEncoder()
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
                row[:] = fuse(self.hear(spectra), learned_share(effective_seconds(spectra)))
        return rows

    def hear(self, spectra: Spectra) -> dict[str, Array]:
        """`signal`, the vector of version 1, and the heads of the network by name. Raises InputError without mels."""
        if spectra.mels is None:
            raise InputError("the network needs spectra with mels; compute them with with_mels=True")
        return {"signal": self._signal.vector(spectra), **self._network.heads(spectra.mels)}


def effective_seconds(spectra: Spectra) -> float:
    """How long a sound would last if all of it were as loud as its loudest frame; a tail that fades counts little."""
    return float(spectra.loudness.sum()) / FRAME_RATE


def learned_share(seconds: float) -> float:
    """The network's share for a sound of so many effective seconds: falls with their logarithm between SHORT and LONG."""
    position = math.log(max(seconds, 1e-3) / SHORT) / math.log(LONG / SHORT)
    return LEARNED + (LEARNED_LONG - LEARNED) * min(max(position, 0.0), 1.0)


def fuse(heard: dict[str, Array], learned: float, instance: float = INSTANCE) -> Array:
    """The unit vector (D,) of what `BuiltinEncoder.hear` returned; learned: the network's share, 0..1; instance: that of the
    head `instance` in it."""
    shares = {"signal": 1 - learned, "instance": learned * instance, "group": learned * (1 - instance)}
    fused = np.concatenate([math.sqrt(share) * heard[name] for name, share in shares.items()])
    return np.asarray(fused / max(float(np.linalg.norm(fused)), 1e-9), dtype=np.float32)
