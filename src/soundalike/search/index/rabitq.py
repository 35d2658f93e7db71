"""One-bit sketches of unit vectors: about 70 bytes in the place of 1 KB, from which cosines are estimated.

After RaBitQ (Gao & Long, SIGMOD 2024). A vector d less a fixed centre c is turned by a fixed rotation R, and of each
coordinate the sign is kept: x in {-1, +1}^B. For any query q, with q' = R q,

    <d, q> = <c, q> + <d - c, q>,   <d - c, q> ~ g <x, q'>,   g = |d - c|^2 / sum |R (d - c)|

without bias, and with an error that is known beforehand (`Sketch.error`). q' is rounded to 4 bits, so that <x, q'> is a
few AND and population counts. Weights multiply q, so one sketch serves all of them, and parts of zero weight are not read.

Conventions: N rows, K parts, D dimensions, B bits a part (a multiple of 512). Rows lie in blocks of 1,024, and in a block
the first 64 bits of all rows, then the next: codes (K, blocks, B / 64, 1,024) uint64, factors g (K, blocks, 1,024) float32,
0 where the part is absent or the row does not exist, and ones, the number of +1, int16.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soundalike.config import available_cores

Float32 = NDArray[np.float32]

BLOCK = 1024
GROUP_BITS = 512
PLANES = 4
"""Bits that a coordinate of the query is rounded to."""

_SEED = 20_260
_PIECES = 4
"""Pieces of work a thread, so that none waits long for the last."""


@dataclass(frozen=True)
class Sketch:
    """Sketches of N rows; see the conventions above.

    centres: (K, D); errors: (K,) the standard deviation of the estimate of <d, q> for |q| = 1; typical: (K,) a row's g.
    """

    rows: int
    codes: NDArray[np.uint64]
    factors: Float32
    ones: NDArray[np.int16]
    centres: Float32
    errors: Float32
    typical: Float32

    def present(self, part: int) -> NDArray[np.bool_]:
        """(N,) which rows have the part."""
        return np.asarray(self.factors[part].reshape(-1)[: self.rows] != 0)


def bits_for(dimension: int) -> int:
    """B for vectors of `dimension`."""
    return -(-dimension // GROUP_BITS) * GROUP_BITS


@functools.cache
def rotation(dimension: int) -> Float32:
    """(B, D) a random matrix with orthonormal columns, the same for all time."""
    bits = bits_for(dimension)
    gaussian = np.random.default_rng(_SEED).normal(size=(bits, dimension))
    found, triangle = np.linalg.qr(gaussian)
    return np.ascontiguousarray(found * np.sign(np.diag(triangle)), dtype=np.float32)


@functools.cache
def _rotation64(dimension: int) -> NDArray[np.float64]:
    return rotation(dimension).astype(np.float64)


def sketch(columns: Sequence[Float32], centres: Float32) -> Sketch:
    """The sketch of K columns of vectors (N, D), zero rows where absent, around `centres` (K, D)."""
    encoded = [_encode(column, centre) for column, centre in zip(columns, centres, strict=True)]
    codes, factors, ones, errors, typical = (np.stack(pieces) for pieces in zip(*encoded, strict=True))
    return Sketch(len(columns[0]), codes, factors, ones, np.asarray(centres, np.float32), errors, typical)


def _encode(
    column: Float32, centre: Float32
) -> tuple[NDArray[np.uint64], Float32, NDArray[np.int16], np.float32, np.float32]:
    rows, dimension = column.shape
    bits = bits_for(dimension)
    padded = -(-max(rows, 1) // BLOCK) * BLOCK
    present = np.asarray(column.any(axis=1))
    residual = np.where(present[:, np.newaxis], column - centre, 0).astype(np.float32)
    turned = residual @ rotation(dimension).T
    square = np.einsum("nd,nd->n", residual, residual, dtype=np.float64)
    reach = np.abs(turned).sum(axis=1, dtype=np.float64)
    factors = np.zeros(padded, dtype=np.float32)
    # A vector that is the centre itself has no direction; a tiny factor says that it is there.
    factors[:rows] = np.where(present, np.maximum(square / np.maximum(reach, 1e-12), 1e-12), 0)
    signs = np.zeros((padded, bits), dtype=bool)
    signs[:rows] = turned > 0
    ones = signs.sum(axis=1, dtype=np.int16).reshape(-1, BLOCK)
    words = np.packbits(signs, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    codes = np.ascontiguousarray(words.reshape(-1, BLOCK, bits // 64).transpose(0, 2, 1))
    # The estimate's error is g |x| sin(angle of x and R (d - c)) times a random direction's share of q.
    cosine = np.minimum(reach / np.maximum(np.sqrt(square * bits), 1e-12), 1)
    spread = factors[:rows] * np.sqrt(bits) * np.sqrt(1 - cosine**2) / np.sqrt(bits - 1)
    error, typical = _middle(spread[present]), _middle(factors[:rows][present])
    return codes, factors.reshape(-1, BLOCK), ones, error, typical


def _middle(values: NDArray[np.floating[Any]]) -> np.float32:
    """Root mean square, 0 of nothing."""
    return np.float32(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if len(values) else np.float32(0)


@dataclass(frozen=True)
class Question:
    """A query as the scan takes it. parts: (P,) which of the K; planes: (P, 4, B / 64); constants: (P, 4); error: standard
    deviation of a row's estimate."""

    parts: NDArray[np.int64]
    planes: NDArray[np.uint64]
    constants: Float32
    error: float


