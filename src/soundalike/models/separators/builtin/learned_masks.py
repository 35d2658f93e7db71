"""Learned masks of the built-in separator: the spectrum of a mixture in, masks of bass and drums out; NumPy only.

A network of dilated convolutions over time corrects the masks of version 1 (`masks`). In `MASK_BANDS` bands (single bins
up to 1 kHz, so that it can follow the harmonics of a bass) it sees the level and these masks, and up to 2.5 kHz how well
what sounds fits the harmonics of the lowest note (`comb`). Its output is added to the logarithms of the masks: where it is
0, the masks of version 1 stay as they are. A part of it counts (`Strength`). `gated` then makes a part quieter
that the network gives next to nothing over a second. All of it is independent of level and local in time: `NETWORK_REACH`
frames on either side of a frame, and `REACH` more for its inputs.

Conventions: axes of activations are (frames, channels); parts are bass, drums and residuals in this order.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.models.separators.builtin.bands import Bands, Floats, levels
from soundalike.models.separators.builtin.dilated_network import DilatedNetwork
from soundalike.models.separators.builtin.masks import (
    BINS,
    FRAME,
    HOP,
    REACH,
    SAMPLE_RATE,
    Network,
    masks,
)
from soundalike.models.separators.builtin.short_time import Spectrum

PARTS = ("bass", "drums", "residuals")
SINGLE_BINS = 64  # bands of one bin each, below 1 kHz
WIDE, CHANNELS = 256, 128
DILATIONS = (1, 2, 4, 8, 12, 16)
NETWORK_REACH = sum(DILATIONS)
GATE_REACH = 31  # frames on either side: a second in all
MASKS_REACH = REACH + NETWORK_REACH + GATE_REACH
WEIGHTS = Path(__file__).with_name("builtin_separator_network.npz")
LOW_NOTE = (2, 13)  # bins from 31 to 190 Hz: where the lowest note is looked for
COMB_BINS = 160  # up to 2.5 kHz

_FLOOR = np.float32(1e-12)  # of power, as in `masks`
LEAST_MASK = 0.005  # of version 1: what it takes for nothing can be something
MOST_CORRECTION = 7.0  # nats


_BANDS = Bands(SINGLE_BINS)
MASK_EDGES, MASK_BANDS = _BANDS.edges, _BANDS.count
mask_bands, mask_bins = _BANDS.means, _BANDS.bins
COMB_BANDS = int(np.searchsorted(MASK_EDGES, COMB_BINS))
INPUTS = 3 * MASK_BANDS + 2 * COMB_BANDS


@dataclass(frozen=True)
class Strength:
    """How much of the network's corrections counts.

    more_drums: of those that give more to the drums, far below a frequency, far above it, and that frequency in Hz;
    less_drums: of those that take from the drums, at most `most_taken` nats; bass: of those between bass and residuals;
    gate_db: level (dB under the mixture, over a second) at which the gate halves the amplitude of a part; most_gated:
    decibels that it takes away at most. With these limits a hit that the network does not recognise can still be compared.
    """

    more_drums: tuple[float, float, float] = (0.0, 0.5, 300.0)
    less_drums: float = 0.6
    most_taken: float = 2.0
    bass: float = 0.6
    gate_db: float = -36.0
    most_gated: float = 30.0

    def applied(self, corrections: Floats) -> tuple[Floats, Floats]:
        """What counts: corrections of the drums against all else, and of the bass against the residuals (frames, MASK_BANDS)."""
        bass, drums, residuals = (corrections[:, index] for index in range(3))
        struck = drums - (bass + residuals) * np.float32(0.5)
        more = struck * _from_low_to_high(*self.more_drums)
        less = np.maximum(struck * np.float32(self.less_drums), -self.most_taken)
        return np.where(struck > 0, more, less), (bass - residuals) * np.float32(0.5 * self.bass)


def _from_low_to_high(low: float, high: float, corner: float) -> Floats:
    """(MASK_BANDS,): `low` far below `corner` Hz, `high` far above."""
    frequency = _BANDS.centres * (SAMPLE_RATE / FRAME)
    return np.asarray(high + (low - high) / (1 + (frequency / corner) ** 6), np.float32)


class MaskNetwork:
    """The network with its weights, read when it is made. Safe to share."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self._network = DilatedNetwork(weights, DILATIONS)

    def corrections(self, inputs: Floats) -> Floats:
        """Corrections of the logarithms of the masks (frames - 2 NETWORK_REACH, 3, MASK_BANDS), from `network_inputs`."""
        scores = self._network(inputs)
        return np.reshape(scores, (len(scores), len(PARTS), MASK_BANDS))


