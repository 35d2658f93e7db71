"""One-bit codes and vectors of a library on disk, next to its tables: derived from them, so they may be deleted at any time.

`sketch-windows/` and `sketch-wholes/` hold segments, folders that never change once they exist:

    about.json     what the segment was made from; a folder without it is not a segment
    rows.arrow     content and start of each row
    codes.npy, factors.npy, ones.npy   the codes (`rabitq`)
    vectors.npy    (rows, K, D) the float16 values of the tables, from which single rows can be read

Rows are identified by content and start, and the vectors of a content never change, so a segment stays valid whatever is
appended to the tables, deleted from them or moved in them. Deleted rows are skipped; rows without a code are scanned exactly,
and once there are many of them they become a segment. A new segment absorbs earlier ones that are less than twice its size,
so each of N rows is written about log N times.
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
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from filelock import FileLock
from numpy.typing import NDArray

from soundalike.config import available_cores
from soundalike.errors import LibraryError
from soundalike.library.storage import schema as layout
from soundalike.library.storage.store import folder_size
from soundalike.search.index.coding_scale import coding_scale
from soundalike.search.index.rabitq import (
    BLOCK,
    CodedVectors,
    bits_for,
    encode,
    encode_query,
    estimate,
    in_pieces,
    kernels,
)
from soundalike.search.index.table_rows import (
    Float32,
    Float64,
    Indices,
    Mask,
    Rows,
    StreamedSource,
    Table,
    encode_contents,
)

FORMAT = 2
MAX_UNCODED_ROWS = 8 * BLOCK
"""Rows that may be without a code; they are scanned exactly."""
MAX_DELETED_SHARE = 0.3
"""A segment with a larger share of deleted rows is rewritten."""
SAMPLE = 4 * BLOCK
"""Rows whose mean is the centre of a segment's codes."""
MAX_MAPPED_BYTES = 1 << 30
"""When about this many bytes of `vectors.npy` are mapped, they are unmapped; they stay in the system's page cache."""
ROWS_PER_CHECK = 4 * BLOCK
"""Rows read between two checks of the mapped bytes."""
_CHUNK = 8 * BLOCK
_ARRAYS = ("codes", "factors", "ones", "vectors")


@dataclass(frozen=True)
class CodeSegment:
    """An open segment. row_of (n,): the row of the table that each of its rows is, -1 for deleted ones; scale (D,): what vectors
    were multiplied by before they were coded, None if nothing (`coding_scale`)."""

    folder: Path
    coded: CodedVectors
    vectors: NDArray[np.float16]
    row_of: Indices
    scale: Float32 | None = None

    @cached_property
    def live(self) -> int:
        """How many of its rows are still in the table."""
        return int((self.row_of >= 0).sum())


