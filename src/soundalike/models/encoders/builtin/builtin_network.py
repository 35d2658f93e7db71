"""The learned network of the built-in encoder, version 2, in NumPy: mel spectra in, heads out.

Residual convolutions (He et al. 2016) on a log mel spectrum, then the level-weighted mean and the maximum over time and
linear heads. Batch normalisation is folded into the weights (`training/export.py`). Every convolution is a few matrix
products over gathered neighbourhoods, so BLAS does the work. Axes of activations are (time, frequency, channels).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from scipy.linalg.blas import sgemm

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
        return self._convolved(self._convolved(x, f"{name}.first"), f"{name}.second", plus=x)

    def _convolved(self, x: Array, name: str, *, size: int = 3, stride: int = 1, plus: Array | None = None) -> Array:
        """A convolution of `size` x `size` with zeros around, `plus` added, then rectified; in pieces of time that fit the
        cache.

        What a position sees at one time is gathered in one row, for all the times at once; those `size` times are added up
        by as many matrix products.
        """
        weights, bias = self._weights[name], self._weights[f"{name}.bias"]
        times, columns, channels = x.shape[0] // stride, x.shape[1] // stride, weights.shape[1]
        width = size * x.shape[2]
        taps = [weights[tap * width : (tap + 1) * width] for tap in range(size)]
        out = np.empty((times, columns, channels), np.float32)
        step = min(times, max(1, _PIECE // (columns * width)))
        gathered = np.zeros((stride, step + (size - 1) // stride, columns, width), np.float32)
        for first in range(0, times, step):
            count = min(step, times - first)
            piece = out[first : first + count]
            np.copyto(piece, bias)
            if plus is not None:
                piece += plus[first : first + count]
            for phase in range(stride):
                _gather(x, first * stride + phase - size // 2, stride, size, gathered[phase])
            for tap in range(size):
                rows = gathered[tap % stride, tap // stride : tap // stride + count]
                # Transposed, because BLAS counts columns first; `piece` is changed in place.
                sgemm(
                    1.0,
                    taps[tap].T,
                    rows.reshape(count * columns, width).T,
                    1.0,
                    piece.reshape(count * columns, channels).T,
                    overwrite_c=True,
                )
            np.maximum(piece, 0, out=piece)
        return out


def _gather(x: Array, first: int, stride: int, size: int, rows: Array) -> None:
    """Fill rows[i, j] with the channels of `size` neighbours in frequency around column j * stride, at the time
    first + i * stride; zeros beyond the edges. rows: (times, columns, size * channels)."""
    channels = x.shape[2]
    begin = -(first // stride) if first < 0 else 0
    end = min(len(rows), max(begin, -((first - len(x)) // stride)))
    rows[:begin] = 0
    rows[end:] = 0
    source = x[first + begin * stride : first + end * stride : stride]
    for neighbour in range(size):
        shift = neighbour - size // 2
        skipped = -(shift // stride) if shift < 0 else 0
        values = source[:, shift + skipped * stride :: stride]
        place = slice(neighbour * channels, (neighbour + 1) * channels)
        rows[begin:end, skipped : skipped + values.shape[1], place] = values[:, : rows.shape[1] - skipped]


_PIECE = 131_072
"""Gathered numbers at once: 512 KB, which fit the second-level cache."""


@cache
def shipped_network() -> Network:
    """The network with the shipped weights, loaded once per process."""
    return Network()
