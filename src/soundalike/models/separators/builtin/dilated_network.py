"""A network of dilated convolutions over time, in NumPy: every convolution is three matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class DilatedNetwork:
    """Two layers for each frame, then residual convolutions of three frames; its weights are read when it is made. Safe to share.

    dilations: how far apart the three frames of each convolution are; a result depends on as many frames on either side as they
    add up to.
    """

    def __init__(self, weights: Path, dilations: Sequence[int]) -> None:
        """weights: an .npz file with `first`, `second`, `block0.spread`, `block0.back`, ..., `last`: each (inputs, outputs), of
        `spread` (3, inputs, outputs), and each with a `.bias`."""
        self._dilations = tuple(dilations)
        with np.load(weights, allow_pickle=False) as stored:
            self._weights: dict[str, Floats] = {name: stored[name].astype(np.float32) for name in stored.files}

    def __call__(self, inputs: Floats) -> Floats:
        """What the last layer gives (frames - 2 sum(dilations), outputs) for `inputs` (frames, inputs)."""
        x = self._dense(inputs, "first")
        np.maximum(x, 0, out=x)
        x = self._dense(x, "second")
        for index, dilation in enumerate(self._dilations):
            inner = self._convolved(np.maximum(x, 0), f"block{index}.spread", dilation)
            np.maximum(inner, 0, out=inner)
            x = x[dilation : len(x) - dilation] + self._dense(inner, f"block{index}.back")
        return self._dense(x, "last")

    def _dense(self, x: Floats, name: str) -> Floats:
        out: Floats = x @ self._weights[name]
        out += self._weights[f"{name}.bias"]
        return out

    def _convolved(self, x: Floats, name: str, dilation: int) -> Floats:
        """A convolution over three frames that are `dilation` apart; the result is 2 `dilation` shorter."""
        weights, count = self._weights[name], len(x) - 2 * dilation
        out: Floats = x[:count] @ weights[0]
        out += x[dilation : dilation + count] @ weights[1]
        out += x[2 * dilation :] @ weights[2]
        out += self._weights[f"{name}.bias"]
        return out
