"""A library of made-up vectors at the size of a catalogue: what a search costs, what it misses, what it takes.

    PYTHONPATH=. python benchmarks/large_library.py FOLDER --rows 100000 [--library PLACE] [--memory 0]

FOLDER holds the vectors, queries and exact truth that benchmarks/made_up.py and benchmarks/truth.py write. The library is
written to PLACE (a temporary folder by default) unless it is there already, indexed past the memory budget (`--memory`, 0 by
default, so that the indexed way is taken at any size), and asked with every query under every weights of the truth, one after
the other from one thread. Recall@100 is of songs, each by its best window.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from soundalike.analysis.recipe import Recipe
from soundalike.library.indexing.item_rows import Row
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.schema import ITEMS_SCHEMA, row_table, vector_array, windows_schema
from soundalike.library.storage.store import Library, Tables, folder_size
from soundalike.search.index.matching import best_matches
from soundalike.search.index.rabitq_segments import sketch_bytes
from soundalike.search.index.vectors import Term, Vectors

PARTS = ("bass", "drums", "guitar", "piano", "vocals", "residuals", "mix")
DIMENSION = 512
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
        found: dict[str, Any] = {"rows": arguments.rows}
        if not (place / "library.json").exists():
            began = time.perf_counter()
            write(place, arguments.folder, arguments.rows)
            found["library_written_s"] = time.perf_counter() - began
        found |= measure(place, arguments.folder, arguments.memory, arguments.count)
    print(json.dumps(found, indent=1))


def write(place: Path, folder: Path, rows: int) -> None:
    """A library of the first `rows` made-up vectors: songs of windows of 10 s."""
    stored = np.memmap(folder / "made-up.f16", np.float16, "r").reshape(-1, len(PARTS), DIMENSION)[:rows]
    songs = np.fromfile(folder / "songs.i64", np.int64)[:rows]
    recipe = Recipe("made-up", "1", "made-up", "1", PARTS, DIMENSION)
    Library.create(place, recipe)
    tables = Tables(generation_folder(place, 1), recipe)
    firsts = np.searchsorted(songs, songs)
    for begin in range(0, rows, BATCH):
        some = slice(begin, begin + BATCH)
        start = 10.0 * (np.arange(begin, begin + len(songs[some])) - firsts[some])
        columns: dict[str, Any] = {
            "content": [f"{song:032x}" for song in songs[some]],
            "start": start,
            "end": start + 10,
        }
        for number, part in enumerate(PARTS):
            column = np.ascontiguousarray(stored[some, number])
            columns[part] = vector_array(column)
            columns[f"{part}_present"] = column.any(axis=1)
        tables.append("windows", pa.table(columns, schema=windows_schema(recipe)))
    unique, counts = np.unique(songs, return_counts=True)
    for begin in range(0, len(unique), BATCH):
        some = slice(begin, begin + BATCH)
        pairs = zip(unique[some].tolist(), counts[some].tolist(), strict=True)
        tables.append("items", row_table([item(song, count) for song, count in pairs], ITEMS_SCHEMA))


def item(song: int, windows: int) -> Row:
    """A song of the made-up library."""
    facts = dict.fromkeys(ITEMS_SCHEMA.names)
    return facts | {
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
    before = resident()
    library = Library.open(place)
    vectors = Vectors(library, budget=memory)
    began = time.perf_counter()
    rows = vectors.rows("windows")
    found: dict[str, Any] = {"songs": len(rows.contents), "rows_read_s": time.perf_counter() - began}
    indexed = not vectors.in_memory("windows")
    began = time.perf_counter()
    if indexed:
        vectors.sketches("windows")
        found["sketches_s"] = time.perf_counter() - began
        found["sketches_mb"] = sketch_bytes(library, "windows") / 1e6
        found["scanned_mb"] = vectors.sketches("windows").nbytes() / 1e6
    else:
        for part in PARTS:
            vectors.column("windows", part)
        found["vectors_read_s"] = time.perf_counter() - began
    truth = np.load(folder / f"truth-{len(rows)}.npz")
    queries = np.load(folder / "queries.npy").astype(np.float64)
    ranks = np.arange(len(rows.contents), dtype=np.int64)
    times: dict[str, list[float]] = {}
    recall: dict[str, list[float]] = {}
    for round_ in range(2):
        for name, weights, songs in zip(truth["names"], truth["weights"], truth["songs"], strict=True):
            for query, best in zip(queries, songs, strict=True):
                terms = [
                    Term(part, part, query[k], float(weight))
                    for k, (part, weight) in enumerate(zip(PARTS, weights, strict=True))
                    if weight
                ]
                began = time.perf_counter()
                matches = best_matches(vectors, "windows", terms, count, ranks)
                seconds = time.perf_counter() - began
                if round_:
                    times.setdefault(str(name), []).append(1e3 * seconds)
                    hits = {int(match.content, 16) for match in matches}
                    recall.setdefault(str(name), []).append(len(hits & set(best[:count].tolist())) / count)
    everything = np.concatenate(list(times.values()))
    found |= {
        "regime": "sketches" if indexed else "memory",
        "p50_ms": float(np.median(everything)),
        "p99_ms": float(np.percentile(everything, 99)),
        "p50_ms_by_weights": {name: round(float(np.median(one)), 2) for name, one in times.items()},
        "recall_by_weights": {name: round(float(np.mean(one)), 4) for name, one in recall.items()},
        "worst_recall": min(float(np.mean(one)) for one in recall.values()),
        "resident_mb": {name: round((value - before[name]) / 1e6, 1) for name, value in resident().items()},
        "tables_mb": folder_size(place) / 1e6 - found.get("sketches_mb", 0),
    }
    return found


def resident() -> dict[str, int]:
    """Bytes of this process that are its own, and those of files that are mapped."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return {name: int(values[name].split()[0]) << 10 for name in ("RssAnon", "RssFile")}


if __name__ == "__main__":
    main()
