"""The learned network of the built-in encoder, version 2, in NumPy: mel spectra in, heads out.

Residual convolutions (He et al. 2016) on a log mel spectrum, then the level-weighted mean and the maximum over time and
linear heads. Batch normalisation is folded into the weights (`training/export.py`). Every convolution is one matrix
product over gathered neighbourhoods, so BLAS does the work. Axes of activations are (time, frequency, channels).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from soundalike.models.encoders.builtin.builtin_spectra import MELS, Array

WEIGHTS = Path(__file__).with_name("builtin_network.npz")
"""Float16 weights, made by `python -m training`; see `docs/ears.md` for their sources and licences."""

CHANNELS = (24, 64, 128)
HIDDEN = 256
STRIDE = 8
"""Frames of the input per frame of the output."""

HEADS: dict[str, int] = {"instance": 114, "group": 64}
"""`instance`: the very sound, whatever lies over it; `group`: the same drum or instrument."""

RANGE_DB = 72.0


def network_input(mels: Array) -> Array:
    """(T', MELS) in 0..2: levels within RANGE_DB of the loudest mel; T' is T filled up with silence to a multiple of
    STRIDE, by one frame at least. mels (T, MELS): power."""
    top = max(float(mels.max(initial=0.0)), 1e-30)
    levels = np.log10(mels / np.float32(top) + np.float32(1e-12)) * np.float32(10)
    levels = np.maximum(levels + np.float32(RANGE_DB), 0) / np.float32(RANGE_DB / 2)
    filled = np.zeros(((len(levels) // STRIDE + 1) * STRIDE, MELS), np.float32)
    filled[: len(levels)] = levels
    return filled


class Network:
    """The network with its weights, read from `WEIGHTS` when it is made. Loads nothing else; safe to share."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        with np.load(weights) as stored:
            self._weights: dict[str, Array] = {name: stored[name].astype(np.float32) for name in stored.files}

    def heads(self, mels: Array) -> dict[str, Array]:
        """The heads of one sound by name, each float32 (size,) of unit norm. mels (T, MELS): power."""
        inputs = network_input(mels)
        weight = inputs.reshape(len(inputs) // STRIDE, STRIDE * MELS).mean(axis=1)
        weight /= max(float(weight.sum()), 1e-6)
        x = self._convolved(inputs[:, :, None], "stem", size=5, stride=2)
        x = self._residual(x, "block0")
        for stage in (1, 2):
            x = self._residual(self._convolved(x, f"down{stage - 1}", size=3, stride=2), f"block{stage}")
        x = np.maximum(
            x.reshape(len(x), -1) @ self._weights["over_frequency"] + self._weights["over_frequency.bias"], 0
        )
        pooled = np.concatenate([weight @ x, x.max(axis=0)])
        heads = {name: pooled @ self._weights[name] + self._weights[f"{name}.bias"] for name in HEADS}
        return {name: value / max(float(np.linalg.norm(value)), 1e-9) for name, value in heads.items()}

    def _residual(self, x: Array, name: str) -> Array:
        inner = self._convolved(x, f"{name}.first")
        outer = self._convolved(inner, f"{name}.second", activate=False)
        outer += x
        return np.maximum(outer, 0, out=outer)

    def _convolved(self, x: Array, name: str, *, size: int = 3, stride: int = 1, activate: bool = True) -> Array:
        """A convolution of `size` x `size` with zeros around, in pieces of time that fit the cache."""
        weights, bias = self._weights[name], self._weights[f"{name}.bias"]
        neighbourhoods = _neighbourhoods(x, size, stride)
        rows, columns, _, width = neighbourhoods.shape
        out = np.empty((rows, columns, weights.shape[1]), np.float32)
        step = min(rows, max(1, _PIECE // (columns * size * width)))
        gathered = np.empty((step, columns, size, width), np.float32)
        for first in range(0, rows, step):
            count = min(step, rows - first)
            np.copyto(gathered[:count], neighbourhoods[first : first + count])
            piece = out[first : first + count].reshape(count * columns, -1)
            np.matmul(gathered[:count].reshape(count * columns, -1), weights, out=piece)
            piece += bias
            if activate:
                np.maximum(piece, 0, out=piece)
        return out


def _neighbourhoods(x: Array, size: int, stride: int) -> Array:
    """View (time, frequency, size, size * channels): what each position of a convolution sees, zeros beyond the edges.

    Values next to each other in frequency lie next to each other in memory, so that they are copied in one run.
    """
    times, frequencies, channels = x.shape
    margin = size // 2
    padded = np.zeros((times + 2 * margin, frequencies + 2 * margin, channels), np.float32)
    padded[margin : margin + times, margin : margin + frequencies] = x
    in_time, in_frequency, in_channel = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (times // stride, frequencies // stride, size, size * channels),
        (in_time * stride, in_frequency * stride, in_time, in_channel),
        writeable=False,
    )


_PIECE = 131_072
"""Numbers of gathered neighbourhoods at once: 512 KB, which fit the second-level cache."""


@cache
def shipped_network() -> Network:
    """The network with the shipped weights, loaded once per process."""
    return Network()
