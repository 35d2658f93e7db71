"""What a library knows about its files while it is written: the columns of `items` that decisions need."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.storage import schema as layout
from soundalike.library.storage.item_parts import digest_of, path_of_file
from soundalike.library.storage.store import Tables, quoted

Place = tuple[str, str]
"""Root name and path relative to it."""

STALE = -1
"""Recorded size of an item whose vectors are valid but whose facts have to be computed again (after an upgrade)."""


TRY_AGAIN = -1
"""Recorded size of a skipped file that every run tries again: links to nothing, unusable cue sheets, files that could not be
read just then."""


@dataclass(slots=True)
class KnownItem:
    """An item. by_user: its kind was set by the user; missing: its file was not there in the last run."""

    id: str
    root: str
    path: str
    size: int
    mtime_ns: int
    content: str
    kind: str
    by_user: bool
    missing: bool

    @property
    def place(self) -> Place:
        """Where its file is."""
        return self.root, self.path

    @property
    def file(self) -> str:
        """The path of the file that it is, or is a part of."""
        return path_of_file(self.path, self.content)

    @property
    def stale(self) -> bool:
        """Whether its facts have to be computed again."""
        return self.size == STALE

    def same_stat(self, found: ScannedFile) -> bool:
        """Whether size and time of change are as recorded, so that the content need not be read."""
        return self.size == found.size and self.mtime_ns == found.mtime_ns


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that could not be used, as it was then."""

    size: int
    mtime_ns: int
    reason: str

    def same_stat(self, found: ScannedFile) -> bool:
        """Whether size and time of change are as recorded."""
        return self.size == found.size and self.mtime_ns == found.mtime_ns


def content_name(digest: str, kind: str | None) -> str:
    """The name of a content: its digest, and the kind it was analysed as where the user set one."""
    return digest if kind is None else f"{digest}:{kind}"


class FileRegistry:
    """Items by place, by content and by id; contents that have vectors (`stored`) and peaks (`with_peaks`); files that could
    not be used (`refused`)."""

    def __init__(self, tables: Tables) -> None:
        """Read the items and delete what a killed run left: vectors without an item (the item's row is the commit)."""
        self._tables = tables
        self.by_place: dict[Place, KnownItem] = {}
        self.refused: dict[Place, RefusedFile] = {}
        self._ids: set[str] = set()
        self._by_digest: dict[str, list[KnownItem]] | None = None
        rows_of: dict[str, int] = {}
        for known, rows in self._read_items():
            self.by_place[known.place] = known
            self._ids.add(known.id)
            rows_of[known.content] = rows
        self.stored = self._stored_contents(rows_of)
        self.with_peaks = self._contents_with_peaks()
        self._read_refused()

    def _read_items(self) -> Iterator[tuple[KnownItem, int]]:
        names = ["id", "root", "path", "size", "mtime_ns", "content", "kind", "kind_source", "status", "windows"]
        for batch in self._tables.batches(layout.ITEMS, names):
            for row in batch.to_pylist():
                by_user, missing = row.pop("kind_source") == "user", row.pop("status") == "missing"
                rows = row.pop("windows")
                yield KnownItem(**row, by_user=by_user, missing=missing), rows

    def _stored_contents(self, rows_of: dict[str, int]) -> set[str]:
        """Contents with all their vectors; rows of others are deleted."""
        stored: set[str] = set()
        for table in (layout.WINDOWS, layout.CLIPS):
            counts: Counter[str] = Counter()
            for batch in self._tables.batches(table, ["content"]):
                for pair in pc.value_counts(batch.column(0)).to_pylist():
                    counts[pair["values"]] += pair["counts"]
            complete = {content for content, count in counts.items() if rows_of.get(content) == count}
            self._tables.delete(table, "content", sorted(set(counts) - complete))
            stored |= complete
        return stored

    def _contents_with_peaks(self) -> set[str]:
        """Contents with peaks; those of contents without vectors are deleted."""
        if not self._tables.has(layout.PEAKS):
            return set()
        there = set(self._tables.read(layout.PEAKS, ["content"])["content"].to_pylist())
        self._tables.delete(layout.PEAKS, "content", sorted(there - self.stored))
        return there & self.stored

    def _read_refused(self) -> None:
        names = ["root", "path", "size", "mtime_ns", "reason"]
        rows = self._tables.read(layout.SKIPPED, names, where=f"recipe = {quoted(self._tables.recipe.fingerprint())}")
        for row in rows.to_pylist():
            self.refused[row["root"], row["path"]] = RefusedFile(row["size"], row["mtime_ns"], row["reason"])

    def per_root(self) -> Counter[str]:
        """How many items each root has."""
        return Counter(root for root, _ in self.by_place)

    def of_digest(self, digest: str) -> list[KnownItem]:
        """Items whose content has this digest, in order of their places."""
        if self._by_digest is None:
            self._by_digest = {}
            for known in self.by_place.values():
                self._by_digest.setdefault(digest_of(known.content), []).append(known)
        return sorted(self._by_digest.get(digest, []), key=lambda known: known.place)

    def put(self, known: KnownItem) -> None:
        """Add a new item, or one with a new content."""
        before = self.by_place.get(known.place)
        if self._by_digest is not None:
            if before is not None:
                self._by_digest[digest_of(before.content)].remove(before)
            self._by_digest.setdefault(digest_of(known.content), []).append(known)
        self.by_place[known.place] = known
        self._ids.add(known.id)

    def move(self, known: KnownItem, found: ScannedFile) -> None:
        """Record that an item's file has moved."""
        del self.by_place[known.place]
        known.root, known.path = found.root, found.path
        known.size, known.mtime_ns, known.missing = found.size, found.mtime_ns, False
        self.by_place[known.place] = known

    def new_id(self, root: str, path: str) -> str:
        """An id not yet in use, the same on every machine that indexes the same files in the same order."""
        text, number = f"{root}/{path}", 0
        while True:
            salted = text if number == 0 else f"{text}#{number}"
            item_id = hashlib.blake2b(salted.encode(), digest_size=8).hexdigest()
            if item_id not in self._ids:
                return item_id
            number += 1

    def orphans(self) -> set[str]:
        """Contents with vectors but without an item."""
        return self.stored - {known.content for known in self.by_place.values()}

    def sweep(self) -> int:
        """Delete the vectors of orphans; returns the number of contents."""
        orphans = sorted(self.orphans())
        for table in (layout.WINDOWS, layout.CLIPS):
            if orphans:
                self._tables.delete(table, "content", orphans)
        self._tables.delete(layout.PEAKS, "content", sorted(self.with_peaks & set(orphans)))
        self.stored -= set(orphans)
        self.with_peaks -= set(orphans)
        return len(orphans)

    def forget(self, leaving: Iterable[KnownItem]) -> None:
        """Remove items, from the tables too, then the vectors that no item has any more."""
        leaving = list(leaving)
        self._tables.delete(layout.ITEMS, "id", [known.id for known in leaving])
        for known in leaving:
            del self.by_place[known.place]
        self._by_digest = None
        self.sweep()
