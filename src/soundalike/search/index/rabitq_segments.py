"""Sketches of a library's vectors on disk, beside the tables: derived from them, so they may be deleted at any time.

`sketch-windows/` and `sketch-wholes/` hold segments, folders that never change once they are there:

    about.json     what the segment was made from; without it the folder is no segment
    rows.arrow     content and start of each row
    codes.npy, factors.npy, ones.npy   the sketch (`sketch`)
    vectors.npy    (rows, K, D) the float16 values of the tables, where a row can be picked without reading others

Rows are known by content and start, and a content's vectors never change, so a segment stays true whatever is appended to
the tables, deleted from them or moved about in them: rows that are gone are passed over, rows that no segment has are
scanned exactly, and once there are many of those they become a segment. A new segment takes in the ones before it that are
not twice its size, so that of N rows each is written about log N times.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from filelock import FileLock
from numpy.typing import NDArray

from soundalike.config import available_cores
from soundalike.errors import LibraryError
from soundalike.library.storage import schema as layout
from soundalike.library.storage.store import Library, folder_size
from soundalike.search.index.rabitq import BLOCK, Sketch, bits_for, estimate, in_pieces, question, sketch

if TYPE_CHECKING:
    from soundalike.search.index.vectors import Rows

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Indices = NDArray[np.int64]

FORMAT = 1
LOOSE = 8 * BLOCK
"""So many rows may be without a segment; they are scanned exactly."""
GONE = 0.3
"""A segment with a larger share of rows that are gone is made anew."""
SAMPLE = 4 * BLOCK
"""Rows whose mean is the centre of a segment's sketch."""
MAPPED = 1 << 30
"""Where more than about so many bytes of `vectors.npy` are mapped, they are given back; they stay in the system's cache."""
LOOK = 4 * BLOCK
"""Rows read from which on it is looked at."""
_CHUNK = 8 * BLOCK
_ARRAYS = ("codes", "factors", "ones", "vectors")


@dataclass(frozen=True)
class Segment:
    """A segment that is open. row_of: (n,) the row of the table that each of its rows is, -1 for those that are gone."""

    place: Path
    sketch: Sketch
    vectors: NDArray[np.float16]
    row_of: Indices

    @cached_property
    def live(self) -> int:
        """How many of its rows are still in the table."""
        return int((self.row_of >= 0).sum())