class RabitqSegments:
    """All rows of a table: those in segments, and the uncoded ones that are in none.

    rows_written: how many rows were written to a segment when this was opened.
    """

    def __init__(
        self, source: StreamedSource, table: Table, parts: Sequence[str], rows: Rows, segments: list[CodeSegment]
    ) -> None:
        self._source, self._table, self._parts, self._rows = source, table, tuple(parts), rows
        self.segments = segments
        self.rows_written = 0
        self._where = np.full(len(rows), -1, dtype=np.int32)  # number of the segment
        self._place = np.zeros(len(rows), dtype=np.int64)  # row in the segment
        for number, segment in enumerate(segments):
            live = np.flatnonzero(segment.row_of >= 0)
            self._where[segment.row_of[live]] = number
            self._place[segment.row_of[live]] = live
        self.uncoded: Indices = np.flatnonzero(self._where < 0)
        self._place[self.uncoded] = np.arange(len(self.uncoded))
        self._uncoded_columns: dict[str, Float32] = {}
        self._rows_read = 0

    def estimate(self, weighted: Sequence[tuple[str, Float64]]) -> tuple[Float32, float]:
        """(N,) sum over (part, query) of <row's part, query>, and the standard deviation of its error."""
        out = np.zeros(len(self._rows), dtype=np.float32)
        error = 0.0
        parts = [self._parts.index(part) for part, _ in weighted]
        for segment in self.segments:
            queries = [query if segment.scale is None else query / segment.scale for _, query in weighted]
            encoded = encode_query(segment.coded, parts, queries)
            estimates = estimate(segment.coded, encoded)
            error = max(error, encoded.error)
            first = int(segment.row_of[0])
            if first >= 0 and segment.row_of[-1] == first + len(segment.row_of) - 1 and segment.live == len(estimates):
                out[first : first + len(estimates)] = estimates
            else:
                live = segment.row_of >= 0
                out[segment.row_of[live]] = estimates[live]
        if len(self.uncoded):
            out[self.uncoded] = sum(self._uncoded(part) @ query.astype(np.float32) for part, query in weighted)
        return out, error

    def products(self, weighted: Sequence[tuple[str, Float64]], rows: Indices) -> Float32:
        """(M,) sum over (part, query) of <row's part, its query> of some rows, exact but for the rounding of float32."""
        parts = np.array([self._parts.index(part) for part, _ in weighted], dtype=np.int64)
        queries = np.stack([query for _, query in weighted]).astype(np.float32)
        scores = np.empty(len(rows), dtype=np.float32)
        where, place = self._where[rows], self._place[rows]
        for number in np.unique(where):
            here = np.flatnonzero(where == number)
            out = np.zeros(len(here), dtype=np.float32)
            if number < 0:
                for (part, _), query in zip(weighted, queries, strict=True):
                    out += self._uncoded(part)[place[here]] @ query
            else:
                loop, halves, places = kernels().products, self.segments[number].vectors.view(np.uint16), place[here]

                def some(piece: slice, of: Any = (loop, halves, places, out)) -> None:
                    of[0](of[1], of[2][piece], parts, queries, of[3][piece])

                in_pieces(some, len(here), least=256)
            scores[here] = out
        self._count_reads(len(rows))
        return scores

    def take(self, parts: Sequence[str], rows: Indices) -> Float32:
        """The vectors (M, P, D) of some rows."""
        numbers = [self._parts.index(part) for part in parts]
        vectors = np.empty((len(rows), len(parts), self._source.recipe.dimension), dtype=np.float32)
        where, place = self._where[rows], self._place[rows]
        for segment in np.unique(where):
            here = slice(None) if len(self.segments) == 1 and not len(self.uncoded) else where == segment
            for column, (part, number) in enumerate(zip(parts, numbers, strict=True)):
                if segment < 0:
                    vectors[here, column] = self._uncoded(part)[place[here]]
                else:
                    vectors[here, column] = self.segments[segment].vectors[place[here], number]
        self._count_reads(len(rows))
        return vectors

    def _count_reads(self, rows: int) -> None:
        """Limit the memory of mapped pages: the system maps many pages around each row that is read."""
        self._rows_read += rows
        if self._rows_read > ROWS_PER_CHECK:
            self._rows_read = 0
            if _mapped_bytes() > MAX_MAPPED_BYTES + self.nbytes():
                for segment in self.segments:
                    _unmap(segment.vectors)

    def present(self, part: str) -> Mask:
        """(N,) which rows have the part."""
        number = self._parts.index(part)
        present = np.zeros(len(self._rows), dtype=bool)
        for segment in self.segments:
            live = segment.row_of >= 0
            present[segment.row_of[live]] = segment.coded.present(number)[live]
        if len(self.uncoded):
            present[self.uncoded] = self._uncoded(part).any(axis=1)
        return present

    def nbytes(self) -> int:
        """Bytes that a scan of all parts reads."""
        return sum(
            segment.coded.codes.nbytes + segment.coded.factors.nbytes + segment.coded.ones.nbytes
            for segment in self.segments
        )

    def _uncoded(self, part: str) -> Float32:
        if part not in self._uncoded_columns:
            vectors = self._source.take(self._table, self._rows.order[self.uncoded], [part])[part]
            self._uncoded_columns[part] = vectors.astype(np.float32)
        return self._uncoded_columns[part]


def open_segments(
    source: StreamedSource,
    table: Table,
    parts: Sequence[str],
    rows: Rows,
    on_status: Callable[[str], None] | None = None,
) -> RabitqSegments:
    """The segments of a table in its present state; uncoded rows are coded first where there are many.

    on_status: called with a message before that. Raises LibraryError where the segment cannot be written.
    """
    folder = source.derived_path(_folder_name(table))

    def opened() -> RabitqSegments:
        return RabitqSegments(source, table, parts, rows, _read_segments(folder, source, parts, rows))

    segments = opened()
    if not _is_due(segments):
        return segments
    if on_status is not None:
        if not kernels().compiled:
            on_status(
                "searches of a library of this size are about 25 times faster with: pip install 'soundalike[large]'"
            )
        on_status(f"coding {len(segments.uncoded):,} windows for the search, which is done once ...")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            segments = opened()  # another process may have written them by now
            if _is_due(segments):
                written = _extend(folder, source, table, parts, rows, segments)
                segments = opened()
                segments.rows_written = written
        return segments
    except OSError as error:
        raise LibraryError(
            f"the library has more vectors than fit into memory, and their codes cannot be written to {folder} "
            f"({error.strerror or error}); free disk space or change permissions there, or allow more memory with "
            "SOUNDALIKE_MEMORY=8GB"
        ) from error


