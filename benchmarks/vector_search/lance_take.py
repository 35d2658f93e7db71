"""How long LanceDB takes to fetch rows by number, beside NumPy from a memory-mapped file; and what the numbers survive.

python benchmarks/lance_take.py [--rows 100000] [--folder build/vectors]
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
    """Rows in the layout of a library's table `windows`."""
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
    """Median and worst milliseconds of `fetch` for `count` random rows."""
    spent = []
    for repeat in range(repeats + 2):
        wanted = np.random.default_rng(repeat).choice(rows, count, replace=False)
        began = time.perf_counter()
        fetch(wanted)
        spent.append(1000 * (time.perf_counter() - began))
    spent = spent[2:]
    return f"{statistics.median(spent):8.1f} (worst {max(spent):.1f})"


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
    print("one column of 7 x 512 in place of seven of 512")
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
                except Exception as error:  # noqa: BLE001  what a version cannot is a finding
                    print(
                        f"  {len(names)} column(s), {count:5d} rows, {way:22s} {type(error).__name__}: {str(error)[:150]}"
                    )


def _ids(dataset: lance.LanceDataset, offsets: np.ndarray) -> list[int]:
    """Row ids (fragment << 32 | offset) of `offsets`, for a table without deletions."""
    first = np.cumsum([0] + [piece.count_rows() for piece in dataset.get_fragments()])
    numbers = np.array([piece.fragment_id for piece in dataset.get_fragments()])
    piece = np.searchsorted(first, offsets, side="right") - 1
    return ((numbers[piece] << 32) + (offsets - first[piece])).tolist()


def survival(stable: bool) -> None:
    """What happens to order and row ids: append, delete, optimize."""
    place = Path(tempfile.mkdtemp())
    rows = pa.table({"name": pa.array(np.arange(100)), "x": pa.array(np.arange(100) * 2.0)})
    options = {"new_table_enable_stable_row_ids": "true"} if stable else {}
    database = lancedb.connect(place, storage_options=options)
    stored = database.create_table("t", rows)
    print(f"stable row ids: {stable}")

    def look(what: str) -> None:
        found = stored.search().with_row_id(True).to_arrow()
        names, ids = found["name"].to_numpy(), found["_rowid"].to_numpy()
        steps = np.flatnonzero(np.diff(names) < 0)
        taken = stored.take_offsets([0, 50, len(names) - 1]).to_arrow()["name"].to_pylist()
        pieces = len(lance.dataset(place / "t.lance").get_fragments())
        ids_text = ", ".join(
            f"{name}:{ids[names == name][0]:#x}" for name in (0, 99, 150, 199) if (names == name).any()
        )
        print(
            f"  {what:42s} {len(names)} rows in {pieces} fragment(s); order as inserted: {not len(steps)}; "
            f"take_offsets(0, 50, last) = {taken}; row ids {ids_text}"
        )

    asked = [70, 3, 41, 3]
    print(f"  take_offsets({asked}) gives {stored.take_offsets(asked).to_arrow()['name'].to_pylist()}")
    look("created")
    for begin in (100, 150):
        stored.add(pa.table({"name": pa.array(np.arange(begin, begin + 50)), "x": pa.array(np.arange(50) * 2.0)}))
    look("two appends")
    stored.delete("name IN (3, 120)")
    look("two rows deleted")
    stored.optimize()
    look("optimize")
    stored.optimize(cleanup_older_than=timedelta(0))
    look("optimize, old versions dropped")
    stored.update(where="name = 10", values={"x": -1.0})
    look("a row updated")
    stored.optimize(cleanup_older_than=timedelta(0))
    look("optimize")
    shutil.rmtree(place)


def order_holds(seed: int, rounds: int = 150) -> None:
    """Random appends, deletions and compactions against a plain list: rows must stay in the order of insertion."""
    random = np.random.default_rng(seed)
    place = Path(tempfile.mkdtemp())
    stored = lancedb.connect(place).create_table("t", pa.table({"name": pa.array(np.arange(5))}))
    expected = list(range(5))
    following = 5
    for number in range(rounds):
        deed = random.choice(["append", "append", "append", "delete", "optimize"])
        if deed == "append":
            size = int(random.choice([1, 10, 1000]))
            stored.add(pa.table({"name": pa.array(np.arange(following, following + size))}))
            expected += range(following, following + size)
            following += size
        elif deed == "delete" and len(expected) > 20:
            gone = {int(name) for name in random.choice(expected, size=int(random.integers(1, 10)), replace=False)}
            stored.delete(f"name IN ({', '.join(map(str, gone))})")
            expected = [name for name in expected if name not in gone]
        elif deed == "optimize":
            stored.optimize()
        found = stored.search().select(["name"]).to_arrow()["name"].to_pylist()
        where = random.choice(len(expected), size=5, replace=False).tolist()
        taken = stored.take_offsets(where).to_arrow()["name"].to_pylist()
        if found != expected or sorted(taken) != sorted(expected[offset] for offset in where):
            print(f"seed {seed}: after {number + 1} deeds, {deed} last: the order differs")
            break
    else:
        print(f"seed {seed}: {rounds} random appends, deletions, compactions: the stored order is that of insertion")
    shutil.rmtree(place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path("build/vectors"))
    arguments = parser.parse_args()
    survival(stable=False)
    survival(stable=True)
    for seed in range(3):
        order_holds(seed)
    speed(arguments.folder, arguments.rows)


if __name__ == "__main__":
    main()
