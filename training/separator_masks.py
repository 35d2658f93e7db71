"""Learned masks for the built-in separator: spectra of one or two channels in, masks of bass and drums out; NumPy only.

A network of dilated convolutions over time sees, in `MASK_BANDS` bands (single bins up to 1 kHz, so that it can follow the
harmonics of a bass), the level, where the sound comes from (`stereo_cues`) and the shares that the built-in separator
estimates from its cues, and corrects the latter: its output is added to their logarithms. Masks are the weighted geometric
mean of its shares and the masks of the built-in separator, which tell a kick from a bass better: below `CORNER` the network
counts `LOW_PART`, above it `HIGH_PART`. All of it is independent of level and local in time: `NETWORK_REACH` frames on
either side of a frame, and `REACH` more for its inputs. Every convolution is three matrix products.

Conventions: axes of activations are (frames, channels); parts are bass, drums and residuals in this order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.models.separators.builtin import short_time
from soundalike.models.separators.builtin.blocks import separate_in_blocks
from soundalike.models.separators.builtin.masks import (
    BANDS,
    BINS,
    EDGES,
    FRAME,
    REACH,
    SAMPLE_RATE,
    Network,
    cues,
    masks,
)
from soundalike.models.separators.builtin.short_time import Spectrum

Floats = NDArray[np.float32]

PARTS = ("bass", "drums", "residuals")
SINGLE_BINS = 64  # bands of one bin each, below 1 kHz
BAND_GROWTH = 1.12
WIDE, CHANNELS = 256, 128
DILATIONS = (1, 2, 4, 8, 12, 16)
NETWORK_REACH = sum(DILATIONS)
BLOCK = 512  # frames at once
CORNER, LOW_PART, HIGH_PART = 200.0, 0.2, 0.6

_FLOOR = np.float32(1e-12)  # of power, as in `masks`
_ABOVE_FLOOR = np.float32(1e4)  # so that the floor of the cues counts for less in quiet music
_QUIET = np.float32(1e-7)  # of the power around: 70 dB below it a level counts no more
_LEAST_SHARE = np.float32(0.02)  # of the built-in separator: what it takes for nothing can be something
_LEAST_MASK, _LEAST_SHARE_OF_BIN = np.float32(0.005), np.float32(1e-6)


def _band_edges() -> NDArray[np.intp]:
    """First bin of each band, then BINS: single bins, then bands that are each 12 % wider than the one before."""
    edges = list(range(SINGLE_BINS))
    width = SINGLE_BINS * (BAND_GROWTH - 1)
    while edges[-1] < BINS:
        edges.append(min(BINS, edges[-1] + round(width)))
        width *= BAND_GROWTH
    return np.array(edges, np.intp)


MASK_EDGES = _band_edges()
MASK_BANDS = len(MASK_EDGES) - 1
INPUTS = 3 * MASK_BANDS + 2 * BANDS


class MaskNetwork:
    """The network with its weights, read when it is made. Safe to share."""

    def __init__(self, weights: Path) -> None:
        with np.load(weights, allow_pickle=False) as stored:
            self._weights: dict[str, Floats] = {name: stored[name].astype(np.float32) for name in stored.files}

    def shares(self, inputs: Floats) -> Floats:
        """Shares of the parts (frames - 2 NETWORK_REACH, 3, MASK_BANDS), which add up to 1, from `network_inputs`."""
        x = self._dense(inputs, "first")
        np.maximum(x, 0, out=x)
        x = self._dense(x, "second")
        for index, dilation in enumerate(DILATIONS):
            inner = self._convolved(np.maximum(x, 0), f"block{index}.spread", dilation)
            np.maximum(inner, 0, out=inner)
            x = x[dilation : len(x) - dilation] + self._dense(inner, f"block{index}.back")
        scores = self._dense(x, "last").reshape(len(x), len(PARTS), MASK_BANDS)
        scores += np.log(known_shares(inputs[NETWORK_REACH : len(inputs) - NETWORK_REACH]) + _LEAST_SHARE)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def _dense(self, x: Floats, name: str) -> Floats:
        out = x @ self._weights[name]
        out += self._weights[f"{name}.bias"]
        return out

    def _convolved(self, x: Floats, name: str, dilation: int) -> Floats:
        """A convolution over three frames that are `dilation` apart; the result is 2 `dilation` shorter."""
        weights, count = self._weights[name], len(x) - 2 * dilation
        out = x[:count] @ weights[0]
        out += x[dilation : dilation + count] @ weights[1]
        out += x[2 * dilation :] @ weights[2]
        out += self._weights[f"{name}.bias"]
        return out


def learned_masks(spectra: list[Spectrum], network_of_cues: Network, network: MaskNetwork) -> tuple[Floats, Floats]:
    """Masks of bass and drums (frames, BINS) in 0..1, for spectra with REACH + NETWORK_REACH more frames on either side."""
    shares = network.shares(network_inputs(spectra, network_of_cues))
    power = short_time.power([one[NETWORK_REACH : len(one) - NETWORK_REACH] for one in spectra])
    bass, drums = masks(power, network_of_cues)
    mixed = [
        np.maximum(known, _LEAST_MASK) ** (1 - _PART)
        * np.maximum(mask_bins(shares[:, part]), _LEAST_SHARE_OF_BIN) ** _PART
        for part, known in enumerate((bass, drums, 1 - bass - drums))
    ]
    total = mixed[0] + mixed[1] + mixed[2]
    return mixed[0] / total, mixed[1] / total


def separate(mixture: Floats, network_of_cues: Network, network: MaskNetwork, block: int = BLOCK) -> dict[str, Floats]:
    """Stems of `mixture` (channels, samples) by the learned masks, as those of the built-in separator."""
    return separate_in_blocks(
        mixture, block, REACH + NETWORK_REACH, lambda spectra: learned_masks(spectra, network_of_cues, network)
    )


def network_inputs(spectra: list[Spectrum], network_of_cues: Network) -> Floats:
    """What the network sees (frames - 2 REACH, INPUTS): level, width and balance in MASK_BANDS, and the shares of bass and
    drums that the built-in separator estimates in BANDS."""
    each = [np.square(one.real) + np.square(one.imag) for one in spectra]
    power = each[0] if len(each) == 1 else np.asarray(sum(each) / np.float32(len(each)), np.float32)
    banded = np.add.reduceat(power, MASK_EDGES[:-1], axis=1)
    inner = slice(REACH, len(power) - REACH)
    drums, bass, _ = network_of_cues.shares(*cues(power * _ABOVE_FLOOR))
    stereo = stereo_cues([one[inner] for one in spectra], [one[inner] for one in each], banded[inner])
    return np.concatenate([_levels(banded), *stereo, bass, drums], axis=1)


def known_shares(inputs: Floats) -> Floats:
    """Shares of the parts (frames, 3, MASK_BANDS) that the built-in separator estimates, from `network_inputs`."""
    bass, drums = inputs[:, -2 * BANDS : -BANDS] @ BETWEEN, inputs[:, -BANDS:] @ BETWEEN
    return np.stack([bass, drums, np.maximum(1 - bass - drums, 0)], axis=1)


def stereo_cues(spectra: list[Spectrum], each: list[Floats], banded: Floats) -> tuple[Floats, Floats]:
    """Width and balance of each band (frames, MASK_BANDS), both 0 for a mono sound in the middle.

    Width, in 0..1: twice the share of the power that is in the side signal, or in the mid signal if that is the weaker one,
    so that opposed channels count as equal ones. Balance, in 0..1: the difference of the powers of the channels over their
    sum, of any sign. each: powers of the channels (frames, BINS); banded (frames, MASK_BANDS): their mean.
    """
    if len(spectra) == 1:
        return np.zeros_like(banded), np.zeros_like(banded)
    middle = np.sum(spectra, axis=0) / np.float32(len(spectra))
    middle_power = np.square(middle.real) + np.square(middle.imag)
    share = np.clip(np.add.reduceat(middle_power, MASK_EDGES[:-1], axis=1) / (banded + _FLOOR), 0, 1)
    powers = [np.add.reduceat(one, MASK_EDGES[:-1], axis=1) for one in each]
    most, least = np.max(powers, axis=0), np.min(powers, axis=0)
    width = 2 * np.minimum(share, 1 - share) * (banded > _FLOOR)
    return width.astype(np.float32), ((most - least) / (most + least + _FLOOR)).astype(np.float32)


def mask_bins(shares: Floats) -> Floats:
    """Shares of bins from shares of bands: as they are below 1 kHz, then interpolated between the centres of bands."""
    return np.concatenate([shares[:, :SINGLE_BINS], shares[:, SINGLE_BINS - 1 :] @ _UPPER], axis=1)


def _levels(banded: Floats) -> Floats:
    """(frames - 2 REACH, bands): half the logarithm of the power of each band over that of all of them in the half second
    on either side, in steps of two nepers, about -2 to 3.5."""
    total = np.zeros(len(banded) + 1)
    np.cumsum(banded.sum(axis=1, dtype=np.float64), out=total[1:])
    around = ((total[2 * REACH + 1 :] - total[: -2 * REACH - 1]) / ((2 * REACH + 1) * banded.shape[1])).astype(
        np.float32
    )
    level = banded[REACH : len(banded) - REACH] / (around[:, None] + _FLOOR) + _QUIET
    return np.asarray(0.5 * np.log(level) + 4, np.float32) * np.float32(0.5)


def _centres(edges: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray((edges[:-1] + edges[1:] - 1) / 2)


def _interpolation(bands: NDArray[np.float64], points: NDArray[np.float64]) -> Floats:
    """The matrix (bands, points) that interpolates linearly."""
    return np.stack([np.interp(points, bands, row) for row in np.eye(len(bands))]).astype(np.float32)


BETWEEN = _interpolation(_centres(EDGES), _centres(MASK_EDGES))
"""(BANDS, MASK_BANDS): from the bands of the built-in separator to those of the network."""
_UPPER = _interpolation(_centres(MASK_EDGES)[SINGLE_BINS - 1 :], np.arange(SINGLE_BINS, BINS, dtype=np.float64))
_PART: Floats = (
    HIGH_PART + (LOW_PART - HIGH_PART) / (1 + (np.arange(BINS) * (SAMPLE_RATE / FRAME / CORNER)) ** 6)
).astype(np.float32)
"""(BINS,): how much the network counts."""
