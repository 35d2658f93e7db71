"""Sketches of real vectors: how far their estimates are off, and what a search by them misses, on a library of real audio.

    python benchmarks/real_recall.py LIBRARY [--count 10]

A library of some hundred files is far below the memory budget; here its tables are sketched all the same (into a temporary
folder; the library is not changed), and every row is asked with.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from soundalike.library.storage.store import Library
from soundalike.search.index import rabitq_segments
from soundalike.search.index.recall import measure_recall
from soundalike.search.index.vectors import TABLES, Vectors


class Elsewhere:
    """The library, with another place for what is derived from it."""

    def __init__(self, library: Library, folder: Path) -> None:
        self._library, self._folder = library, folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def derived_path(self, name: str) -> Path:
        return self._folder / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--count", type=int, default=10)
    arguments = parser.parse_args()
    rabitq_segments.LOOSE = 0
    with tempfile.TemporaryDirectory() as folder:
        library: Any = Elsewhere(Library.open(arguments.library), Path(folder))
        near, far = Vectors(library, budget=1 << 40), Vectors(library, budget=0)
        print(
            "| table | rows | part | error of a cosine: seen | said | deviation of the cosines |\n|---|---|---|---|---|---|"
        )
        for table in TABLES:
            for part in far.parts(table):
                queries = near.column(table, part).astype(np.float64)
                scans = [far.sketches(table).estimate([(part, query)]) for query in queries]
                found = np.array([scores for scores, _ in scans])
                true = queries @ queries.T
                off = ~np.eye(len(queries), dtype=bool)
                seen, said = (found - true)[off].std(), np.mean([error for _, error in scans])
                print(f"| {table} | {len(queries)} | {part} | {seen:.4f} | {said:.4f} | {true[off].std():.3f} |")
        for table in TABLES:
            rows = len(far.rows(table))
            measured = measure_recall(far, table, count=arguments.count, queries=rows)
            shares = ", ".join(f"{name} {share:.3f}" for name, share in measured.by_weights.items())
            print(f"\n{table}, {rows} queries, recall@{arguments.count}: {shares}")


if __name__ == "__main__":
    main()
