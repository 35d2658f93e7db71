"""A library of many synthetic songs, made from the vectors of a few, for tests of large libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from soundalike.library import Library
from soundalike.library.maintenance.parquet import export_parquet, import_parquet


def many_songs(place: Path, source: Path, count: int, *, windows: int = 1, noise: float = 0.6, seed: int = 0) -> Path:
    """A library at `place` of `count` songs of `windows` windows each, made like the library `source`: each window mixes those
    of two of its songs, part by part in proportions of its own, with noise of `noise` times their length.
    """
    parts = Library.open(source).recipe.parts
    exported = place.parent / f"{place.name}.source.parquet"
    export_parquet(Library.open(source), exported)
    table = pq.read_table(exported)
    table = table.filter(pa.compute.equal(table["kind"], "song"))
    rng = np.random.default_rng(seed)
    rows = count * windows
    columns: dict[str, pa.Array] = {}
    first, second = rng.integers(0, table.num_rows, size=(2, rows))
    for part in parts:
        there = table[part].combine_chunks()
        known = np.flatnonzero(there.is_valid().to_numpy(zero_copy_only=False))
        vectors = np.zeros((table.num_rows, len(there[int(known[0])])), np.float32)
        vectors[known] = np.stack(there.drop_null().to_numpy(zero_copy_only=False))
        share = rng.random((rows, 1), dtype=np.float32)
        mixed = share * vectors[first] + (1 - share) * vectors[second]
        mixed += noise * rng.normal(size=mixed.shape).astype(np.float32) / np.sqrt(mixed.shape[1])
        columns[part] = pa.FixedSizeListArray.from_arrays(pa.array(mixed.ravel(), pa.float32()), mixed.shape[1])
    number = np.repeat(np.arange(count), windows)
    starts = np.tile(10.0 * np.arange(windows), count)
    made = pa.table(
        {
            "id": [f"many-{n:06d}" for n in number],
            "kind": ["song"] * rows,
            "path": [f"folder {n % 7}/song {n:06d}.wav" for n in number],
            "start": starts,
            "end": starts + 10.0,
            "duration": np.full(rows, 10.0 * windows),
            "tempo": 80.0 + number % 80,
            **columns,
        }
    ).replace_schema_metadata(table.schema.metadata)
    parquet = place.parent / f"{place.name}.parquet"
    pq.write_table(made, parquet)
    import_parquet(place, parquet)
    for file in (exported, parquet):
        file.unlink()
    return place
