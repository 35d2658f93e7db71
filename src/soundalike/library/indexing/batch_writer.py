"""Group commit: what was collected since the last commit is written at once, vectors first, items second.

The row of an item is the commit of its file: a kill between the two leaves vectors that nothing points to, which the
next run deletes; never an item without its vectors.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable

import pyarrow as pa

from soundalike.analysis.recipe import Recipe
from soundalike.library.indexing.file_registry import Place
from soundalike.library.indexing.item_rows import Row
from soundalike.library.storage import schema as layout
from soundalike.library.storage.location import Remote
from soundalike.library.storage.store import Tables, quoted

PAUSE = 0.25
"""Seconds that a file may wait for the next commit."""

GROUP = 8
"""So many files are committed at once: a kill loses the files in flight and about as many as these."""

REMOTE_PAUSE = 2.0
REMOTE_GROUP = 256
"""The same for tables on object storage, where a commit takes most of a second."""

LONG_RUN = 1_000
"""In a long run files may wait for a thousandth of it, in seconds and in files: a kill loses no more than that, and the
number of commits grows with the logarithm of the files. (Each commit leaves a version until it is compacted, and some
20 KB in Lance's memory permanently.)"""

_BATCH = 1_000


class BatchWriter:
    """Collects rows and commits them. Not for use by several threads.

    refused: the places of the files that are recorded in the tables as refused.
    """

    def __init__(self, tables: Tables, refused: Iterable[Place] = ()) -> None:
        self._tables = tables
        self._refused_before = frozenset(refused)
        self._vectors: dict[str, list[pa.Table]] = {layout.WINDOWS: [], layout.CLIPS: [], layout.PEAKS: []}
        self._items: dict[str, Row] = {}
        self._changes: dict[str, list[Callable[[Row], Row]]] = {}
        self._refused: dict[str, Row] = {}
        self._accepted: set[Place] = set()  # of those refused before
        self._spare: dict[str, Row] = {}
        self._remote = isinstance(tables.folder, Remote)
        self._began = self._last = time.monotonic()
        self._written = 0

    @property
    def recipe(self) -> Recipe:
        """The recipe of the tables written to."""
        return self._tables.recipe

    def add_vectors(self, table: str, rows: pa.Table) -> None:
        """Add the vectors, or peaks, of a content that has none yet."""
        self._vectors[table].append(rows)

    def put_item(self, row: Row) -> None:
        """Add an item, or replace the row with its id."""
        self._changes.pop(row["id"], None)
        self._items[row["id"]] = row
        self._note_accepted((row["root"], row["path"]))

    def change_item(self, item_id: str, change: Callable[[Row], Row]) -> None:
        """Change the row of an item that is in the tables."""
        if item_id in self._items:
            self._items[item_id] = change(self._items[item_id])
        else:
            self._changes.setdefault(item_id, []).append(change)

    def keep_spare(self, item_id: str) -> None:
        """Keep the row of an item that is about to change, for copies of its former content."""
        for row in self._tables.read(layout.ITEMS, where=f"id = {quoted(item_id)}").to_pylist():
            self._spare[row["content"]] = row

    def row_of_content(self, content: str) -> Row | None:
        """The row of any item with that content, committed or not; None if there is none."""
        if content in self._spare:
            return self._spare[content]
        for row in self._items.values():
            if row["content"] == content:
                return row
        rows = self._tables.read(layout.ITEMS, content=content).slice(0, 1).to_pylist()
        return dict(rows[0]) if rows else None

    def refuse(self, place: Place, reason: str, size: int, mtime_ns: int) -> None:
        """Record a file that cannot be used: with its size and stamp it is not tried again until they change, with the size
        `TRY_AGAIN` it is."""
        root, path = place
        item_id = _refusal_id(root, path)
        self._accepted.discard(place)
        self._refused[item_id] = {
            "id": item_id,
            "root": root,
            "path": path,
            "size": size,
            "mtime_ns": mtime_ns,
            "reason": reason,
            "recipe": self._tables.recipe.fingerprint(),
        }

    def accept(self, root: str, path: str) -> None:
        """Remove the record of a file that can be used now, or is gone."""
        self._refused.pop(_refusal_id(root, path), None)
        self._note_accepted((root, path))

    def commit_if_due(self) -> None:
        """Commit if something waits and the last commit is long enough ago."""
        waiting, now = len(self._items) + len(self._refused), time.monotonic()
        pause = max(REMOTE_PAUSE if self._remote else PAUSE, (now - self._began) / LONG_RUN)
        group = max(REMOTE_GROUP if self._remote else GROUP, self._written // LONG_RUN)
        if waiting >= group or len(self._changes) >= _BATCH or (waiting and now - self._last >= pause):
            self.commit()

    def commit(self) -> None:
        """Write everything. Raises LibraryError if that fails; what was committed before is safe."""
        for table, rows in self._vectors.items():
            if rows:
                self._tables.append(table, pa.concat_tables(rows))
                rows.clear()
        self._apply_changes()
        self._written += len(self._items) + len(self._refused)
        if self._items:
            self._tables.upsert(layout.ITEMS, layout.row_table(list(self._items.values()), layout.ITEMS_SCHEMA))
            self._items.clear()
        if self._refused:
            rows = list(self._refused.values())
            self._tables.upsert(layout.SKIPPED, layout.row_table(rows, layout.SKIPPED_SCHEMA))
            self._refused.clear()
        self._tables.compact()
        self._last = time.monotonic()

    def finish(self) -> None:
        """The last commit of a run, which also deletes the records of files that are no longer refused."""
        self.commit()
        self._tables.delete(layout.SKIPPED, "id", sorted(_refusal_id(*place) for place in self._accepted))
        self._tables.compact(at_end=True)

    def _note_accepted(self, place: Place) -> None:
        if place in self._refused_before:
            self._accepted.add(place)

    def _apply_changes(self) -> None:
        ids = list(self._changes)
        for begin in range(0, len(ids), _BATCH):
            listed = ", ".join(quoted(item_id) for item_id in ids[begin : begin + _BATCH])
            for row in self._tables.read(layout.ITEMS, where=f"id IN ({listed})").to_pylist():
                for change in self._changes[row["id"]]:
                    row = change(row)
                self._items[row["id"]] = row
        self._changes.clear()


def _refusal_id(root: str, path: str) -> str:
    return hashlib.blake2b(f"{root}/{path}".encode(), digest_size=16).hexdigest()
