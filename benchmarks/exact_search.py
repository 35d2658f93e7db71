"""How fast the exact search is, and what memory it takes, beside NumPy's matrix-vector product in the same run.

    python benchmarks/search.py --rows 10000 100000

Makes libraries of random unit vectors (made-up files of 6 windows each) in a temporary folder, opens them, and asks.
Times are medians over `--queries` queries after one that is not counted; memory is that of the columns read.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from soundalike.analysis.recipe import make_recipe
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.schema import windows_schema
from soundalike.library.storage.store import Library, Tables
from soundalike.search.index.matching import best_matches
from soundalike.search.index.vectors import Term, Vectors
from soundalike.similarity.cosine import unit

WINDOWS = 6
LATENT = 32
BATCH = 20_000


def median_ms(function: Callable[[], object], count: int) -> float:
    function()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return 1e3 * float(np.median(times))


def make_library(place: Path, rows: int, rng: np.random.Generator) -> Library:
    """A library of `rows` windows, `WINDOWS` a content, each part with `LATENT` latent dimensions, as real embeddings
    have few."""
    recipe = make_recipe()
    Library.create(place, recipe)
    tables = Tables(generation_folder(place, 1), recipe)
    bases = {part: rng.normal(size=(LATENT, recipe.dimension)) for part in recipe.parts}
    for begin in range(0, rows, BATCH):
        count = min(BATCH, rows - begin)
        index = np.arange(begin, begin + count)
        columns: dict[str, pa.Array] = {
            "content": pa.array([f"{number:032x}" for number in index // WINDOWS]),
            "start": pa.array((index % WINDOWS) * 10.0),
            "end": pa.array((index % WINDOWS) * 10.0 + 10),
        }
        for part in recipe.parts:
            vectors = unit(rng.normal(size=(count, LATENT)) @ bases[part]).astype(np.float16)
            columns[part] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), recipe.dimension)
            columns[f"{part}_present"] = pa.array(np.ones(count, dtype=bool))
        tables.append("windows", pa.table(columns, schema=windows_schema(recipe)))
    return Library.open(place)


def measure(rows: int, queries: int, rng: np.random.Generator) -> None:
    """Print the rows of the table for one size."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        library = make_library(Path(folder) / "library", rows, rng)
        written = time.perf_counter() - began
        vectors = Vectors(library)
        ids = {content: content for content in vectors.rows("windows").contents}
        parts = library.recipe.parts
        for label, weights in (("one part", {"drums": 1.0}), (f"{len(parts)} parts", dict.fromkeys(parts, 1.0))):
            fresh = Vectors(library)
            query = {part: unit(rng.normal(size=library.recipe.dimension)).astype(np.float64) for part in weights}
            terms = [Term(part, part, query[part], weight) for part, weight in weights.items()]
            began = time.perf_counter()
            first = best_matches(fresh, "windows", terms, 10, ids)
            cold = 1e3 * (time.perf_counter() - began)
            ours = median_ms(lambda terms=terms, fresh=fresh: best_matches(fresh, "windows", terms, 10, ids), queries)
            side_by_side = np.concatenate([fresh.column("windows", part) for part in weights], axis=1)
            flat = np.concatenate([query[part] for part in weights]).astype(np.float32)
            product = median_ms(lambda a=side_by_side, b=flat: a @ b, queries)
            best = int(np.argmax(side_by_side @ flat))
            same = vectors.rows("windows").contents[vectors.rows("windows").of_row[best]] == first[0].content
            print(
                f"| {rows:,} | {label} | {cold:.0f} | {ours:.1f} | {product:.1f} | {ours / product:.2f} | "
                f"{fresh.nbytes() / 1e6:.0f} | {library.size_on_disk() / 1e6:.0f} | {written:.1f} | {'yes' if same else 'NO'} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    print(f"dimension {make_recipe().dimension} a part, float16 on disk, float32 in memory, {os.cpu_count()} cores\n")
    print(
        "| rows | weights | first query, reading from disk (ms) | search (ms) | NumPy product alone (ms) | ratio | "
        "memory (MB) | disk (MB) | written (s) | same best |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for rows in arguments.rows:
        measure(rows, arguments.queries, rng)


if __name__ == "__main__":
    main()
