"""Search of a library of synthetic vectors at the size of a catalogue: latency, recall, memory and disk.

    python -m benchmarks.large_library FOLDER --rows 100000 [--library PLACE] [--memory 0]

FOLDER holds the vectors, queries and exact results that `benchmarks.vector_search.synthetic_vectors` and
`benchmarks.vector_search.ground_truth` write. The library is written to PLACE (default: a temporary folder) unless it
is there already, and opened with `--memory` bytes for vectors (0: the quantised index is used at any size). Every query
is searched under every weighting of the ground truth, one after the other from one thread. Recall@100 is of songs, each
by its best window. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.shared.processes import process_status
from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS, opened
from soundalike.analysis.recipe import Recipe
from soundalike.library.indexing.item_rows import Row
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.schema import ITEMS_SCHEMA, row_table, vector_array, windows_schema
from soundalike.library.storage.store import Library, Tables, folder_size
from soundalike.search.index.flat import FlatIndex
from soundalike.search.index.local_indexes import IndexSettings, LocalIndexes
from soundalike.search.index.quantised import QuantisedIndex
from soundalike.search.index.rabitq_segments import segment_bytes
from soundalike.search.index.table_rows import WINDOWS
from soundalike.search.index.vector_index import Term, VectorIndex

BATCH = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = arguments.library or Path(temporary) / "library"
        figures: dict[str, Any] = {"rows": arguments.rows}
        if not (place / "library.json").exists():
            start = time.perf_counter()
            write(place, arguments.folder, arguments.rows)
            figures["library_written_s"] = time.perf_counter() - start
        figures |= measure(place, arguments.folder, arguments.memory, arguments.count)
    print(json.dumps(figures, indent=1))


def write(place: Path, folder: Path, rows: int) -> None:
    """Write a library of the first `rows` synthetic vectors: songs with windows of 10 s."""
    stored, songs = opened(folder, rows)
    recipe = Recipe("synthetic", "1", "synthetic", "1", PARTS, DIMENSION)
    Library.create(place, recipe)
    tables = Tables(generation_folder(place, 1), recipe)
    firsts = np.searchsorted(songs, songs)
    for begin in range(0, rows, BATCH):
        batch = slice(begin, begin + BATCH)
        start = 10.0 * (np.arange(begin, begin + len(songs[batch])) - firsts[batch])
        columns: dict[str, Any] = {
            "content": [f"{song:032x}" for song in songs[batch]],
            "start": start,
            "end": start + 10,
        }
        for number, part in enumerate(PARTS):
            column = np.ascontiguousarray(stored[batch, number])
            columns[part] = vector_array(column)
            columns[f"{part}_present"] = column.any(axis=1)
        tables.append("windows", pa.table(columns, schema=windows_schema(recipe)))
    unique, counts = np.unique(songs, return_counts=True)
    for begin in range(0, len(unique), BATCH):
        batch = slice(begin, begin + BATCH)
        pairs = zip(unique[batch].tolist(), counts[batch].tolist(), strict=True)
        tables.append("items", row_table([item(song, count) for song, count in pairs], ITEMS_SCHEMA))


def item(song: int, windows: int) -> Row:
    """The item of a synthetic song."""
    return dict.fromkeys(ITEMS_SCHEMA.names) | {
        "id": f"{song:016x}",
        "root": "Music",
        "path": f"artist {song % 997}/song {song}.flac",
        "size": 1,
        "mtime_ns": 1,
        "content": f"{song:032x}",
        "kind": "song",
        "kind_source": "estimate",
        "status": "present",
        "duration": 10.0 * windows,
        "sample_rate": 44100,
        "channels": 2,
        "tempo": 80.0 + song % 100,
        "tempo_source": "estimate",
        "artist": f"artist {song % 997}",
        "basis": "{}",
        "windows": windows,
        "indexed_at": "",
    }


def measure(place: Path, folder: Path, memory: int, count: int) -> dict[str, Any]:
    """Latency, recall, memory and disk of the library at `place`."""
    before = process_status()
    index, figures = load(Library.open(place), memory)
    times, recall = search_all(index, folder, count)
    everything = np.concatenate(list(times.values()))
    after = process_status()
    return figures | {
        "p50_ms": float(np.median(everything)),
        "p99_ms": float(np.percentile(everything, 99)),
        "p50_ms_by_weights": {name: round(float(np.median(ms)), 2) for name, ms in times.items()},
        "recall_by_weights": {name: round(float(np.mean(shares)), 4) for name, shares in recall.items()},
        "worst_recall": min(float(np.mean(shares)) for shares in recall.values()),
        "private_mb": round(after.private - before.private, 1),
        "mapped_mb": round(after.mapped - before.mapped, 1),
        "tables_mb": folder_size(place) / 1e6 - figures.get("quantised_mb", 0),
    }


def load(library: Library, memory: int) -> tuple[VectorIndex, dict[str, Any]]:
    """The index of the windows, read into memory or quantised, and what that took."""
    start = time.perf_counter()
    index = LocalIndexes(library, IndexSettings(memory=memory))[WINDOWS]
    figures: dict[str, Any] = {"songs": len(index.rows.contents), "rows_read_s": time.perf_counter() - start}
    start = time.perf_counter()
    if isinstance(index, FlatIndex):
        for part in PARTS:
            index.column(part)
        return index, figures | {"index": "flat", "vectors_read_s": time.perf_counter() - start}
    assert isinstance(index, QuantisedIndex)
    scanned = index.segments.nbytes()
    return index, figures | {
        "index": "quantised",
        "quantised_s": time.perf_counter() - start,
        "quantised_mb": segment_bytes(library, WINDOWS) / 1e6,
        "scanned_mb": scanned / 1e6,
    }


def search_all(index: VectorIndex, folder: Path, count: int) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds and recall of every query, by weights; a first round is not counted."""
    truth = np.load(folder / f"truth-{len(index.rows)}.npz")
    queries = np.load(folder / "queries.npy").astype(np.float64)
    tie_order = np.arange(len(index.rows.contents), dtype=np.int64)
    times: dict[str, list[float]] = defaultdict(list)
    recall: dict[str, list[float]] = defaultdict(list)
    for counted in (False, True):
        for name, weights, songs in zip(truth["names"], truth["weights"], truth["songs"], strict=True):
            for query, best in zip(queries, songs, strict=True):
                terms = [
                    Term(part, part, query[number], float(weight))
                    for number, (part, weight) in enumerate(zip(PARTS, weights, strict=True))
                    if weight
                ]
                start = time.perf_counter()
                matches = index.search(terms, count, tie_order).best
                ms = 1e3 * (time.perf_counter() - start)
                if counted:
                    times[str(name)].append(ms)
                    retrieved = {int(match.content, 16) for match in matches}
                    recall[str(name)].append(len(retrieved & set(best[:count].tolist())) / count)
    return times, recall


if __name__ == "__main__":
    main()
