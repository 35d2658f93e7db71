"""Export and import of vectors as Parquet: one row for each window, one vector column for each part.

Columns: `id` (text), `start`, `end` (s), for each part a list of D numbers (null where absent; only `mix` for loops and
one-shots). Always exported, optional in an import: `path`, `kind`, `duration`, `loudness`, `tempo`, `key` (each with
`_source`), `artist`, `title`, `album`. The file's metadata `soundalike.recipe` records how the vectors were made.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from soundalike.analysis.kinds import check_kind
from soundalike.analysis.recipe import Recipe
from soundalike.config import replacing
from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing.file_registry import FileRegistry
from soundalike.library.storage import schema as layout
from soundalike.library.storage.location import Location, absolute
from soundalike.library.storage.lock import writing
from soundalike.library.storage.manifest import FILE_NAME, generation_folder, read_manifest
from soundalike.library.storage.store import Library, Tables, refuse_other_things
from soundalike.parts import MIX, PARTS, ordered
from soundalike.similarity.cosine import unit

RECIPE_KEY = b"soundalike.recipe"
_FACTS = ("duration", "loudness", "tempo", "tempo_source", "key", "key_source", "artist", "title", "album")
_BASIS = {"tags": None}

_NO_ID = re.compile(r"^\.{1,2}$|/(audio|peaks|stems/[^/]*)$")
"""Ids whose address (`/api/items/ID`) would be that of something else."""


def export_parquet(library: Library, out: Path) -> int:
    """Write all windows of all items to the file `out`; returns the number of rows.

    Raises InputError if the file cannot be written.
    """
    recipe = library.recipe
    items: dict[str, list[dict[str, Any]]] = {}
    for item in sorted(library.items().to_pylist(), key=lambda item: item["id"]):
        items.setdefault(item["content"], []).append(item)
    schema = _export_schema(recipe)
    if not out.parent.is_dir():
        raise InputError(f"{out} cannot be written: there is no folder {out.parent}; make it, or choose another")
    rows = 0
    try:
        with replacing(out) as temporary, pq.ParquetWriter(temporary, schema) as writer:
            for table in (layout.WINDOWS, layout.CLIPS):
                for block in _export_blocks(library, table, items, schema):
                    writer.write_table(block)
                    rows += block.num_rows
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from error
    return rows


def import_parquet(place: str | Location, parquet: Path, *, encoder: str | None = None) -> int:
    """Add the items of a Parquet file to the library at `place` (created if needed); returns their number.

    encoder: the name of the model that made the vectors, if the file's metadata does not name it; such vectors are only
    compared with each other. An item that exists already is replaced. Raises InputError for a file without this form (a
    missing column, another dimension, a value that is not finite), LibraryError for a library made with another recipe.
    """
    if not parquet.exists():
        raise InputError(f"{parquet}: no such file; give a Parquet file, such as `soundalike export` writes")
    try:
        table = pq.read_table(parquet)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{parquet} cannot be read as Parquet: {error}") from None
    recipe = _recipe_of(parquet, table, encoder)
    groups = list(_groups(parquet, table, recipe))
    place = absolute(place)
    if not (place / FILE_NAME).exists():
        if isinstance(place, Path):
            place.mkdir(parents=True, exist_ok=True)
        refuse_other_things(place)
    with writing(place) as check:
        if not (place / FILE_NAME).exists():
            Library.create(place, recipe)
        manifest = read_manifest(place)
        if manifest.recipe != recipe:
            differing = "; ".join(manifest.recipe.differences(recipe))
            raise LibraryError(
                f"{place} was made with another recipe than {parquet}: {differing}; name another --library"
            )
        tables = Tables(generation_folder(place, manifest.generation), recipe, check)
        _refuse_indexed(place, tables, {item["id"] for item, _ in groups})
        _replace(tables, groups)
    return len(groups)


def _refuse_indexed(place: Location, tables: Tables, ids: set[str]) -> None:
    """Items of files that were indexed here are not overwritten: they hold more than a Parquet file does."""
    for row in tables.read(layout.ITEMS, ["id", "root", "path"]).to_pylist():
        if row["id"] in ids and row["root"]:
            raise InputError(
                f"the id {row['id']!r} is a file that was indexed in {place} ({row['root']}/{row['path']}); "
                "import into another --library"
            )


def _replace(tables: Tables, groups: list[tuple[dict[str, Any], pa.Table]]) -> None:
    """Write vectors first, then items; then delete vectors that no item has any more."""
    for name in (layout.WINDOWS, layout.CLIPS):
        known = set(tables.read(name, ["content"])["content"].to_pylist())
        fresh = [rows for item, rows in groups if _table_of(item) == name and item["content"] not in known]
        if fresh:
            tables.append(name, pa.concat_tables(fresh))
    tables.upsert(layout.ITEMS, layout.row_table([item for item, _ in groups], layout.ITEMS_SCHEMA))
    FileRegistry(tables).sweep()
    tables.compact(at_end=True)


def _table_of(item: Mapping[str, Any]) -> str:
    return layout.WINDOWS if item["kind"] == "song" else layout.CLIPS


def _export_schema(recipe: Recipe) -> pa.Schema:
    text, real = pa.string(), pa.float64()
    fields = [("id", text), ("path", text), ("kind", text), ("start", real), ("end", real)]
    fields += [(part, layout.vector_type(recipe.dimension)) for part in recipe.parts]
    fields += [(name, real if name in ("duration", "loudness", "tempo") else text) for name in _FACTS]
    return pa.schema(fields, metadata={RECIPE_KEY: json.dumps(recipe.to_json()).encode()})


def _export_blocks(
    library: Library, table: str, items: dict[str, list[dict[str, Any]]], schema: pa.Schema
) -> Iterator[pa.Table]:
    """The rows of `windows` or `clips`, repeated for each item that has them, in blocks."""
    clip = table == layout.CLIPS
    parts = (MIX,) if clip else library.recipe.parts
    flags = [] if clip else [f"{part}_present" for part in parts]
    read = library.clips if clip else library.windows
    stored = read(["content", "start", "end", *parts, *flags])
    owners = [(row, item) for row, name in enumerate(stored["content"].to_pylist()) for item in items.get(name, [])]
    for begin in range(0, len(owners), 5_000):
        chosen = owners[begin : begin + 5_000]
        taken = stored.take(pa.array([row for row, _ in chosen]))
        columns: dict[str, Any] = {name: taken[name] for name in ("start", "end")}
        columns["id"] = [item["id"] for _, item in chosen]
        columns["path"] = [str(library.absolute(item["root"], item["path"])) for _, item in chosen]
        for name in ("kind", *_FACTS):
            columns[name] = [item[name] for _, item in chosen]
        for part in library.recipe.parts:
            if part not in parts:
                columns[part] = pa.nulls(len(chosen), schema.field(part).type)
                continue
            vectors = layout.vectors_of(taken[part])
            there = np.ones(len(chosen), bool) if clip else np.asarray(taken[f"{part}_present"].to_pylist(), bool)
            columns[part] = pa.FixedSizeListArray.from_arrays(
                pa.array(np.ascontiguousarray(vectors).ravel()), vectors.shape[1], mask=pa.array(~there)
            )
        yield pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _recipe_of(parquet: Path, table: pa.Table, encoder: str | None) -> Recipe:
    """How the vectors were made: as the file states, or by `encoder` elsewhere."""
    stated = (table.schema.metadata or {}).get(RECIPE_KEY)
    if stated is not None and encoder is None:
        return Recipe.from_json(json.loads(stated))
    if encoder is None:
        raise InputError(f"{parquet} does not state which encoder computed its vectors; name it with --encoder")
    parts = ordered(name for name in table.column_names if name in PARTS)
    if MIX not in parts:
        raise InputError(f"{parquet} has no column 'mix'; the vector columns are named after parts: {', '.join(PARTS)}")
    for row in table[MIX].to_pylist():
        if row is not None:
            return Recipe(encoder, "imported", "imported", "imported", parts, len(row))
    raise InputError(f"all of {parquet}'s column 'mix' is null; it holds no vectors")


def _groups(parquet: Path, table: pa.Table, recipe: Recipe) -> Iterator[tuple[dict[str, Any], pa.Table]]:
    """Item and vector rows of each id in the file, in the order of their first rows."""
    missing = [name for name in ("id", "start", "end", *recipe.parts) if name not in table.column_names]
    if missing:
        raise InputError(
            f"{parquet} has no column {missing[0]!r}; needed are id, start, end and {', '.join(recipe.parts)}"
        )
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(table["id"].to_pylist()):
        if not isinstance(name, str) or not name:
            raise InputError(f"{parquet}, row {row}: the id {name!r} is not text")
        if _NO_ID.search(name):
            raise InputError(
                f"{parquet}, row {row}: the id {name!r} is an address of `soundalike serve`; ids may contain slashes, but "
                "not be . or .. or end in /audio, /peaks or /stems/..."
            )
        rows_of.setdefault(name, []).append(row)
    vectors = {part: _vectors(parquet, table, part, recipe.dimension) for part in recipe.parts}
    plain = table.select([name for name in table.column_names if name not in recipe.parts]).to_pylist()
    for name, rows in rows_of.items():
        rows.sort(key=lambda row: float(plain[row]["start"]))
        item = _item(name, [plain[row] for row in rows], {p: v[rows] for p, v in vectors.items()})
        yield item, _vector_table(item, [plain[row] for row in rows], {p: v[rows] for p, v in vectors.items()}, recipe)


def _vectors(parquet: Path, table: pa.Table, part: str, dimension: int) -> NDArray[np.float32]:
    """A part's unit vectors (N, D), zero where null."""
    vectors = np.zeros((table.num_rows, dimension), dtype=np.float32)
    for row, values in enumerate(table[part].to_pylist()):
        if values is None:
            continue
        if len(values) != dimension:
            raise InputError(f"{parquet}, row {row}: {part!r} has {len(values)} numbers; {dimension} are needed")
        vectors[row] = values
    try:
        return unit(vectors)
    except InputError:
        bad = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise InputError(f"{parquet}, row {bad}: {part!r} holds NaN or infinite values") from None


