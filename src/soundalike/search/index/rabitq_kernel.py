"""The inner loops of the search by one-bit codes, compiled by numba: a module of its own, so that numba is imported only for
large libraries."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_SIGNATURE = (
    "void(Array(uint64, 4, 'C', readonly=True), Array(float32, 3, 'C', readonly=True), "
    "Array(int16, 3, 'C', readonly=True), int64[::1], uint64[:,:,::1], float32[:,::1], int64, int64, int64[::1], float32[::1])"
)


@functools.cache
def accumulate() -> Callable[..., None]:
    """accumulate()(codes, factors, ones, parts, planes, constants, begin, end, scratch, out) writes the estimates of the rows of
    blocks `begin` to `end` into `out` (N,). scratch: (1024,) int64 of the calling thread."""
    import numba
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def counted(_: Any, word: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            count = builder.module.declare_intrinsic("llvm.ctpop", [ir.IntType(64)])
            return builder.call(count, arguments)

        return types.int64(types.uint64), generate

    ones_in: Any = counted  # numba passes the typing context itself

    def loop(  # type: ignore[no-untyped-def]
        codes, factors, ones, parts, planes, constants, begin, end, scratch, out
    ):
        groups = codes.shape[2] // 8
        block = scratch.shape[0]
        for b in range(begin, end):
            for p in range(parts.shape[0]):
                k = parts[p]
                for g in range(groups):
                    words, bits = codes[k, b, 8 * g : 8 * g + 8], planes[p, :, 8 * g : 8 * g + 8]
                    for r in range(1024):
                        total = 0
                        # A constant number of words lets the compiler unroll this loop and process as many rows at once
                        # as a register holds.
                        for w in range(8):
                            word = words[w, r]
                            total += (
                                ones_in(word & bits[0, w])
                                + (ones_in(word & bits[1, w]) << 1)
                                + (ones_in(word & bits[2, w]) << 2)
                                + (ones_in(word & bits[3, w]) << 3)
                            )
                        scratch[r] = total if g == 0 else scratch[r] + total
                step, low, rest, centre = constants[p, 0], constants[p, 1], constants[p, 2], constants[p, 3]
                at = b * block
                for r in range(1024):
                    factor = factors[k, b, r]
                    estimate = factor * (step * numba.float32(scratch[r]) + low * numba.float32(ones[k, b, r]) + rest)
                    estimate += centre if factor != numba.float32(0) else numba.float32(0)
                    out[at + r] = estimate if p == 0 else out[at + r] + estimate

    compiled: Callable[..., None] = numba.njit(_SIGNATURE, nogil=True, fastmath=True)(loop)
    return compiled


_PRODUCTS = "void(Array(uint16, 3, 'C', readonly=True), int64[::1], int64[::1], float32[:,::1], float32[::1])"


@functools.cache
def products() -> Callable[..., None]:
    """products()(vectors, rows, parts, queries, out): the sum over parts of <vector, query> of some rows into `out` (M,).

    vectors: (N, K, D) float16, seen as uint16; rows: (M,); parts: (P,); queries: (P, D). NumPy needs three passes for this,
    and most of the time for turning float16 into float32.
    """
    import numba
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def bits(_: Any, word: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], ir.FloatType())

        return types.float32(types.uint32), generate

    as_float: Any = bits  # numba passes the typing context itself
    scale = numba.float32(2.0**112)  # float16 has its exponent's zero at 15, float32 at 127

    def loop(vectors, rows, parts, queries, out):  # type: ignore[no-untyped-def]
        for i in range(rows.shape[0]):
            total = numba.float32(0)
            for p in range(parts.shape[0]):
                vector, query = vectors[rows[i], parts[p]], queries[p]
                for d in range(query.shape[0]):
                    half = numba.uint32(vector[d])
                    wide = ((half & numba.uint32(0x8000)) << numba.uint32(16)) | (
                        (half & numba.uint32(0x7FFF)) << numba.uint32(13)
                    )
                    total += as_float(numba.uint32(wide)) * scale * query[d]
            out[i] = total

    compiled: Callable[..., None] = numba.njit(_PRODUCTS, nogil=True, fastmath=True)(loop)
    return compiled