def _is_due(segments: RabitqSegments) -> bool:
    """Whether a segment has to be written."""
    return len(segments.uncoded) > MAX_UNCODED_ROWS or any(map(_is_mostly_deleted, segments.segments))


def _is_mostly_deleted(segment: CodeSegment) -> bool:
    return segment.live < (1 - MAX_DELETED_SHARE) * len(segment.row_of)


def _folder_name(table: Table) -> str:
    """The folder of a table's segments, under the table's name on disk."""
    return f"sketch-{layout.stored_name(table)}"


def segment_bytes(source: StreamedSource, table: Table) -> int:
    """Bytes on disk."""
    return folder_size(source.derived_path(_folder_name(table)))


def _read_segments(folder: Path, source: StreamedSource, parts: Sequence[str], rows: Rows) -> list[CodeSegment]:
    """The segments on disk that fit the library's recipe, oldest first."""
    abouts: dict[Path, dict[str, Any]] = {}
    for place in sorted(folder.glob("[0-9]*")):
        try:
            about = json.loads((place / "about.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if about.get("made") == _made_from(source, parts):
            abouts[place] = about
    replaced = {name for about in abouts.values() for name in about["replaces"]}
    segments = []
    for place, about in abouts.items():
        if place.name not in replaced:
            try:
                segments.append(_read_segment(place, about, rows))
            except (OSError, ValueError, KeyError, pa.ArrowException):
                continue  # half deleted or damaged: its rows count as uncoded
    return segments


def _made_from(source: StreamedSource, parts: Sequence[str]) -> list[Any]:
    return [FORMAT, source.recipe.fingerprint(), list(parts), source.recipe.dimension]


def _read_segment(place: Path, about: dict[str, Any], rows: Rows) -> CodeSegment:
    arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
    for name in _ARRAYS:
        arrays[name].flags.writeable = False
    _advise(arrays["vectors"], "MADV_RANDOM")  # single rows are read: reading ahead would be wasted
    with pa.memory_map(str(place / "rows.arrow")) as file:
        keys = pyarrow.ipc.open_file(file).read_all()
    count = keys.num_rows
    if len(arrays["vectors"]) != count:
        raise ValueError(f"{place} is incomplete")
    coded = CodedVectors(
        count,
        np.asarray(arrays["codes"]),
        np.asarray(arrays["factors"]),
        np.asarray(arrays["ones"]),
        np.array(about["centres"], dtype=np.float32),
        np.array(about["errors"], dtype=np.float32),
        np.array(about["typical"], dtype=np.float32),
    )
    scale = None if about["scale"] is None else np.array(about["scale"], dtype=np.float32)
    return CodeSegment(place, coded, arrays["vectors"], _match_rows(keys, rows), scale)


def _unmap(vectors: NDArray[np.float16]) -> None:
    """Release the pages of a mapped file from the memory of this process."""
    _advise(vectors, "MADV_DONTNEED")


def _mapped_bytes() -> int:
    """Bytes of mapped files in the memory of this process; 0 where the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[2]) * mmap.PAGESIZE
    except (OSError, ValueError):
        return 0


def _advise(vectors: Any, name: str) -> None:
    advice = getattr(mmap, name, None)
    if advice is not None:  # Windows has none
        vectors._mmap.madvise(advice)


def _match_rows(keys: pa.Table, rows: Rows) -> Indices:
    """(n,) the row of the table with each key's content and start, -1 where there is none."""
    encoded = encode_contents(keys["content"])
    content = rows.index_of(encoded.dictionary)[encoded.indices.to_numpy()]
    starts = keys["start"].to_numpy()
    # The rows of a content are adjacent and ordered by start, in a segment as in the table.
    fresh = np.diff(encoded.indices.to_numpy(), prepend=-1) != 0
    nth = np.arange(len(starts)) - np.maximum.accumulate(np.where(fresh, np.arange(len(starts)), 0))
    row = np.where(content >= 0, rows.first[np.maximum(content, 0)] + nth if len(rows.first) else 0, -1)
    row[row >= len(rows)] = -1
    known = row >= 0
    known[known] = (rows.of_row[row[known]] == content[known]) & (rows.starts[row[known]] == starts[known])
    return np.where(known, row, -1)


def _extend(
    folder: Path, source: StreamedSource, table: Table, parts: Sequence[str], rows: Rows, existing: RabitqSegments
) -> int:
    """Write one segment for the uncoded rows and for those of the segments that it absorbs; how many rows."""
    to_write = [existing.uncoded]
    size = len(existing.uncoded)
    absorbed: list[CodeSegment] = []
    for segment in reversed(existing.segments):
        if segment.live < 2 * size or _is_mostly_deleted(segment):
            absorbed.append(segment)
            to_write.append(segment.row_of[segment.row_of >= 0])
            size += segment.live
    wanted = np.sort(np.concatenate(to_write))
    names = [int(place.name) for place in folder.glob("[0-9]*") if place.name.isdigit()]
    for leftover in folder.glob("tmp-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = folder / f"tmp-{os.getpid()}"
    temporary.mkdir()
    try:
        about = _write(temporary, source, table, parts, rows, wanted)
        about |= {"made": _made_from(source, parts), "replaces": [segment.folder.name for segment in absorbed]}
        (temporary / "about.json").write_text(json.dumps(about), encoding="utf-8")
        temporary.rename(folder / f"{max(names, default=0) + 1:06d}")
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for segment in absorbed:  # if a file is still open elsewhere and cannot be deleted, `replaces` marks it as obsolete
        shutil.rmtree(segment.folder, ignore_errors=True)
    return len(wanted)


def _write(
    place: Path, source: StreamedSource, table: Table, parts: Sequence[str], rows: Rows, wanted: Indices
) -> dict[str, Any]:
    """Write all files of a segment but about.json, whose contents are returned."""
    dimension, scale = source.recipe.dimension, coding_scale(source.recipe, table)
    sample = np.sort(np.random.default_rng(len(wanted)).permutation(wanted)[:SAMPLE])
    taken = source.take(table, rows.order[sample], parts)
    centres = np.stack([_mean_present(_scaled(taken[part], scale)) for part in parts])
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
        for chunk in _chunks(source, table, parts, rows, wanted):
            count = len(chunk[parts[0]])

            def code(number: int, chunk: dict[str, NDArray[np.float16]] = chunk) -> CodedVectors:
                return encode([_scaled(chunk[parts[number]], scale)], centres[number : number + 1])

            at = slice(begin // BLOCK, begin // BLOCK + -(-count // BLOCK))
            for number, coded in enumerate(pool.map(code, range(len(parts)))):
                arrays["vectors"][begin : begin + count, number] = chunk[parts[number]]
                for name in ("codes", "factors", "ones"):
                    arrays[name][number, at] = getattr(coded, name)[0]
                errors[number] += float(coded.errors[0]) ** 2 * count / len(wanted)
                typical[number] += float(coded.typical[0]) ** 2 * count / len(wanted)
            begin += count
    for array in arrays.values():
        array.flush()
    keys = pa.table(
        {"content": rows.contents.take(pa.array(rows.of_row[wanted])), "start": pa.array(rows.starts[wanted])}
    )
    with pa.OSFile(str(place / "rows.arrow"), "wb") as sink, pyarrow.ipc.new_file(sink, keys.schema) as writer:
        writer.write_table(keys)
    return {
        "scale": None if scale is None else scale.tolist(),
        "centres": centres.tolist(),
        "errors": np.sqrt(errors).tolist(),
        "typical": np.sqrt(typical).tolist(),
    }


def _scaled(vectors: NDArray[np.float16], scale: Float32 | None) -> Float32:
    """Vectors (N, D) as they are coded."""
    values = vectors.astype(np.float32)
    return values if scale is None else values * scale


def _mean_present(vectors: Float32) -> Float32:
    """(D,) the mean of the vectors that are present."""
    present = vectors[vectors.any(axis=1)]
    return present.mean(axis=0) if len(present) else np.zeros(vectors.shape[1], dtype=np.float32)


def _chunks(
    source: StreamedSource, table: Table, parts: Sequence[str], rows: Rows, wanted: Indices
) -> Iterator[dict[str, NDArray[np.float16]]]:
    """The vectors of the wanted rows (ascending), `_CHUNK` at a time."""
    positions = rows.order[wanted]
    if len(wanted) < len(rows) or (np.diff(positions) < 0).any():
        for begin in range(0, len(positions), _CHUNK):
            yield source.take(table, positions[begin : begin + _CHUNK], parts)
        return
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in source.stream(table, list(parts)):
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