class Sketches:
    """All rows of a table: those of segments, and the loose ones that are in none."""

    def __init__(self, library: Library, table: str, parts: Sequence[str], rows: Rows, segments: list[Segment]) -> None:
        self._library, self._table, self._parts, self._rows = library, table, tuple(parts), rows
        self.segments = segments
        self.sketched = 0  # rows that were sketched when it was opened
        self._where = np.full(len(rows), -1, dtype=np.int32)  # which segment
        self._place = np.zeros(len(rows), dtype=np.int64)  # which of its rows
        for number, segment in enumerate(segments):
            live = np.flatnonzero(segment.row_of >= 0)
            self._where[segment.row_of[live]] = number
            self._place[segment.row_of[live]] = live
        self.loose: Indices = np.flatnonzero(self._where < 0)
        self._place[self.loose] = np.arange(len(self.loose))
        self._loose_columns: dict[str, Float32] = {}
        self._touched = 0

    def estimate(self, weighted: Sequence[tuple[str, Float64]]) -> tuple[Float32, float]:
        """(N,) sum over (part, query) of <row's part, query>, and the standard deviation of its error."""
        out = np.zeros(len(self._rows), dtype=np.float32)
        error = 0.0
        parts = [self._parts.index(part) for part, _ in weighted]
        for segment in self.segments:
            asked = question(segment.sketch, parts, [query for _, query in weighted])
            found = estimate(segment.sketch, asked)
            error = max(error, asked.error)
            first = int(segment.row_of[0])
            if first >= 0 and segment.row_of[-1] == first + len(segment.row_of) - 1 and segment.live == len(found):
                out[first : first + len(found)] = found
            else:
                live = segment.row_of >= 0
                out[segment.row_of[live]] = found[live]
        if len(self.loose):
            out[self.loose] = sum(self._loose(part) @ query.astype(np.float32) for part, query in weighted)
        return out, error

    def products(self, weighted: Sequence[tuple[str, Float64]], rows: Indices) -> Float32:
        """(M,) sum over (part, query) of <row's part, its query> of some rows, exact but for the rounding of float32."""
        from soundalike.search.index.rabitq_kernel import products

        parts = np.array([self._parts.index(part) for part, _ in weighted], dtype=np.int64)
        queries = np.stack([query for _, query in weighted]).astype(np.float32)
        found = np.empty(len(rows), dtype=np.float32)
        where, place = self._where[rows], self._place[rows]
        for number in np.unique(where):
            here = np.flatnonzero(where == number)
            out = np.zeros(len(here), dtype=np.float32)
            if number < 0:
                for (part, _), query in zip(weighted, queries, strict=True):
                    out += self._loose(part)[place[here]] @ query
            else:
                loop, halves, places = products(), self.segments[number].vectors.view(np.uint16), place[here]

                def some(piece: slice, of: Any = (loop, halves, places, out)) -> None:
                    of[0](of[1], of[2][piece], parts, queries, of[3][piece])

                in_pieces(some, len(here), least=256)
            found[here] = out
        self._count(len(rows))
        return found

    def take(self, parts: Sequence[str], rows: Indices) -> Float32:
        """The vectors (M, P, D) of some rows."""
        numbers = [self._parts.index(part) for part in parts]
        found = np.empty((len(rows), len(parts), self._library.recipe.dimension), dtype=np.float32)
        where, place = self._where[rows], self._place[rows]
        for segment in np.unique(where):
            here = slice(None) if len(self.segments) == 1 and not len(self.loose) else where == segment
            for column, (part, number) in enumerate(zip(parts, numbers, strict=True)):
                if segment < 0:
                    found[here, column] = self._loose(part)[place[here]]
                else:
                    found[here, column] = self.segments[segment].vectors[place[here], number]
        self._count(len(rows))
        return found

    def _count(self, rows: int) -> None:
        """Note that some rows were read, whose pages the system maps with many around them."""
        self._touched += rows
        if self._touched > LOOK:
            self._touched = 0
            if _mapped_bytes() > MAPPED + self.nbytes():
                for one in self.segments:
                    _give_back(one.vectors)

    def present(self, part: str) -> NDArray[np.bool_]:
        """(N,) which rows have the part."""
        number = self._parts.index(part)
        found = np.zeros(len(self._rows), dtype=bool)
        for segment in self.segments:
            live = segment.row_of >= 0
            found[segment.row_of[live]] = segment.sketch.present(number)[live]
        if len(self.loose):
            found[self.loose] = self._loose(part).any(axis=1)
        return found

    def nbytes(self) -> int:
        """Bytes that a scan of all parts reads."""
        return sum(
            one.sketch.codes.nbytes + one.sketch.factors.nbytes + one.sketch.ones.nbytes for one in self.segments
        )

    def _loose(self, part: str) -> Float32:
        if part not in self._loose_columns:
            found = self._library.take(self._table, self._rows.order[self.loose], [part])[part]
            self._loose_columns[part] = found.astype(np.float32)
        return self._loose_columns[part]


def open_sketches(
    library: Library, table: str, parts: Sequence[str], rows: Rows, tell: Callable[[str], None] | None = None
) -> Sketches:
    """The sketches of a table as it stands, segments made for loose rows where there are many; tell: told in words before
    that.

    Raises LibraryError where they cannot be written.
    """
    folder = library.derived_path(f"sketch-{table}")
    segments = _segments(folder, library, parts, rows)
    found = Sketches(library, table, parts, rows, segments)
    if not _due(found):
        return found
    if tell is not None:
        tell(f"making sketches of {len(found.loose):,} windows, which searching needs and which is done once ...")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            # Another process may have made them meanwhile.
            found = Sketches(library, table, parts, rows, _segments(folder, library, parts, rows))
            written = 0
            if _due(found):
                written = _extend(folder, library, table, parts, rows, found)
                found = Sketches(library, table, parts, rows, _segments(folder, library, parts, rows))
            found.sketched = written
        return found
    except OSError as error:
        raise LibraryError(
            f"the library has more vectors than fit into memory, and sketches of them cannot be written to {folder} "
            f"({error.strerror or error}); free space or rights there, or allow more memory with SOUNDALIKE_MEMORY=8GB"
        ) from error


def _due(found: Sketches) -> bool:
    """Whether a segment has to be made."""
    return len(found.loose) > LOOSE or any(one.live < (1 - GONE) * len(one.row_of) for one in found.segments)


