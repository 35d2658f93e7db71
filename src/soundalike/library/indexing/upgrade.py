"""From one recipe to another: a new generation of tables is built beside the old one, which serves until the swap.

What the new recipe does not change is copied, the rest is re-indexed. An interrupted build is continued by the next one
with the same recipe.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from soundalike.analysis.kinds import check_kind
from soundalike.analysis.recipe import Recipe, licences
from soundalike.errors import LibraryError
from soundalike.library.indexing.exclusions import Exclusions
from soundalike.library.indexing.file_registry import STALE
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.indexing_run import IndexingRun, IndexJob
from soundalike.library.indexing.scan import reachable
from soundalike.library.indexing.scopes import Scope
from soundalike.library.storage import schema as layout
from soundalike.library.storage.location import Location, Remote
from soundalike.library.storage.manifest import Manifest, generation_folder, write_manifest
from soundalike.library.storage.store import MADE_BY, Tables, create_tables


def upgrade_library(
    job: IndexJob,
    manifest: Manifest,
    roots: dict[str, Location],
    recipe: Recipe,
    check: Callable[[], None],
) -> IndexReport:
    """Rebuild a library by another recipe and swap; the caller holds the write lock, of which `check` makes sure (see
    `Tables`). Kinds that the user set stay, and no other is set.

    Raises LibraryError where a root is unreachable: its items would be lost.
    """
    library = job.library
    for name, place in roots.items():
        if not reachable(place, has_items=True):
            raise LibraryError(
                f"the root {name} ({place}) is out of reach, so its items cannot be re-indexed; connect it, "
                f"or `soundalike relocate {name} NEW`, or `soundalike remove {place}` first"
            )
    old = Tables(generation_folder(library, manifest.generation), manifest.recipe)
    folder = generation_folder(library, manifest.generation + 1)
    if _made_by(folder) != recipe.fingerprint():
        create_tables(folder, recipe)
    new = Tables(folder, recipe, check)
    _carry_over(old, new)
    former = old.read(layout.ITEMS, ["id", "root", "path", "kind", "kind_source"]).to_pylist()
    inherited = {
        (row["root"], row["path"]): (row["id"], check_kind(row["kind"]) if row["kind_source"] == "user" else None)
        for row in former
    }
    report = IndexingRun(job, new, roots, [Scope(name) for name in roots], inherited).run()
    if report.interrupted:
        return report
    kept = set(Tables(folder, recipe).read(layout.ITEMS, ["id"])["id"].to_pylist())
    left = [row["path"] for row in former if row["id"] not in kept]
    report.excluded = sum(map(Exclusions(job.options.exclude).covers, left))
    report.dropped = len(left) - report.excluded
    check()
    write_manifest(
        library,
        replace(manifest, recipe=recipe, roots=roots, generation=manifest.generation + 1, licences=licences(recipe)),
    )
    remove_old_generations(library, manifest.generation + 1)
    return report


def remove_old_generations(library: Location, current: int) -> None:
    """Delete the tables that a swap has replaced (also those that a kill right after a swap left)."""
    if isinstance(library, Remote):
        folders: list[Location] = [library / name for name in library.names() if name.startswith("generation-")]
    else:
        folders = list(library.glob("generation-*"))
    for folder in folders:
        number = folder.name.removeprefix("generation-")
        if not number.isdecimal() or int(number) >= current:
            continue
        if isinstance(folder, Remote):
            folder.delete_all()
        else:
            shutil.rmtree(folder, ignore_errors=True)  # what cannot be deleted now is tried again at the next run


def _made_by(folder: Location) -> str | None:
    try:
        return (folder / MADE_BY).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _carry_over(old: Tables, new: Tables) -> None:
    """Copy what both recipes share. Each table in one commit, items last: it is repeated until all are there."""
    before, after = old.recipe, new.recipe
    encoder = ("encoder", "encoder_version", "dimension", "precision", "signal_version")
    if any(getattr(before, name) != getattr(after, name) for name in encoder):
        return
    tables = [layout.CLIPS]
    if replace(before, facts_version=after.facts_version) == after:
        tables.append(layout.WINDOWS)
    if new.count(layout.ITEMS):
        return
    contents = []
    for name in tables:
        if old.count(name) and not new.count(name):
            new.append(name, old.batches(name))
        contents += [new.read(name, ["content"])["content"]]
    held = pa.chunked_array([chunk for column in contents for chunk in column.chunks], pa.string())
    if old.has(layout.PEAKS) and not new.has(layout.PEAKS):
        peaks = old.read(layout.PEAKS)
        new.append(layout.PEAKS, peaks.filter(pc.is_in(peaks["content"], value_set=held)))
    items = old.read(layout.ITEMS)
    items = items.filter(pc.is_in(items["content"], value_set=held))
    if before.facts_version != after.facts_version:
        sizes = pa.array([STALE] * len(items), pa.int64())
        items = items.set_column(items.column_names.index("size"), layout.ITEMS_SCHEMA.field("size"), sizes)
    if len(items):
        new.append(layout.ITEMS, items)
