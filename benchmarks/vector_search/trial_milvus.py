"""Milvus Lite through pymilvus: inner product on the concatenation, with each index type; then exact re-ranking.

    python -m benchmarks.vector_search.trial_milvus --rows 10000 [--only FLAT]

Milvus Lite has the interface of Milvus without a server.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pymilvus import DataType, MilvusClient

from benchmarks.vector_search.rerank import Exact, concatenated
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS
from benchmarks.vector_search.trial import main

SIZE = len(PARTS) * DIMENSION
BATCH = 2048
NAME = "rows"


class Milvus:
    """A collection of float32 vectors (N, 3584) with an index of type `index`."""

    def __init__(self, index: str, build=None, variants=None) -> None:
        self.index, self.parameters = index, build or {}
        self.variants = variants or {"re-rank 200": {"rerank": 200, "asked": {}}}
        self.rerank, self.asked = 200, {}

    def build(self, rows, place: Path) -> None:
        client = MilvusClient(str(place / "milvus.db"))
        schema = client.create_schema(auto_id=False)
        schema.add_field("row", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=SIZE)
        client.create_collection(NAME, schema=schema)
        for begin in range(0, len(rows), BATCH):
            flat = rows[begin : begin + BATCH].astype(np.float32).reshape(-1, SIZE)
            client.insert(NAME, [{"row": begin + number, "vector": vector} for number, vector in enumerate(flat)])
        client.flush(NAME)
        wanted = client.prepare_index_params()
        wanted.add_index("vector", index_type=self.index, metric_type="IP", params=self.parameters)
        client.create_index(NAME, wanted)
        client.load_collection(NAME)
        client.search(NAME, [[1.0] * SIZE], limit=1)
        client.close()

    def open(self, rows, place: Path) -> None:
        self.client = MilvusClient(str(place / "milvus.db"))
        self.client.load_collection(NAME)
        self.client.search(NAME, [[1.0] * SIZE], limit=1)
        self.exact = Exact(rows)

    def search(self, query, weights):
        vector = concatenated(query, weights)
        found = self.client.search(
            NAME, [vector], limit=self.rerank, search_params={"metric_type": "IP", "params": self.asked}
        )
        return self.exact.best(np.array([hit["row"] for hit in found[0]]), query, weights)

    def append(self, rows) -> None:
        begin = len(self.exact)
        flat = rows.astype(np.float32).reshape(-1, SIZE)
        self.client.insert(NAME, [{"row": begin + number, "vector": vector} for number, vector in enumerate(flat)])
        self.exact.append(rows)


def _probes(*counts) -> dict:
    return {f"{count} cells, re-rank 1000": {"rerank": 1000, "asked": {"nprobe": count}} for count in counts}


ENGINES = {
    "Milvus Lite FLAT": lambda: Milvus("FLAT"),
    "Milvus Lite IVF_FLAT": lambda: Milvus("IVF_FLAT", {"nlist": 128}, _probes(8, 128)),
    "Milvus Lite IVF_SQ8": lambda: Milvus("IVF_SQ8", {"nlist": 128}, _probes(8, 128)),
    "Milvus Lite IVF_PQ": lambda: Milvus("IVF_PQ", {"nlist": 128, "m": 448, "nbits": 8}, _probes(128)),
    "Milvus Lite IVF_RABITQ": lambda: Milvus("IVF_RABITQ", {"nlist": 128}, _probes(128)),
    "Milvus Lite HNSW_SQ": lambda: Milvus(
        "HNSW_SQ", {"M": 32, "efConstruction": 200}, {"ef 1000": {"rerank": 1000, "asked": {"ef": 1000}}}
    ),
}

if __name__ == "__main__":
    main(__doc__, ENGINES)
