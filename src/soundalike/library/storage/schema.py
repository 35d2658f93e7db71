"""The tables of a library, and how an analysis becomes their rows.

`windows` (of songs) and `clips` (loops and one-shots) hold vectors and belong to *contents*: the bytes of a file.
`items` are files, and point to contents: a copy or a moved file needs no vectors of its own. `skipped` are files
that could not be used. `peaks` are waveform overviews of contents; older libraries have no such table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from soundalike.analysis.recipe import Recipe
from soundalike.audio.waveform_overview import OVERVIEW_POINTS
from soundalike.parts import MIX

if TYPE_CHECKING:
    from soundalike.analysis.analyser import Analysis

WINDOWS, CLIPS, ITEMS, SKIPPED = "windows", "clips", "items", "skipped"
TABLES = (WINDOWS, CLIPS, ITEMS, SKIPPED)
PEAKS = "peaks"

_STORED_NAMES = {CLIPS: "wholes"}

_TEXT, _REAL, _LONG, _INT = pa.string(), pa.float64(), pa.int64(), pa.int32()


def _must(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


ITEMS_SCHEMA = pa.schema(
    [
        _must("id", _TEXT),
        _must("root", _TEXT),
        _must("path", _TEXT),  # relative to the root, with /
        _must("size", _LONG),
        _must("mtime_ns", _LONG),
        _must("content", _TEXT),
        _must("kind", _TEXT),
        _must("kind_source", _TEXT),  # estimate, user
        _must("status", _TEXT),  # present, missing
        _must("duration", _REAL),
        _must("sample_rate", _INT),
        _must("channels", _INT),
        pa.field("loudness", _REAL),
        pa.field("tempo", _REAL),
        pa.field("tempo_source", _TEXT),
        pa.field("tempo_confidence", _REAL),
        pa.field("key", _TEXT),
        pa.field("key_source", _TEXT),
        pa.field("key_confidence", _REAL),
        pa.field("artist", _TEXT),
        pa.field("title", _TEXT),
        pa.field("album", _TEXT),
        _must("basis", _TEXT),  # what tempo and key were resolved from, as JSON: a new name needs no decoding
        _must("windows", _INT),  # rows of vectors
        _must("indexed_at", _TEXT),
    ]
)

SKIPPED_SCHEMA = pa.schema(
    [
        _must("id", _TEXT),
        _must("root", _TEXT),
        _must("path", _TEXT),
        _must("size", _LONG),
        _must("mtime_ns", _LONG),
        _must("reason", _TEXT),
        _must("recipe", _TEXT),  # fingerprint: under another recipe the file is tried again
    ]
)


PEAKS_SCHEMA = pa.schema(
    [
        _must("content", _TEXT),
        _must("duration", _REAL),
        _must("low", pa.binary(OVERVIEW_POINTS)),  # int8, see `audio.waveform_overview`
        _must("high", pa.binary(OVERVIEW_POINTS)),
    ]
)


def stored_name(table: str) -> str:
    """The name of a table on disk: `wholes` for `clips`, its own for every other."""
    return _STORED_NAMES.get(table, table)


def vector_type(dimension: int) -> pa.DataType:
    """float16 vectors of one length."""
    return pa.list_(pa.float16(), dimension)


def windows_schema(recipe: Recipe) -> pa.Schema:
    """One row for each window of a song: for each part its vector (zeros where absent) and whether it is present."""
    columns = [_must("content", _TEXT), _must("start", _REAL), _must("end", _REAL)]
    for part in recipe.parts:
        columns += [_must(part, vector_type(recipe.dimension)), _must(f"{part}_present", pa.bool_())]
    return pa.schema(columns)


def clips_schema(recipe: Recipe) -> pa.Schema:
    """One row for each loop or one-shot, embedded whole."""
    return pa.schema(
        [
            _must("content", _TEXT),
            _must("start", _REAL),
            _must("end", _REAL),
            _must(MIX, vector_type(recipe.dimension)),
        ]
    )


def schemas(recipe: Recipe) -> dict[str, pa.Schema]:
    """All tables of a library made by `recipe`."""
    return {
        WINDOWS: windows_schema(recipe),
        CLIPS: clips_schema(recipe),
        ITEMS: ITEMS_SCHEMA,
        SKIPPED: SKIPPED_SCHEMA,
    }


def vector_table(analysis: Analysis) -> str:
    """The table that an analysis' vectors belong in."""
    return WINDOWS if analysis.kind == "song" else CLIPS


def vector_rows(analysis: Analysis, content: str, recipe: Recipe) -> pa.Table:
    """The rows of an analysis for `vector_table(analysis)`, vectors rounded to float16.

    Raises ValueError if the analysis does not have the parts and shapes of the recipe, or a vector is not finite: such an
    analysis is a bug and must not reach the disk.
    """
    count = len(analysis.starts)
    parts = recipe.parts if analysis.kind == "song" else (MIX,)
    if tuple(analysis.parts) != tuple(parts):
        raise ValueError(f"a {analysis.kind} has the parts {parts}, the analysis has {analysis.parts}")
    shape = (count, len(parts), recipe.dimension)
    if count == 0 or analysis.vectors.shape != shape or analysis.present.shape != shape[:2]:
        raise ValueError(f"vectors of the shape {shape} (at least one row) expected, got {analysis.vectors.shape}")
    vectors = np.where(analysis.present[..., np.newaxis], analysis.vectors, 0).astype(np.float16)
    if not np.isfinite(vectors).all():
        raise ValueError("a vector is not finite")
    columns: dict[str, Any] = {
        "content": pa.array([content] * count, _TEXT),
        "start": pa.array(analysis.starts, _REAL),
        "end": pa.array(analysis.ends, _REAL),
    }
    for number, part in enumerate(parts):
        columns[part] = vector_array(vectors[:, number])
        if analysis.kind == "song":
            columns[f"{part}_present"] = pa.array(analysis.present[:, number], pa.bool_())
    schema = windows_schema(recipe) if analysis.kind == "song" else clips_schema(recipe)
    return pa.Table.from_pydict(columns, schema=schema)


def peak_rows(analysis: Analysis, content: str) -> pa.Table:
    """The row of an analysis for `peaks`; none if it has no waveform overview."""
    rows = []
    if analysis.peaks is not None:
        low, high = analysis.peaks
        rows = [{"content": content, "duration": analysis.duration, "low": low.tobytes(), "high": high.tobytes()}]
    return pa.Table.from_pylist(rows, schema=PEAKS_SCHEMA)


def vector_array(vectors: NDArray[np.float16]) -> pa.FixedSizeListArray:
    """(N, D) float16 as a column of fixed-size lists."""
    flat = np.ascontiguousarray(vectors, dtype=np.float16).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat, pa.float16()), vectors.shape[1])


def vectors_of(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float16]:
    """A column of fixed-size float16 lists as (N, D); a view of its memory if that is contiguous."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    dimension = column.type.list_size
    pieces = [chunk.flatten().to_numpy(zero_copy_only=True).reshape(-1, dimension) for chunk in chunks]
    if len(pieces) == 1:
        return np.asarray(pieces[0])
    return np.concatenate([np.empty((0, dimension), np.float16), *pieces])


def row_table(rows: list[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as dictionaries -> a table with the columns of `schema`."""
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema=schema)
