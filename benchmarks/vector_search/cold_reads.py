"""Cost of exact re-ranking while the rows are not in the page cache.

    python -m benchmarks.vector_search.cold_reads [--rows 100000] [--folder build/vectors]

A copy of the rows is dropped from the page cache before each search, so that rows come from the disk: with the kernel's
read-ahead (default) or without it (MADV_RANDOM).
"""

from __future__ import annotations

import argparse
import mmap
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.vector_search.rerank import Exact
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS, opened


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("build/vectors"))
    arguments = parser.parse_args()
    source, _ = opened(arguments.folder, arguments.rows)
    query = np.load(arguments.folder / "queries.npy")[0]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        copy = Path(place) / "rows.f16"
        with copy.open("wb") as out:
            for begin in range(0, arguments.rows, 8192):
                out.write(source[begin : begin + 8192].tobytes())
            out.flush()
            os.fsync(out.fileno())
        for what, weights in (
            ("7 parts", np.ones(len(PARTS), np.float32)),
            ("1 part", np.eye(len(PARTS), dtype=np.float32)[1]),
        ):
            for advice in (None, mmap.MADV_RANDOM):
                for count in (200, 1000, 4000):
                    cold, warm = [], []
                    for repeat in range(5):
                        wanted = np.random.default_rng(repeat).choice(arguments.rows, count, replace=False)
                        with copy.open("rb") as held:
                            os.posix_fadvise(held.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                            mapped = mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ)
                        if advice is not None:
                            mapped.madvise(advice)
                        rows = np.frombuffer(mapped, np.float16).reshape(-1, len(PARTS), DIMENSION)
                        exact = Exact(rows)
                        for spent in (cold, warm):
                            began = time.perf_counter()
                            exact.best(wanted, query, weights)
                            spent.append(1000 * (time.perf_counter() - began))
                        del exact, rows
                        mapped.close()
                    print(
                        f"{what}, {count:5d} rows, read-ahead {'off' if advice else 'on ':3s}: "
                        f"cold {statistics.median(cold):7.1f} ms, warm {statistics.median(warm):6.2f} ms",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
