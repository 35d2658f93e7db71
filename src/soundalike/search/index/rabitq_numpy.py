"""The inner loops of searching one-bit codes in NumPy: what `rabitq_kernel` compiles, for installations without numba.

The same results; a scan takes about 25 times as long, which matters for libraries past the memory budget alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

_ROWS_AT_ONCE = 2048


def accumulate(
    codes: NDArray[np.uint64],
    factors: Float32,
    ones: NDArray[np.int16],
    parts: NDArray[np.int64],
    planes: NDArray[np.uint64],
    constants: Float32,
    begin: int,
    end: int,
    scratch: NDArray[np.int64],
    out: Float32,
) -> None:
    """Write the estimates of the rows of the blocks `begin` to `end` into `out`; arguments as in `rabitq_kernel.accumulate`.

    scratch: (rows of a block,), whose length alone is used.
    """
    block = scratch.shape[0]
    matching = np.empty(codes.shape[2:], dtype=np.uint64)
    counts = np.empty(codes.shape[2:], dtype=np.uint8)
    plane_total = np.empty(block, dtype=np.uint32)
    for b in range(begin, end):
        estimates = np.zeros(block, dtype=np.float32)
        for part, query, (step, low, rest, centre) in zip(parts, planes, constants, strict=True):
            total = np.zeros(block, dtype=np.uint32)
            for bit, plane in enumerate(query):
                np.bitwise_and(codes[part, b], plane[:, np.newaxis], out=matching)
                np.bitwise_count(matching, out=counts)
                np.add.reduce(counts, axis=0, dtype=np.uint32, out=plane_total)
                total += plane_total << np.uint32(bit)
            factor = factors[part, b]
            estimates += factor * (step * total.astype(np.float32) + low * ones[part, b] + rest) + centre * (
                factor != 0
            )
        out[b * block : (b + 1) * block] = estimates


def products(
    vectors: NDArray[np.uint16], rows: NDArray[np.int64], parts: NDArray[np.int64], queries: Float32, out: Float32
) -> None:
    """Write the sum over parts of <vector, query> of some rows into `out` (M,); arguments as in `rabitq_kernel.products`."""
    halves = vectors.view(np.float16)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        wanted = halves[some[:, np.newaxis], parts].astype(np.float32)
        out[first : first + len(some)] = np.einsum("mpd,pd->m", wanted, queries)