def question(of: Sketch, parts: Sequence[int], queries: Sequence[NDArray[np.float64]]) -> Question:
    """Prepare sum over `parts` of <row's part, its query>; queries: (D,) each, weights multiplied in. A part may be named
    more than once."""
    planes, constants, variance = [], [], 0.0
    # einsum, since a BLAS that has just been used keeps its threads spinning, on the cores that the scan needs.
    turned_queries = np.einsum("bd,pd->pb", _rotation64(len(queries[0])), np.stack(queries))
    for part, query, turned in zip(parts, queries, turned_queries, strict=True):
        low = float(turned.min())
        step = (float(turned.max()) - low) / (2**PLANES - 1) or 1.0
        rounded = np.rint((turned - low) / step).astype(np.uint8)
        bits = (rounded[np.newaxis] >> np.arange(PLANES, dtype=np.uint8)[:, np.newaxis]) & 1
        planes.append(np.packbits(bits.astype(bool), axis=1, bitorder="little").view("<u8").astype(np.uint64))
        # <x, q'> = 2 (sum of q' where x is +1) - sum of q', of the rounded q' on both sides.
        sum_ = low * len(turned) + step * int(rounded.sum(dtype=np.int64))
        constants.append((2 * step, 2 * low, -sum_, float(of.centres[part] @ query)))
        variance += (float(of.errors[part]) * float(np.linalg.norm(query))) ** 2
        variance += (float(of.typical[part]) * step) ** 2 * len(turned) / 12
    return Question(
        np.array(parts, dtype=np.int64),
        np.array(planes, dtype=np.uint64),
        np.array(constants, dtype=np.float32),
        float(np.sqrt(variance)),
    )


def estimate(of: Sketch, asked: Question) -> Float32:
    """(N,) the estimates. Uses all cores that this process may."""
    from soundalike.search.index.rabitq_kernel import accumulate

    blocks = of.codes.shape[1]
    out = np.empty(blocks * BLOCK, dtype=np.float32)
    kernel = accumulate()

    def scan(piece: slice) -> None:
        scratch = np.empty(BLOCK, dtype=np.int64)
        question = asked.parts, asked.planes, asked.constants
        kernel(of.codes, of.factors, of.ones, *question, piece.start, piece.stop, scratch, out)

    in_pieces(scan, blocks, least=4)
    return out[: of.rows]


def in_pieces(work: Callable[[slice], None], count: int, *, least: int) -> None:
    """Do `work` on slices of `count` things, on all cores that this process may use where there are `least` for each."""
    threads = min(available_cores(), max(1, count // (2 * least)))
    if threads == 1:
        work(slice(0, count))
        return
    edges = np.linspace(0, count, threads * min(_PIECES, max(1, count // (threads * least))) + 1).astype(int).tolist()
    list(_pool().map(work, [slice(begin, end) for begin, end in itertools.pairwise(edges)]))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Threads for scans; the loops let go of the interpreter's lock."""
    return ThreadPoolExecutor(available_cores(), "scan")