def learned_masks(
    spectra: list[Spectrum], power: Floats, network_of_cues: Network, network: MaskNetwork
) -> tuple[Floats, Floats]:
    """Masks of bass and drums (frames, BINS) in 0..1, for spectra, and their `power`, with MASKS_REACH more frames on either
    side; the same for all channels."""
    strength = Strength()
    spectrum = spectra[0] if len(spectra) == 1 else np.sum(spectra, axis=0)
    bass, drums = masks(power, network_of_cues)
    inputs = network_inputs(spectrum, power, bass, drums)
    corrections = network.corrections(inputs)
    inner = slice(NETWORK_REACH, len(bass) - NETWORK_REACH)
    bass, drums = bass[inner], drums[inner]
    used = weighted_masks(bass, drums, *strength.applied(corrections))
    alone = corrected_masks(bass, drums, corrections)
    return gated(*used, *alone, power[REACH + NETWORK_REACH : len(power) - REACH - NETWORK_REACH], strength)


def weighted_masks(bass: Floats, drums: Floats, struck: Floats, apart: Floats) -> tuple[Floats, Floats]:
    """The masks of version 1 with the odds of the drums times exp(struck), and within what is left those of the
    bass times exp(apart) and of the residuals times exp(-apart), so that these take nothing from the drums."""
    residuals = np.maximum(1 - bass - drums, 0)
    rest = bass + residuals
    bass, residuals, drums = _scaled(bass, apart), _scaled(residuals, -apart), _scaled(drums, struck)
    total = drums + rest + _FLOOR
    bass *= rest / ((bass + residuals + _FLOOR) * total)
    return bass, drums / total


def _scaled(mask: Floats, logarithms: Floats) -> Floats:
    """A mask times exp(logarithms), as if it were LEAST_MASK at least where that doubles it; as it is where they are 0."""
    factors = mask_bins(np.exp(np.clip(logarithms, -MOST_CORRECTION, MOST_CORRECTION)))
    lifted = np.maximum(mask, np.float32(LEAST_MASK)) - mask
    return (mask + lifted * np.clip(factors - 1, 0, 1)) * factors


def corrected_masks(bass: Floats, drums: Floats, corrections: Floats) -> tuple[Floats, Floats]:
    """The masks of version 1 times exp(corrections), so that they and that of the residuals add up to 1: what
    the network is trained to give."""
    corrections = corrections - corrections.max(axis=1, keepdims=True)
    np.maximum(corrections, -MOST_CORRECTION, out=corrections)
    factors = np.exp(corrections, out=corrections)
    residuals = 1 - bass
    residuals -= drums
    total = np.maximum(residuals, LEAST_MASK, out=residuals)
    total *= mask_bins(factors[:, 2])
    found = []
    for part, known in enumerate((bass, drums)):
        mask = np.maximum(known, LEAST_MASK)
        mask *= mask_bins(factors[:, part])
        total += mask
        found.append(mask)
    for mask in found:
        mask /= total
    return found[0], found[1]