def sketch_bytes(library: Library, table: str) -> int:
    """Bytes on disk."""
    return folder_size(library.derived_path(f"sketch-{table}"))


def _segments(folder: Path, library: Library, parts: Sequence[str], rows: Rows) -> list[Segment]:
    """The segments that are there and were made as the library is, oldest first."""
    abouts: dict[Path, dict[str, Any]] = {}
    for place in sorted(folder.glob("[0-9]*")):
        try:
            about = json.loads((place / "about.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if about.get("made") == _made_from(library, parts):
            abouts[place] = about
    replaced = {name for about in abouts.values() for name in about["replaces"]}
    found = []
    for place, about in abouts.items():
        if place.name not in replaced:
            try:
                found.append(_open(place, about, rows))
            except (OSError, ValueError, KeyError, pa.ArrowException):
                continue  # half deleted, or of another age: its rows are loose
    return found


def _made_from(library: Library, parts: Sequence[str]) -> list[Any]:
    return [FORMAT, library.recipe.fingerprint(), list(parts), library.recipe.dimension]


def _open(place: Path, about: dict[str, Any], rows: Rows) -> Segment:
    arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    for name in _ARRAYS:
        arrays[name].flags.writeable = False
    _advise(arrays["vectors"], "MADV_RANDOM")  # single rows are picked from it: reading ahead would be for nothing
    with pa.memory_map(str(place / "rows.arrow")) as source:
        keys = pyarrow.ipc.open_file(source).read_all()
    count = keys.num_rows
    if len(arrays["vectors"]) != count:
        raise ValueError(f"{place} is not whole")
    found = Sketch(
        count,
        np.asarray(arrays["codes"]),
        np.asarray(arrays["factors"]),
        np.asarray(arrays["ones"]),
        np.array(about["centres"], dtype=np.float32),
        np.array(about["errors"], dtype=np.float32),
        np.array(about["typical"], dtype=np.float32),
    )
    return Segment(place, found, arrays["vectors"], _matched(keys, rows))


def _give_back(vectors: NDArray[np.float16]) -> None:
    """Let a mapped file's pages count as this process' memory no more."""
    _advise(vectors, "MADV_DONTNEED")


def _mapped_bytes() -> int:
    """Bytes of files that are in this process' memory; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[2]) * mmap.PAGESIZE
    except (OSError, ValueError):
        return 0


def _advise(vectors: Any, name: str) -> None:
    advice = getattr(mmap, name, None)
    if advice is not None:  # Windows has none
        vectors._mmap.madvise(advice)


def _matched(keys: pa.Table, rows: Rows) -> Indices:
    """(n,) the row of the table with each key's content and start, -1 where there is none."""
    encoded = keys["content"].combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    content = rows.index_of(encoded.dictionary)[encoded.indices.to_numpy()]
    starts = keys["start"].to_numpy()
    # A segment's rows of one content lie together by start, as the table's do.
    fresh = np.diff(encoded.indices.to_numpy(), prepend=-1) != 0
    nth = np.arange(len(starts)) - np.maximum.accumulate(np.where(fresh, np.arange(len(starts)), 0))
    row = np.where(content >= 0, rows.first[np.maximum(content, 0)] + nth if len(rows.first) else 0, -1)
    row[row >= len(rows)] = -1
    known = row >= 0
    known[known] = (rows.of_row[row[known]] == content[known]) & (rows.starts[row[known]] == starts[known])
    return np.where(known, row, -1)


def _extend(folder: Path, library: Library, table: str, parts: Sequence[str], rows: Rows, found: Sketches) -> int:
    """Write one segment for the loose rows, and for those of segments that it takes in; how many rows."""
    todo = [found.loose]
    size = len(found.loose)
    replaced: list[Segment] = []
    for segment in reversed(found.segments):
        if segment.live < 2 * size or segment.live < (1 - GONE) * len(segment.row_of):
            replaced.append(segment)
            todo.append(segment.row_of[segment.row_of >= 0])
            size += segment.live
    wanted = np.sort(np.concatenate(todo))
    names = [int(place.name) for place in folder.glob("[0-9]*") if place.name.isdigit()]
    for left in folder.glob("tmp-*"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = folder / f"tmp-{os.getpid()}"
    temporary.mkdir()
    try:
        about = _write(temporary, library, table, parts, rows, wanted)
        about |= {"made": _made_from(library, parts), "replaces": [segment.place.name for segment in replaced]}
        (temporary / "about.json").write_text(json.dumps(about), encoding="utf-8")
        temporary.rename(folder / f"{max(names, default=0) + 1:06d}")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for segment in replaced:  # where a file is open elsewhere and the system keeps it: `replaces` says that it is over
        shutil.rmtree(segment.place, ignore_errors=True)
    return len(wanted)


def _write(
    place: Path, library: Library, table: str, parts: Sequence[str], rows: Rows, wanted: Indices
) -> dict[str, Any]:
    """All files of a segment but about.json, whose contents are returned."""
    dimension = library.recipe.dimension
    sample = np.sort(np.random.default_rng(len(wanted)).permutation(wanted)[:SAMPLE])
    taken = library.take(table, rows.order[sample], parts)
    centres = np.stack([_centre(taken[part].astype(np.float32)) for part in parts])
    blocks = -(-len(wanted) // BLOCK)
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "vectors": (np.float16, (len(wanted), len(parts), dimension)),
        "factors": (np.float32, (len(parts), blocks, BLOCK)),
        "ones": (np.int16, (len(parts), blocks, BLOCK)),
        "codes": (np.uint64, (len(parts), blocks, bits_for(dimension) // 64, BLOCK)),
    }
    arrays = {
        name: np.lib.format.open_memmap(place / f"{name}.npy", mode="w+", dtype=dtype, shape=shape)
        for name, (dtype, shape) in shapes.items()
    }
    errors, typical = np.zeros(len(parts)), np.zeros(len(parts))
    begin = 0
    with ThreadPoolExecutor(available_cores()) as pool:
        for chunk in _chunks(library, table, parts, rows, wanted):
            count = len(chunk[parts[0]])

            def make(number: int, chunk: dict[str, NDArray[np.float16]] = chunk) -> Sketch:
                return sketch([chunk[parts[number]].astype(np.float32)], centres[number : number + 1])

            at = slice(begin // BLOCK, begin // BLOCK + -(-count // BLOCK))
            for number, made in enumerate(pool.map(make, range(len(parts)))):
                arrays["vectors"][begin : begin + count, number] = chunk[parts[number]]
                for name in ("codes", "factors", "ones"):
                    arrays[name][number, at] = getattr(made, name)[0]
                errors[number] += float(made.errors[0]) ** 2 * count / len(wanted)
                typical[number] += float(made.typical[0]) ** 2 * count / len(wanted)
            begin += count
    for array in arrays.values():
        array.flush()
    keys = pa.table(
        {"content": rows.contents.take(pa.array(rows.of_row[wanted])), "start": pa.array(rows.starts[wanted])}
    )
    with pa.OSFile(str(place / "rows.arrow"), "wb") as sink, pyarrow.ipc.new_file(sink, keys.schema) as writer:
        writer.write_table(keys)
    return {
        "centres": centres.tolist(),
        "errors": np.sqrt(errors).tolist(),
        "typical": np.sqrt(typical).tolist(),
    }


def _centre(vectors: Float32) -> Float32:
    present = vectors[vectors.any(axis=1)]
    return present.mean(axis=0) if len(present) else np.zeros(vectors.shape[1], dtype=np.float32)


def _chunks(
    library: Library, table: str, parts: Sequence[str], rows: Rows, wanted: Indices
) -> Iterator[dict[str, NDArray[np.float16]]]:
    """The vectors of the wanted rows (ascending), `_CHUNK` at a time."""
    positions = rows.order[wanted]
    if len(wanted) < len(rows) or (np.diff(positions) < 0).any():
        for begin in range(0, len(positions), _CHUNK):
            yield library.take(table, positions[begin : begin + _CHUNK], parts)
        return
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in library.stream(table, list(parts)):
        waiting.append(batch)
        held += batch.num_rows
        while held >= _CHUNK:
            joined = pa.Table.from_batches(waiting)
            yield {part: layout.vectors_of(joined[part].slice(0, _CHUNK)) for part in parts}
            waiting = joined.slice(_CHUNK).to_batches()
            held -= _CHUNK
    if held:
        joined = pa.Table.from_batches(waiting)
        yield {part: layout.vectors_of(joined[part]) for part in parts}
