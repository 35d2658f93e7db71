"""Version 2 of the built-in encoder: the signal features of version 1, fused with what a small network hears.

The vector is [signal, instance, group], each part of unit norm times the root of its share, so that the cosine of two
vectors of equal shares is the mean of the three cosines by those shares. The network was trained to hear struck sounds
through a mix; of phrases and of pitched sounds the signal features know more (how a phrase goes; what an instrument has in
common on all its notes), so for those their share is larger (`steadiness`). How the network was trained, on which sounds:
`docs/ears.md`. No download, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from soundalike.errors import InputError
from soundalike.models.encoder_protocol import Embeddings, Samples
from soundalike.models.encoders.builtin.builtin_features import features, peak_weight
from soundalike.models.encoders.builtin.builtin_network import HEADS, shipped_network
from soundalike.models.encoders.builtin.builtin_spectra import FRAME_RATE, SAMPLE_RATE, Array, Spectra, compute_spectra
from soundalike.models.encoders.builtin.signal_encoder import SignalEncoder, mono

LEARNED_STRUCK, LEARNED_STEADY = 0.45, 0.15
"""Share of the network in the vectors of short struck sounds, at most half, and of long or pitched ones."""

LENGTHS = (2.0, 3.5)
"""Seconds that can be heard (`audible_seconds`) up to which a sound is short, and from which it is long."""

AUDIBLE = 0.3
"""Share of the loudness of its loudest frame from which a frame counts as heard: -17 dB, by Stevens' law. Tails of cymbals and
rooms lie below."""

PITCHED = (0.8, 1.6)
"""Weight of spectral peaks relative to the spectrum (`spectral_peaks`) up to which a sound is struck, and from which it is
pitched: hits lie at .2 to .8 (cymbals above), notes and chords at 1.3 to 2."""

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
                heard, steady = self.hear(spectra)
                row[:] = fuse(heard, learned_share(steady))
        return rows

    def hear(self, spectra: Spectra) -> tuple[dict[str, Array], float]:
        """`signal`, the vector of version 1, with the heads of the network by name; and the `steadiness` of the sound.

        Raises InputError for spectra without mels.
        """
        if spectra.mels is None:
            raise InputError("the network needs spectra with mels; compute them with with_mels=True")
        values, present = features(spectra)
        heard = {"signal": self._signal.composed(values, present), **self._network.heads(spectra.mels)}
        return heard, steadiness(audible_seconds(spectra), peak_weight(values))


def audible_seconds(spectra: Spectra) -> float:
    """From the first frame to the last that can be heard beside the loudest: a phrase lasts from its first note to its last,
    whatever pauses are in it; a hit ends where its tail has faded."""
    loudness = spectra.loudness.sum(axis=1)
    heard = np.flatnonzero(loudness >= AUDIBLE * loudness.max())
    return float(heard[-1] - heard[0] + 1) / FRAME_RATE


def steadiness(seconds: float, peaks: float) -> float:
    """From 0 for a short struck sound to 1 for one that is long or pitched.

    seconds: audible; peaks: weight of its spectral peaks.
    """
    longer = math.log(max(seconds, 1e-3) / LENGTHS[0]) / math.log(LENGTHS[1] / LENGTHS[0])
    pitched = (peaks - PITCHED[0]) / (PITCHED[1] - PITCHED[0])
    short, struck = (1 - min(max(share, 0.0), 1.0) for share in (longer, pitched))
    return 1 - short * struck


def learned_share(steady: float) -> float:
    """The network's share in the vector of a sound of this `steadiness`."""
    return LEARNED_STRUCK + (LEARNED_STEADY - LEARNED_STRUCK) * steady


def fuse(heard: dict[str, Array], learned: float, instance: float = INSTANCE) -> Array:
    """The unit vector (D,) of `signal` and heads; learned: the network's share, 0..1; instance: that of the head `instance`
    in it."""
    shares = {"signal": 1 - learned, "instance": learned * instance, "group": learned * (1 - instance)}
    fused = np.concatenate([math.sqrt(share) * heard[name] for name, share in shares.items()])
    return np.asarray(fused / max(float(np.linalg.norm(fused)), 1e-9), dtype=np.float32)
