"""One-bit codes of unit vectors: about 70 bytes in place of 1 KB, from which cosines are estimated.

After RaBitQ (Gao & Long, SIGMOD 2024). A vector d minus a fixed centre c is rotated by a fixed matrix R, and of each
coordinate the sign is kept: x in {-1, +1}^B. For any query q, with q' = R q,

    <d, q> = <c, q> + <d - c, q>,   <d - c, q> ~ g <x, q'>,   g = |d - c|^2 / sum |R (d - c)|

without bias, and with a standard error that is known beforehand (`CodedVectors.errors`). q' is rounded to 4 bits, so that
<x, q'> is a few ANDs and population counts. Weights multiply q, so one code serves all of them, and parts of zero weight are
not read.

Conventions: N rows, K parts, D dimensions, B bits per part (a multiple of 512). Rows are stored in blocks of 1,024; within a
block the first 64 bits of all rows come first, then the next 64: codes (K, blocks, B / 64, 1,024) uint64, factors g (K, blocks,
1,024) float32, 0 where the part is absent or the row does not exist, and ones, the number of +1, int16.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from soundalike.config import available_cores

Float32 = NDArray[np.float32]

BLOCK = 1024
GROUP_BITS = 512
PLANES = 4
"""Bits per coordinate of a rounded query."""

_SEED = 20_260
_PIECES = 4
"""Pieces of work per thread, so that no thread idles long while the last piece is finished."""


@dataclass(frozen=True)
class CodedVectors:
    """Codes of N rows; see the conventions above.

    centres (K, D); errors (K,): standard deviation of the estimate of <d, q> for |q| = 1; typical (K,): RMS of the factors g.
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
    """(B, D) a random matrix with orthonormal columns, from a fixed seed: stored codes depend on it."""
    bits = bits_for(dimension)
    gaussian = np.random.default_rng(_SEED).normal(size=(bits, dimension))
    orthonormal, triangle = np.linalg.qr(gaussian)
    return np.ascontiguousarray(orthonormal * np.sign(np.diag(triangle)), dtype=np.float32)


@functools.cache
def _rotation64(dimension: int) -> NDArray[np.float64]:
    return rotation(dimension).astype(np.float64)


def encode(columns: Sequence[Float32], centres: Float32) -> CodedVectors:
    """The codes of K columns of vectors (N, D), zeros where absent, around `centres` (K, D)."""
    encoded = [_encode_column(column, centre) for column, centre in zip(columns, centres, strict=True)]
    codes, factors, ones, errors, typical = (np.stack(pieces) for pieces in zip(*encoded, strict=True))
    return CodedVectors(len(columns[0]), codes, factors, ones, np.asarray(centres, np.float32), errors, typical)