def _item(name: str, rows: list[dict[str, Any]], vectors: dict[str, NDArray[np.float32]]) -> dict[str, Any]:
    first = rows[0]
    digest = hashlib.blake2b(name.encode(), digest_size=16)
    for part in sorted(vectors):
        digest.update(vectors[part].tobytes())
    facts = {fact: first.get(fact) for fact in _FACTS}
    facts["duration"] = facts["duration"] if facts["duration"] is not None else float(rows[-1]["end"])
    return {
        **facts,
        "id": name,
        "root": "",
        "path": first.get("path") or name,
        "size": 0,
        "mtime_ns": 0,
        "content": digest.hexdigest(),
        "kind": check_kind(first.get("kind") or "song"),
        "kind_source": "user",
        "status": "present",
        "sample_rate": 0,
        "channels": 0,
        "basis": json.dumps(_BASIS),
        "windows": len(rows),
        "indexed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **{
            f"{fact}_source": None if facts[fact] is None else facts[f"{fact}_source"] or "imported"
            for fact in ("tempo", "key")
        },
        **{f"{fact}_confidence": None for fact in ("tempo", "key")},
    }


def _vector_table(
    item: Mapping[str, Any], rows: list[dict[str, Any]], vectors: dict[str, NDArray[np.float32]], recipe: Recipe
) -> pa.Table:
    clip = item["kind"] != "song"
    columns: dict[str, Any] = {
        "content": [item["content"]] * len(rows),
        "start": [float(row["start"]) for row in rows],
        "end": [float(row["end"]) for row in rows],
    }
    for part in (MIX,) if clip else recipe.parts:
        columns[part] = layout.vector_array(vectors[part].astype(np.float16))
        if not clip:
            columns[f"{part}_present"] = vectors[part].any(axis=1)
    schema = layout.clips_schema(recipe) if clip else layout.windows_schema(recipe)
    return pa.table(columns, schema=schema)