def gated(
    bass: Floats, drums: Floats, own_bass: Floats, own_drums: Floats, power: Floats, strength: Strength
) -> tuple[Floats, Floats]:
    """The masks without GATE_REACH frames on either side, less where the network's own masks give a part next to nothing
    over a second: by half where its level is `gate_db` under the mixture, by 2 dB for each dB below, by `most_gated` at
    most. What the drums lose goes to bass and residuals as they share the rest, what the bass loses to the residuals."""
    whole = _around(power.sum(axis=1, dtype=np.float64)) + BINS * float(_FLOOR)
    least = 10 ** (-strength.most_gated / 20)

    def gain(own: Floats) -> Floats:
        level = _around(np.einsum("tb,tb,tb->t", own, own, power)) / whole
        return np.asarray(least + (1 - least) * level / (level + 10 ** (strength.gate_db / 10)), np.float32)[:, None]

    inner = slice(GATE_REACH, len(bass) - GATE_REACH)
    share = bass[inner] / np.maximum(1 - drums[inner], bass[inner] + _FLOOR)
    drums = drums[inner] * gain(own_drums)
    return share * (1 - drums) * gain(own_bass), drums


def _around(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Means over GATE_REACH frames on either side."""
    total = np.zeros(len(values) + 1)
    np.cumsum(values, dtype=np.float64, out=total[1:])
    return (total[2 * GATE_REACH + 1 :] - total[: -2 * GATE_REACH - 1]) / (2 * GATE_REACH + 1)


def network_inputs(spectrum: Spectrum, power: Floats, bass: Floats, drums: Floats) -> Floats:
    """What the network sees (frames - 2 REACH, INPUTS): levels, and masks of bass and drums, in MASK_BANDS; the comb.

    spectrum, power: with REACH more frames on either side than bass and drums, the masks of version 1.
    """
    inner = slice(REACH, len(power) - REACH)
    own = comb(spectrum[REACH - 1 : len(spectrum) - REACH, :COMB_BINS], power[inner, :COMB_BINS], 1 - drums)
    return np.concatenate([levels(_BANDS.sums(power)), mask_bands(bass), mask_bands(drums), *own], axis=1)


def comb(spectrum: Spectrum, power: Floats, sustained: Floats) -> tuple[Floats, Floats]:
    """How well each band up to 2.5 kHz fits the harmonics of the lowest note, and of half its frequency (frames, COMB_BANDS).

    The frequency of each bin comes from the advance of its phase over one frame; the lowest note is the strongest bin of
    `LOW_NOTE` that is not a drum. Both scores are the mean over the band of cos(2 pi f / f0), weighted by power: 1 at a
    harmonic, -1 between two of them; 0 where there is no low note.

    spectrum (frames + 1, bins): with the frame before; power (frames, bins); sustained (frames, BINS): 1 - mask of drums.
    """
    bins = np.arange(spectrum.shape[1], dtype=np.float32)
    turned = spectrum[1:] * spectrum[:-1].conj() * _BACK[np.arange(spectrum.shape[1]) % 4]
    frequency = bins + np.arctan2(turned.imag, turned.real) * np.float32(FRAME / HOP / (2 * np.pi))
    low = slice(*LOW_NOTE)
    steady = power[:, low] * np.square(sustained[:, low])
    best = steady.argmax(axis=1)
    rows = np.arange(len(best))
    note = np.maximum(frequency[rows, LOW_NOTE[0] + best], 1.5)
    there = steady[rows, best]
    weight = power / (np.add.reduceat(power, _COMB_EDGES, axis=1) + _FLOOR).repeat(_COMB_WIDTHS, axis=1)
    sure = np.sqrt(there / (there + np.float32(1e-3) * power.sum(axis=1) + _FLOOR))[:, None]
    angle = frequency * (np.float32(2 * np.pi) / note)[:, None]
    cosine = np.cos(angle)
    found = []
    for score in (cosine, 2 * np.square(cosine) - 1):
        found.append(np.add.reduceat(score * weight, _COMB_EDGES, axis=1) * sure)
    return found[0], found[1]


_COMB_EDGES = MASK_EDGES[:COMB_BANDS]
_COMB_WIDTHS = np.diff(np.append(_COMB_EDGES, COMB_BINS))
_BACK = np.array([1, -1j, -1, 1j], np.complex64)
"""What a hop turns the phase of bin 0, 1, 2, 3, ... by, undone: HOP / FRAME is a quarter."""
