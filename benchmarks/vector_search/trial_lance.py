"""LanceDB: plain scan, IVF_RQ and IVF_PQ on the concatenation, and one index per column; then exact re-ranking.

python -m benchmarks.vector_search.trial_lance --rows 100000 [--only IVF_RQ]
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfPq, IvfRq

from benchmarks.vector_search.rerank import COUNT, Exact, concatenated
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS
from benchmarks.vector_search.trial import main

BATCH = 8192
SIZE = len(PARTS) * DIMENSION


def wide(rows, begin: int) -> pa.Table:
    """Rows as one column of 3584 float16."""
    flat = pa.array(np.ascontiguousarray(rows).reshape(-1), pa.float16())
    numbers = pa.array(np.arange(begin, begin + len(rows)))
    return pa.table({"row": numbers, "vector": pa.FixedSizeListArray.from_arrays(flat, SIZE)})


def columns(rows, begin: int) -> pa.Table:
    """Rows as one column of 512 float16 per part."""
    found = {"row": pa.array(np.arange(begin, begin + len(rows)))}
    for index, part in enumerate(PARTS):
        flat = pa.array(np.ascontiguousarray(rows[:, index]).reshape(-1), pa.float16())
        found[part] = pa.FixedSizeListArray.from_arrays(flat, DIMENSION)
    return pa.table(found)


class Concatenation:
    """One column of 3584; config: its index (None: no index)."""

    layout = staticmethod(wide)

    def __init__(self, variants, config=None) -> None:
        self.variants, self.config = variants, config
        self.probes, self.refine, self.rerank = None, None, None

    def build(self, rows, place: Path) -> None:
        database = lancedb.connect(place)
        table = database.create_table("rows", self.layout(rows[:BATCH], 0))
        for begin in range(BATCH, len(rows), BATCH):
            table.add(self.layout(rows[begin : begin + BATCH], begin))
        table.optimize(cleanup_older_than=timedelta(0))  # before the index is built: optimize may change cells
        self.index(table)

    def index(self, table) -> None:
        """Build the index."""
        if self.config:
            table.create_index("vector", config=self.config)

    def open(self, rows, place: Path) -> None:
        self.table = lancedb.connect(place).open_table("rows")
        self.exact = Exact(rows)

    def search(self, query, weights):
        return self.exact.best(self.ask("vector", concatenated(query, weights)), query, weights)

    def ask(self, column: str, vector):
        """Indices of the nearest rows."""
        asked = self.table.search(vector, vector_column_name=column).distance_type("dot").select(["row", "_distance"])
        if self.probes:
            asked = asked.nprobes(self.probes)
        if self.refine:
            asked = asked.refine_factor(self.refine)
        return asked.limit(self.rerank or COUNT).to_arrow()["row"].to_numpy()

    def append(self, rows) -> None:
        self.table.add(self.layout(rows, len(self.exact)))
        self.exact.append(rows)


class Columns(Concatenation):
    """One index per part; the best rows of each weighted part are re-ranked together."""

    layout = staticmethod(columns)

    def index(self, table) -> None:
        for part in PARTS:
            table.create_index(part, config=self.config)

    def search(self, query, weights):
        found = [self.ask(PARTS[k], np.sign(weights[k]) * query[k]) for k in np.flatnonzero(weights)]
        return self.exact.best(np.unique(np.concatenate(found)), query, weights)


def _ivf(*settings) -> dict:
    """Variants by (cells probed, refine factor, rows re-ranked here)."""
    variants = {}
    for probes, refine, rerank in settings:
        label = f"{probes} cells" if probes < 10_000 else "all cells"
        label += f", refine {refine}" if refine else ""
        label += f", re-rank {rerank}" if rerank else ""
        variants[label] = {"probes": probes, "refine": refine, "rerank": rerank}
    return variants


ALL = 10_000
ON_ALL = _ivf((4, None, 1000), (ALL, None, 1000), (ALL, 10, None), (ALL, None, 4000))
ENGINES = {
    "LanceDB scan": lambda: Concatenation({"float16": {}}),
    "LanceDB IVF_RQ": lambda: Concatenation(ON_ALL, IvfRq(distance_type="dot", num_partitions=16)),
    "LanceDB IVF_PQ": lambda: Concatenation(ON_ALL, IvfPq(distance_type="dot", num_partitions=16)),
    "LanceDB IVF_RQ columns": lambda: Columns(
        _ivf((ALL, None, 500), (ALL, None, 2000)), IvfRq(distance_type="dot", num_partitions=16)
    ),
}

if __name__ == "__main__":
    main(__doc__, ENGINES)
