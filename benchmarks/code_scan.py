"""The scan of one-bit codes: numba's compiled loops beside NumPy's, on random vectors.

    python -m benchmarks.code_scan [--rows N] [--dimension D] [--repeats N]

Prints the lowest of some runs in milliseconds, for one part, and the largest difference of the estimates.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from soundalike.search.index import rabitq_kernel, rabitq_numpy
from soundalike.search.index.rabitq import BLOCK, encode, encode_query
from soundalike.similarity.cosine import unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dimension", type=int, default=334)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    column = unit(rng.normal(size=(options.rows, options.dimension))).astype(np.float32)
    coded = encode([column], column.mean(axis=0, keepdims=True))
    query = encode_query(coded, [0], [unit(rng.normal(size=options.dimension))])
    blocks = coded.codes.shape[1]

    def scan(accumulate: Callable[..., None]) -> tuple[float, np.ndarray]:
        out, scratch, lowest = np.empty(blocks * BLOCK, np.float32), np.empty(BLOCK, np.int64), np.inf
        encoded = query.parts, query.planes, query.constants
        for _ in range(options.repeats):
            began = time.perf_counter()
            accumulate(coded.codes, coded.factors, coded.ones, *encoded, 0, blocks, scratch, out)
            lowest = min(lowest, time.perf_counter() - began)
        return 1000 * lowest, out

    compiled, estimates = scan(rabitq_kernel.accumulate())
    plain, same = scan(rabitq_numpy.accumulate)
    print("| rows | numba (ms) | NumPy (ms) | ratio | largest difference |\n|---|---|---|---|---|")
    difference = float(np.abs(estimates - same).max())
    print(f"| {options.rows:,} | {compiled:.2f} | {plain:.2f} | {plain / compiled:.0f} | {difference:.1e} |")


if __name__ == "__main__":
    main()