def _encode_column(
    column: Float32, centre: Float32
) -> tuple[NDArray[np.uint64], Float32, NDArray[np.int16], np.float32, np.float32]:
    rows, dimension = column.shape
    bits = bits_for(dimension)
    padded = -(-max(rows, 1) // BLOCK) * BLOCK
    present = np.asarray(column.any(axis=1))
    residual = np.where(present[:, np.newaxis], column - centre, 0).astype(np.float32)
    rotated = residual @ rotation(dimension).T
    square = np.einsum("nd,nd->n", residual, residual, dtype=np.float64)
    reach = np.abs(rotated).sum(axis=1, dtype=np.float64)
    factors = np.zeros(padded, dtype=np.float32)
    # A vector equal to the centre has no direction; a tiny factor marks it as present.
    factors[:rows] = np.where(present, np.maximum(square / np.maximum(reach, 1e-12), 1e-12), 0)
    signs = np.zeros((padded, bits), dtype=bool)
    signs[:rows] = rotated > 0
    ones = signs.sum(axis=1, dtype=np.int16).reshape(-1, BLOCK)
    packed = np.packbits(signs, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    codes = np.ascontiguousarray(packed.reshape(-1, BLOCK, bits // 64).transpose(0, 2, 1))
    # The error of an estimate is g |x| sin(angle between x and R (d - c)) times the component of q in a random direction.
    cosine = np.minimum(reach / np.maximum(np.sqrt(square * bits), 1e-12), 1)
    spread = factors[:rows] * np.sqrt(bits) * np.sqrt(1 - cosine**2) / np.sqrt(bits - 1)
    error, typical = _rms(spread[present]), _rms(factors[:rows][present])
    return codes, factors.reshape(-1, BLOCK), ones, error, typical


def _rms(values: NDArray[np.floating[Any]]) -> np.float32:
    """Root mean square; 0 for no values."""
    return np.float32(np.sqrt(np.mean(np.square(values, dtype=np.float64)))) if len(values) else np.float32(0)


@dataclass(frozen=True)
class EncodedQuery:
    """A query as the scan takes it. parts (P,): indices of the parts; planes (P, 4, B / 64): bit planes of the rounded query;
    constants (P, 4); error: standard deviation of a row's estimate."""

    parts: NDArray[np.int64]
    planes: NDArray[np.uint64]
    constants: Float32
    error: float


def encode_query(coded: CodedVectors, parts: Sequence[int], queries: Sequence[NDArray[np.float64]]) -> EncodedQuery:
    """Prepare the sum over `parts` of <row's part, its query>; queries: (D,) each, multiplied by their weights. A part may be
    named more than once."""
    planes, constants, variance = [], [], 0.0
    # einsum, because the threads of a BLAS keep spinning after a product, on the cores that the scan needs.
    rotated_queries = np.einsum("bd,pd->pb", _rotation64(len(queries[0])), np.stack(queries))
    for part, query, rotated in zip(parts, queries, rotated_queries, strict=True):
        low = float(rotated.min())
        step = (float(rotated.max()) - low) / (2**PLANES - 1) or 1.0
        rounded = np.rint((rotated - low) / step).astype(np.uint8)
        bits = (rounded[np.newaxis] >> np.arange(PLANES, dtype=np.uint8)[:, np.newaxis]) & 1
        planes.append(np.packbits(bits.astype(bool), axis=1, bitorder="little").view("<u8").astype(np.uint64))
        # <x, q'> = 2 (sum of q' where x is +1) - sum of q', of the rounded q' on both sides.
        sum_ = low * len(rotated) + step * int(rounded.sum(dtype=np.int64))
        constants.append((2 * step, 2 * low, -sum_, float(coded.centres[part] @ query)))
        variance += (float(coded.errors[part]) * float(np.linalg.norm(query))) ** 2
        variance += (float(coded.typical[part]) * step) ** 2 * len(rotated) / 12
    return EncodedQuery(
        np.array(parts, dtype=np.int64),
        np.array(planes, dtype=np.uint64),
        np.array(constants, dtype=np.float32),
        float(np.sqrt(variance)),
    )


def estimate(coded: CodedVectors, query: EncodedQuery) -> Float32:
    """(N,) estimates of all rows, on all available cores."""
    blocks = coded.codes.shape[1]
    out = np.empty(blocks * BLOCK, dtype=np.float32)
    kernel = kernels().accumulate

    def scan(piece: slice) -> None:
        scratch = np.empty(BLOCK, dtype=np.int64)
        encoded = query.parts, query.planes, query.constants
        kernel(coded.codes, coded.factors, coded.ones, *encoded, piece.start, piece.stop, scratch, out)

    in_pieces(scan, blocks, least=4)
    return out[: coded.rows]


class Kernels(NamedTuple):
    """The inner loops, see `rabitq_kernel`; compiled: whether numba made them."""

    accumulate: Callable[..., None]
    products: Callable[..., None]
    compiled: bool


@functools.cache
def kernels() -> Kernels:
    """The inner loops compiled by numba where the extra `large` is installed, else NumPy's, which take longer."""
    if find_spec("numba") is None:
        from soundalike.search.index import rabitq_numpy

        return Kernels(rabitq_numpy.accumulate, rabitq_numpy.products, compiled=False)
    from soundalike.search.index import rabitq_kernel

    return Kernels(rabitq_kernel.accumulate(), rabitq_kernel.products(), compiled=True)


def in_pieces(work: Callable[[slice], None], count: int, *, least: int) -> None:
    """Call `work` on slices of range(count), in threads on all available cores where each gets at least `least`."""
    threads = min(available_cores(), max(1, count // (2 * least)))
    if threads == 1:
        work(slice(0, count))
        return
    edges = np.linspace(0, count, threads * min(_PIECES, max(1, count // (threads * least))) + 1).astype(int).tolist()
    list(_pool().map(work, [slice(begin, end) for begin, end in itertools.pairwise(edges)]))


@functools.cache
def _pool() -> ThreadPoolExecutor:
    """Threads for scans; the compiled loops release the GIL."""
    return ThreadPoolExecutor(available_cores(), "scan")
