"""One-bit quantisation of real vectors: errors of its estimates, and recall of a search with it.

    python -m benchmarks.quantised_recall LIBRARY [--count 10]

A library of a few hundred files is far below the memory budget. Here its tables are quantised anyway (into a temporary
folder; the library is not changed), and every row is a query; clips also as if they had been heard in a song, where the network
of the built-in encoder has most of the score.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.shared.markdown import print_table
from soundalike.library.storage.store import Library
from soundalike.search.index import rabitq_segments
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.quantised import QuantisedIndex
from soundalike.search.index.recall import measure_recall
from soundalike.search.index.table_rows import CLIPS, TABLES
from soundalike.search.region_shares import REGION_SHARES

HEADER = ("table", "rows", "query", "error of a score: observed", "predicted", "standard deviation of the scores")


class WithTemporaryIndex:
    """A library whose derived files are written to another folder."""

    def __init__(self, library: Library, folder: Path) -> None:
        self._library, self._folder = library, folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def derived_path(self, name: str) -> Path:
        return self._folder / name


def errors(indexes: list[tuple[FlatIndex, QuantisedIndex]]) -> Iterator[tuple[str, ...]]:
    """Rows of the table: for each table and part, every row against every other."""
    for exact, quantised in indexes:
        for part in quantised.columns:
            rows = exact.column(part).astype(np.float64)
            queries = {part: rows}
            if exact.table == CLIPS:
                shares = REGION_SHARES["builtin", "2"]["drums"].single
                queries[f"{part}, heard in a song"] = np.array([shares.combined(row, row) for row in rows])
            for name, directions in queries.items():
                scans = [quantised.segments.estimate([(part, direction)]) for direction in directions]
                estimates = np.array([scores for scores, _ in scans])
                true = directions @ rows.T
                others = ~np.eye(len(rows), dtype=bool)
                observed = (estimates - true)[others].std()
                predicted = np.mean([error for _, error in scans])
                deviation = true[others].std()
                yield exact.table, str(len(rows)), name, f"{observed:.4f}", f"{predicted:.4f}", f"{deviation:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--count", type=int, default=10)
    arguments = parser.parse_args()
    rabitq_segments.MAX_UNCODED_ROWS = 0
    with tempfile.TemporaryDirectory() as folder:
        library: Any = WithTemporaryIndex(Library.open(arguments.library), Path(folder))
        indexes = [(FlatIndex(library, table), QuantisedIndex(library, table)) for table in TABLES]
        indexes = [(exact, quantised) for exact, quantised in indexes if len(exact.rows)]
        print_table(HEADER, errors(indexes))
        for _, quantised in indexes:
            rows = len(quantised.rows)
            measured = measure_recall(library, quantised, count=arguments.count, queries=rows)
            shares = ", ".join(f"{name} {share:.3f}" for name, share in measured.by_weights.items())
            print(f"{quantised.table}, {rows} queries, recall@{arguments.count}: {shares}")


if __name__ == "__main__":
    main()
