"""Which windows stand for a whole track, where separating all of them would cost too much.

Chosen are those that together are most like all the others (facility location), not the first ones: greedily, the
window that adds most to sum_i max_j cos(i, j) over all windows i and chosen windows j, which is within 1 - 1/e of the
best choice there is (Nemhauser, Wolsey & Fisher 1978). Likeness is that of the built-in encoder on the mix, which costs
a hundredth of separation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

QUIET_DB = 20.0
"""A window so far under the track's loudest is not chosen: an intro's room noise stands for nothing."""


def choice_version() -> str:
    """Names the way of choosing; changes whenever the choice does."""
    from soundalike.models.encoders import load_encoder

    return f"facility location 1 on builtin {load_encoder('builtin').version}"


def choose_windows(vectors: Float32, levels: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Indices, ascending, of at most `count` of N windows.

    vectors: (N, D) unit rows; levels: (N,) RMS in dB. Ties go to the earlier window. Of windows within `QUIET_DB` of the
    loudest, all are returned if there are no more than `count`.
    """
    loud = np.flatnonzero(levels >= levels.max(initial=-np.inf) - QUIET_DB)
    loud = loud[np.isfinite(levels[loud])]
    if len(loud) <= count:
        return loud
    alike = vectors[loud].astype(np.float64) @ vectors[loud].astype(np.float64).T
    covered = np.full(len(loud), -1.0)
    chosen: list[int] = []
    for _ in range(count):
        gains = np.maximum(alike - covered, 0.0).sum(axis=1)
        gains[chosen] = -1.0
        best = int(np.argmax(np.round(gains, 9)))
        chosen.append(best)
        covered = np.maximum(covered, alike[best])
    return np.sort(loud[chosen])
