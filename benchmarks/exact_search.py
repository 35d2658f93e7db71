"""Latency and memory of exact search, against NumPy's matrix-vector product in the same run.

    python -m benchmarks.exact_search --rows 10000 100000

Writes libraries of random unit vectors (songs of 10 windows) to a temporary folder, opens and searches them. Times are
medians over `--queries` searches after one that is not counted; memory is that of the columns read.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.shared.markdown import print_table
from benchmarks.shared.random_library import WINDOWS, write_random_library
from benchmarks.shared.timing import median_ms
from soundalike.analysis.recipe import make_recipe
from soundalike.library.storage.store import Library
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.vector_index import Term
from soundalike.similarity.cosine import unit

HITS = 10
HEADER = (
    "rows",
    "weights",
    "first query, from disk (ms)",
    "search (ms)",
    "NumPy product (ms)",
    "ratio",
    "memory (MB)",
    "disk (MB)",
    "same best row",
)


def measure(rows: int, queries: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """The rows of the table for one size: one part, all parts."""
    with tempfile.TemporaryDirectory() as folder:
        library = write_random_library(Path(folder) / "library", rows // WINDOWS, rng)
        for parts in (("drums",), library.recipe.parts):
            label = "one part" if len(parts) == 1 else f"{len(parts)} parts"
            yield f"{rows:,}", label, *search_times(library, parts, queries, rng)


def search_times(library: Library, parts: tuple[str, ...], queries: int, rng: np.random.Generator) -> tuple[str, ...]:
    """All columns but the first two."""
    index = FlatIndex(library, "windows")
    tie_order = np.arange(len(index.rows.contents), dtype=np.int64)
    query = {part: unit(rng.normal(size=library.recipe.dimension)).astype(np.float64) for part in parts}
    terms = [Term(part, part, query[part], 1.0) for part in parts]
    start = time.perf_counter()
    first = index.search(terms, HITS, tie_order).best
    cold = 1e3 * (time.perf_counter() - start)
    ours = median_ms(lambda: index.search(terms, HITS, tie_order).best, queries)
    matrix = np.concatenate([index.column(part) for part in parts], axis=1)
    flat = np.concatenate([query[part] for part in parts]).astype(np.float32)
    product = median_ms(lambda: matrix @ flat, queries)
    return (
        f"{cold:.0f}",
        f"{ours:.1f}",
        f"{product:.1f}",
        f"{ours / product:.2f}",
        f"{matrix.nbytes / 1e6:.0f}",
        f"{library.size_on_disk() / 1e6:.0f}",
        "yes" if first[0].row == np.argmax(matrix @ flat) else "NO",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print(f"dimension {make_recipe().dimension} per part, float16 on disk, float32 in memory, {os.cpu_count()} cores\n")
    print_table(HEADER, (row for rows in arguments.rows for row in measure(rows, arguments.queries, rng)))


if __name__ == "__main__":
    main()
