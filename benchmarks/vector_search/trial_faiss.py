"""faiss: scalar quantisation, RaBitQ of 1 to 4 bits and RaBitQFastScan on the concatenation; then exact re-ranking.

python -m benchmarks.vector_search.trial_faiss --rows 100000 [--only RaBitQ]
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np

from benchmarks.vector_search.rerank import Exact, concatenated
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS
from benchmarks.vector_search.trial import main, pieces

SIZE = len(PARTS) * DIMENSION
TRAINING = 20_000
ROTATED = "HR,"  # a Hadamard rotation (3584 padded to 4096); a random one multiplies by 51 MB per query, built in 20 s


class Flat:
    """An index of (N, 3584) from a factory string, searched for `rerank` candidates."""

    def __init__(self, factory: str, reranks=(500, 1000, 4000), query_bits=(), *, shards: int = 1) -> None:
        self.factory, self.shards = factory, shards
        self.rerank, self.bits = 1000, None
        self.variants = {
            f"re-rank {count}" + (f", query {bits} bits" if bits else ""): {"rerank": count, "bits": bits}
            for bits in (query_bits or (None,))
            for count in reranks
        }

    def build(self, rows, place: Path) -> None:
        made = [faiss.index_factory(SIZE, self.factory, faiss.METRIC_INNER_PRODUCT) for _ in range(self.shards)]
        training = rows[:: max(1, len(rows) // TRAINING)][:TRAINING].astype(np.float32).reshape(-1, SIZE)
        for index in made:
            index.train(training)
        share = -(-len(rows) // self.shards)
        for begin, piece in pieces(rows):
            flat = piece.reshape(-1, SIZE)
            numbers = np.arange(begin, begin + len(flat))
            for shard, index in enumerate(made):
                inside = numbers // share == shard
                if inside.any():
                    index.add(np.ascontiguousarray(flat[inside]))
        for shard, index in enumerate(made):
            faiss.write_index(index, str(place / f"{shard}.faiss"))

    def open(self, rows, place: Path) -> None:
        made = [faiss.read_index(str(place / f"{shard}.faiss")) for shard in range(self.shards)]
        self.index = made[0]
        if self.shards > 1:
            self.index = faiss.IndexShards(SIZE, True, True)
            for index in made:
                self.index.add_shard(index)
            self.parts = made
        self.exact = Exact(rows)

    def search(self, query, weights):
        vector = concatenated(query, weights)[None]
        parameters = None
        if self.bits is not None:
            parameters = faiss.RaBitQSearchParameters(qb=self.bits, centered=False)
            if self.factory.startswith(("RR", "HR")):
                parameters = faiss.SearchParametersPreTransform(index_params=parameters)
        _, found = self.index.search(vector, self.rerank, params=parameters)
        return self.exact.best(found[0], query, weights)

    def append(self, rows) -> None:
        self.exact.append(rows)
        target = self.parts[-1] if self.shards > 1 else self.index
        target.add(np.ascontiguousarray(rows.reshape(-1, SIZE).astype(np.float32)))
        if self.shards > 1:
            self.index.syncWithSubIndexes()


ENGINES = {
    "faiss SQ8": lambda: Flat("SQ8", reranks=(200,)),
    "faiss RaBitQ unrotated": lambda: Flat("RaBitQ", reranks=(1000, 4000), query_bits=(8,)),
    "faiss RaBitQ": lambda: Flat(ROTATED + "RaBitQ", query_bits=(8,)),
    "faiss RaBitQ random rotation": lambda: Flat(f"RR{SIZE},RaBitQ", reranks=(1000,), query_bits=(8,)),
    "faiss RaBitQ 2 bits": lambda: Flat(ROTATED + "RaBitQ2", reranks=(500, 1000), query_bits=(8,)),
    "faiss RaBitQ 4 bits": lambda: Flat(ROTATED + "RaBitQ4", reranks=(500,), query_bits=(8,)),
    "faiss RaBitQFastScan": lambda: Flat(ROTATED + "RaBitQfs"),
    "faiss RaBitQFastScan 2 bits": lambda: Flat(ROTATED + "RaBitQfs2", reranks=(500, 1000)),
    "faiss RaBitQFastScan 2 threads": lambda: Flat(ROTATED + "RaBitQfs", shards=2),
}

if __name__ == "__main__":
    main(__doc__, ENGINES)
