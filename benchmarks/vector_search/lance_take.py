"""How long LanceDB takes to read rows by number, compared with NumPy on a memory-mapped file.

python -m benchmarks.vector_search.lance_take [--rows 100000] [--folder build/vectors]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import lance
import lancedb
import numpy as np
import pyarrow as pa

from benchmarks.vector_search.synthetic_vectors import DIMENSION, PARTS, opened

BATCH = 10_000
warnings.filterwarnings("ignore", message="optimize.cleanup_older_than=0")


def table(vectors: np.ndarray, songs: np.ndarray) -> pa.Table:
    """Rows in the layout of the table `windows` of a library."""
    columns = {
        "content": pa.array([f"{song:064x}" for song in songs]),
        "start": pa.array(np.arange(len(songs)) * 10.0),
        "end": pa.array(np.arange(len(songs)) * 10.0 + 10),
    }
    fields = [pa.field(name, column.type, nullable=False) for name, column in columns.items()]
    for index, part in enumerate(PARTS):
        flat = np.ascontiguousarray(vectors[:, index]).reshape(-1)
        columns[part] = pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float16()), DIMENSION)
        columns[f"{part}_present"] = pa.array(vectors[:, index].any(axis=1))
        fields.append(pa.field(part, columns[part].type, nullable=False))
        fields.append(pa.field(f"{part}_present", pa.bool_(), nullable=False))
    return pa.Table.from_pydict(columns, schema=pa.schema(fields))


def timed(fetch: Callable[[np.ndarray], object], rows: int, count: int, repeats: int) -> str:
    """Median and maximum milliseconds of `fetch` for `count` random rows."""
    spent = []
    for repeat in range(repeats + 2):
        wanted = np.random.default_rng(repeat).choice(rows, count, replace=False)
        began = time.perf_counter()
        fetch(wanted)
        spent.append(1000 * (time.perf_counter() - began))
    spent = spent[2:]
    return f"{statistics.median(spent):8.1f} (max {max(spent):.1f})"


def speed(folder: Path, rows: int) -> None:
    vectors, songs = opened(folder, rows)
    place = Path(tempfile.mkdtemp(dir=folder))
    database = lancedb.connect(place)
    stored = database.create_table("windows", table(vectors[:BATCH], songs[:BATCH]))
    for begin in range(BATCH, rows, BATCH):
        stored.add(table(vectors[begin : begin + BATCH], songs[begin : begin + BATCH]))
    many = lance.dataset(place / "windows.lance")
    pieces = len(many.get_fragments())
    print(
        f"LanceDB {lancedb.__version__}, pylance {lance.__version__}: {rows} rows, {pieces} fragments; ms, median of 9"
    )
    _speed_of(database, place, vectors, rows)
    stored.optimize(cleanup_older_than=timedelta(0))
    print(f"after optimize: {len(lance.dataset(place / 'windows.lance').get_fragments())} fragment(s)")
    _speed_of(database, place, vectors, rows)
    del stored, many
    packed = [_packed(vectors[begin : begin + BATCH]) for begin in range(0, rows, BATCH)]
    wide = database.create_table("wide", packed[0])
    for piece in packed[1:]:
        wide.add(piece)
    print("one column of 7 x 512 instead of seven of 512")
    dataset = lance.dataset(place / "wide.lance")
    for count in (200, 1000, 4000):
        print(
            f"  {count:5d} rows, take_offsets  {timed(lambda w: wide.take_offsets(w.tolist()).to_arrow(), rows, count, 9)}"
        )
        print(f"  {count:5d} rows, pylance take  {timed(lambda w: dataset.take(pa.array(w)), rows, count, 9)}")
    shutil.rmtree(place)


def _packed(vectors: np.ndarray) -> pa.Table:
    flat = np.ascontiguousarray(vectors).reshape(-1)
    width = vectors.shape[1] * DIMENSION
    return pa.table({"all": pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float16()), width)})


def _speed_of(database: lancedb.DBConnection, place: Path, vectors: np.ndarray, rows: int) -> None:
    stored = database.open_table("windows")
    dataset = lance.dataset(place / "windows.lance")
    offset = vectors.shape[1] * DIMENSION
    flat = vectors.reshape(rows, offset)
    for names in (list(PARTS), ["drums"]):
        for count in (200, 1000, 4000):
            ways: dict[str, Callable[[np.ndarray], object]] = {
                "take_offsets": lambda w, n=names: stored.take_offsets(w.tolist()).select(n).to_arrow(),
                "take_row_ids": lambda w, n=names: stored.take_row_ids(_ids(dataset, w)).select(n).to_arrow(),
                "pylance take": lambda w, n=names: dataset.take(pa.array(w), columns=n),
                "pylance take, sorted": lambda w, n=names: dataset.take(pa.array(np.sort(w)), columns=n),
                "NumPy f16": (lambda w: flat[w]) if len(names) > 1 else (lambda w: vectors[w, 1]),
                "NumPy f16, sorted": (lambda w: flat[np.sort(w)])
                if len(names) > 1
                else (lambda w: vectors[np.sort(w), 1]),
            }
            for way, fetch in ways.items():
                try:
                    print(f"  {len(names)} column(s), {count:5d} rows, {way:22s} {timed(fetch, rows, count, 9)}")
                except Exception as error:  # noqa: BLE001  an operation that a version lacks is a result too
                    print(
                        f"  {len(names)} column(s), {count:5d} rows, {way:22s} {type(error).__name__}: {str(error)[:150]}"
                    )


def _ids(dataset: lance.LanceDataset, offsets: np.ndarray) -> list[int]:
    """Row ids (fragment << 32 | offset) of `offsets`, for a table without deletions."""
    first = np.cumsum([0] + [piece.count_rows() for piece in dataset.get_fragments()])
    numbers = np.array([piece.fragment_id for piece in dataset.get_fragments()])
    piece = np.searchsorted(first, offsets, side="right") - 1
    return ((numbers[piece] << 32) + (offsets - first[piece])).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("build/vectors"))
    arguments = parser.parse_args()
    speed(arguments.folder, arguments.rows)


if __name__ == "__main__":
    main()
