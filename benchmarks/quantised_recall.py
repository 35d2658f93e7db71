"""One-bit quantisation of real vectors: errors of its estimates, and recall of a search with it.

    python -m benchmarks.quantised_recall LIBRARY [--count 10]

A library of a few hundred files is far below the memory budget. Here its tables are quantised anyway (into a temporary
folder; the library is not changed), and every row is a query.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from soundalike.search.index.vectors import TABLES, Table, Vectors

from benchmarks.shared.markdown import print_table
from soundalike.library.storage.store import Library
from soundalike.search.index import rabitq_segments
from soundalike.search.index.recall import measure_recall

HEADER = ("table", "rows", "part", "error of a cosine: observed", "predicted", "standard deviation of the cosines")


class WithTemporaryIndex:
    """A library whose derived files are written to another folder."""

    def __init__(self, library: Library, folder: Path) -> None:
        self._library, self._folder = library, folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def derived_path(self, name: str) -> Path:
        return self._folder / name


def errors(exact: Vectors, quantised: Vectors, tables: list[Table]) -> Iterator[tuple[str, ...]]:
    """Rows of the table: for each table and part, every row against every other."""
    for table in tables:
        for part in quantised.parts(table):
            queries = exact.column(table, part).astype(np.float64)
            scans = [quantised.sketches(table).estimate([(part, query)]) for query in queries]
            estimates = np.array([scores for scores, _ in scans])
            cosines = queries @ queries.T
            others = ~np.eye(len(queries), dtype=bool)
            observed = (estimates - cosines)[others].std()
            predicted = np.mean([error for _, error in scans])
            deviation = cosines[others].std()
            yield table, str(len(queries)), part, f"{observed:.4f}", f"{predicted:.4f}", f"{deviation:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--count", type=int, default=10)
    arguments = parser.parse_args()
    rabitq_segments.LOOSE = 0
    with tempfile.TemporaryDirectory() as folder:
        library: Any = WithTemporaryIndex(Library.open(arguments.library), Path(folder))
        exact, quantised = Vectors(library, budget=1 << 40), Vectors(library, budget=0)
        tables = [table for table in TABLES if len(exact.rows(table))]
        print_table(HEADER, errors(exact, quantised, tables))
        for table in tables:
            rows = len(quantised.rows(table))
            measured = measure_recall(quantised, table, count=arguments.count, queries=rows)
            shares = ", ".join(f"{name} {share:.3f}" for name, share in measured.by_weights.items())
            print(f"{table}, {rows} queries, recall@{arguments.count}: {shares}")


if __name__ == "__main__":
    main()
