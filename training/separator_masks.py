"""Learned masks for the built-in separator: spectra of one or two channels in, shares of the bands out; NumPy only.

A network of dilated convolutions over time sees, in the 52 bands of `masks`, the level, where the sound comes from
(`stereo_cues`) and the masks of the built-in separator, and corrects the latter: its output is added to their logarithms.
All of it is independent of level and local in time: `NETWORK_REACH` frames on either side of a frame, and `REACH` more for
its inputs. Every convolution is three matrix products.

Conventions: axes of activations are (frames, channels); parts are bass, drums and residuals in this order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from soundalike.models.separators.builtin import short_time
from soundalike.models.separators.builtin.blocks import separate_in_blocks
from soundalike.models.separators.builtin.masks import BANDS, EDGES, REACH, Network, masks, to_bins
from soundalike.models.separators.builtin.short_time import Spectrum

Floats = NDArray[np.float32]

PARTS = ("bass", "drums", "residuals")
CHANNELS = 64
DILATIONS = (1, 2, 4, 8, 12)
NETWORK_REACH = sum(DILATIONS)
INPUTS = 5 * BANDS
BLOCK = 256  # frames at once

_FLOOR = np.float32(1e-12)  # of power, as in `masks`
_QUIET = np.float32(1e-7)  # of the power around: 70 dB below it a level counts no more
_LEAST_SHARE = np.float32(0.02)  # of the built-in masks: what they take for nothing can be something


class MaskNetwork:
    """The network with its weights, read when it is made. Safe to share."""

    def __init__(self, weights: Path) -> None:
        with np.load(weights, allow_pickle=False) as stored:
            self._weights: dict[str, Floats] = {name: stored[name].astype(np.float32) for name in stored.files}

    def shares(self, inputs: Floats, known: Floats) -> Floats:
        """Shares of the parts (frames - 2 NETWORK_REACH, 3, BANDS), which add up to 1.

        inputs (frames, INPUTS), known (frames, 3, BANDS): as `network_inputs` returns them.
        """
        x = self._dense(inputs, "first")
        np.maximum(x, 0, out=x)
        for index, dilation in enumerate(DILATIONS):
            inner = self._convolved(x, f"block{index}.spread", dilation)
            np.maximum(inner, 0, out=inner)
            x = x[dilation : len(x) - dilation] + self._dense(inner, f"block{index}.back")
        scores = self._dense(x, "last").reshape(len(x), len(PARTS), BANDS)
        scores += np.log(known[NETWORK_REACH : len(known) - NETWORK_REACH] + _LEAST_SHARE)
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


def learned_masks(spectra: list[Spectrum], cues: Network, network: MaskNetwork) -> tuple[Floats, Floats]:
    """Masks of bass and drums (frames, BINS) in 0..1, for spectra with REACH + NETWORK_REACH more frames on either side."""
    shares = network.shares(*network_inputs(spectra, cues))
    return to_bins(shares[:, 0]), to_bins(shares[:, 1])


def separate(mixture: Floats, cues: Network, network: MaskNetwork, block: int = BLOCK) -> dict[str, Floats]:
    """Stems of `mixture` (channels, samples) by the learned masks, as those of the built-in separator."""
    return separate_in_blocks(
        mixture, block, REACH + NETWORK_REACH, lambda spectra: learned_masks(spectra, cues, network)
    )


def network_inputs(spectra: list[Spectrum], cues: Network) -> tuple[Floats, Floats]:
    """(frames - 2 REACH, INPUTS) and (frames - 2 REACH, 3, BANDS): what the network sees, and the masks of the built-in
    separator as means over the bins of each band."""
    power = short_time.power(spectra)
    inner = slice(REACH, len(power) - REACH)
    banded = np.add.reduceat(power, EDGES[:-1], axis=1)
    bass, drums = (np.add.reduceat(mask, EDGES[:-1], axis=1) / _WIDTHS for mask in masks(power, cues))
    known = np.stack([bass, drums, np.maximum(1 - bass - drums, 0)], axis=1)
    inputs = np.concatenate(
        [_levels(banded), *stereo_cues([spectrum[inner] for spectrum in spectra], banded[inner]), bass, drums], axis=1
    )
    return inputs, known


def stereo_cues(spectra: list[Spectrum], banded: Floats) -> tuple[Floats, Floats]:
    """Width and balance of each band (frames, BANDS), both 0 for a mono sound in the middle.

    Width, in 0..1: twice the share of the power that is in the side signal, or in the mid signal if that is the weaker one,
    so that opposed channels count as equal ones. Balance, in 0..1: the difference of the powers of the channels over their
    sum, of any sign. banded (frames, BANDS): mean power of the channels.
    """
    if len(spectra) == 1:
        return np.zeros_like(banded), np.zeros_like(banded)
    middle = np.square(np.abs(np.sum(spectra, axis=0) / np.float32(len(spectra))))
    share = np.clip(np.add.reduceat(middle, EDGES[:-1], axis=1) / (banded + _FLOOR), 0, 1)
    each = [np.add.reduceat(np.square(np.abs(spectrum)), EDGES[:-1], axis=1) for spectrum in spectra]
    most, least = np.max(each, axis=0), np.min(each, axis=0)
    width = 2 * np.minimum(share, 1 - share) * (banded > _FLOOR)
    return width.astype(np.float32), ((most - least) / (most + least + _FLOOR)).astype(np.float32)


def _levels(banded: Floats) -> Floats:
    """(frames - 2 REACH, BANDS): half the logarithm of the power of each band over that of all of them in the half second
    on either side, in steps of two nepers, about -2 to 3.5."""
    total = np.zeros(len(banded) + 1)
    np.cumsum(banded.sum(axis=1, dtype=np.float64), out=total[1:])
    around = ((total[2 * REACH + 1 :] - total[: -2 * REACH - 1]) / ((2 * REACH + 1) * BANDS)).astype(np.float32)
    level = banded[REACH : len(banded) - REACH] / (around[:, None] + _FLOOR) + _QUIET
    return np.asarray(0.5 * np.log(level) + 4, np.float32) * np.float32(0.5)


_WIDTHS: Floats = np.diff(EDGES).astype(np.float32)
