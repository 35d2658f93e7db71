"""What becomes of files, recorded in the rows to be written, the registry and the report together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from soundalike.analysis.analyser import Analysis
from soundalike.analysis.kinds import Kind
from soundalike.library.indexing.batch_writer import BatchWriter
from soundalike.library.indexing.file_registry import (
    TRY_AGAIN,
    FileRegistry,
    KnownItem,
    Place,
    RefusedFile,
)
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.item_rows import Row, item_row, missing, placed, present
from soundalike.library.indexing.scan import reachable
from soundalike.library.indexing.scan_comparison import ItemsOfScan
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.storage import schema as layout
from soundalike.library.storage.item_parts import digest_of
from soundalike.library.storage.location import Location

Inherited = Mapping[Place, tuple[str, Kind | None]]
"""Ids, and kinds that the user set, of items in the tables that others are to replace."""


class ItemChanges:
    """The changes that one run makes. Not for use by several threads.

    items: what becomes of items whose files were not found (a file that moves takes its item out of them); skipped: the places
    that were skipped so far.
    """

    def __init__(
        self,
        registry: FileRegistry,
        writer: BatchWriter,
        report: IndexReport,
        roots: Mapping[str, Location],
        inherited: Inherited,
    ) -> None:
        self._registry, self._writer, self._report = registry, writer, report
        self._roots, self._inherited = roots, inherited
        self.items = ItemsOfScan()
        self.skipped: set[Place] = set()

    def keep(self, known: KnownItem, found: ScannedFile) -> None:
        """The file is unchanged; record a new time stamp, and that it is there."""
        self._report.unchanged += 1
        if known.missing:
            self._report.returned += 1
        if known.missing or not known.same_stat(found):
            known.size, known.mtime_ns, known.missing = found.size, found.mtime_ns, False
            self._writer.change_item(known.id, partial(present, found))

    def move(self, known: KnownItem, found: ScannedFile) -> None:
        """The file of an item is at another place now."""
        self.items.gone.pop(known.place, None)
        self.items.replaced.pop(known.place, None)
        self._registry.move(known, found)
        self._writer.change_item(
            known.id, lambda row: {**placed(row, row["id"], found), "indexed_at": row["indexed_at"]}
        )
        self._writer.accept(found.root, found.path)
        self._report.unchanged += 1
        self._report.moved += 1

    def copy(self, row: Row, found: ScannedFile) -> None:
        """The file has the content of the item with that row, and becomes an item of its own."""
        known = self._registry.by_place.get((found.root, found.path))
        self._put(found, placed(row, self._id_for(found, known), found), copied=True)

    def store(self, content: str, analysis: Analysis, files: list[ScannedFile]) -> None:
        """All files have the content that was analysed."""
        by_user, recipe = content != digest_of(content), self._writer.recipe
        if content not in self._registry.stored:
            try:
                rows = layout.vector_rows(analysis, content, recipe)
            except ValueError as error:
                for found in files:
                    self.skip(found, f"unexpected result: {error}")
                return
            self._writer.add_vectors(layout.vector_table(analysis), rows)
            self._registry.stored.add(content)
        if analysis.peaks is not None and content not in self._registry.with_peaks:
            self._writer.add_vectors(layout.PEAKS, layout.peak_rows(analysis, content))
            self._registry.with_peaks.add(content)
        self._report.audio_seconds += analysis.duration
        for number, found in enumerate(files):
            known = self._registry.by_place.get((found.root, found.path))
            row = item_row(self._id_for(found, known), found, content, analysis, by_user=by_user)
            self._put(found, row, copied=number > 0)

    def skip(self, found: ScannedFile, reason: str, *, lasting: bool = False) -> None:
        """A file cannot be used; the item that it was before is missing now. lasting: it is not tried again until it changes."""
        self.note_skipped((found.root, found.path), reason, found if lasting else None)
        known = self._registry.by_place.get((found.root, found.path))
        if known is not None and not known.missing and not known.same_stat(found):
            self.items.gone[known.place] = known

    def note_skipped(self, place: Place, reason: str, lasting: ScannedFile | None = None) -> None:
        """Report what was skipped, and record it; lasting: the file as it is, if it is not to be tried again like this."""
        root, path = place
        self._report.skipped.append((str(self._roots[root] / path), reason))
        self.skipped.add(place)
        size, mtime_ns = (TRY_AGAIN, 0) if lasting is None else (lasting.size, lasting.mtime_ns)
        if self._registry.refused.get(place) != RefusedFile(size, mtime_ns, reason):
            self._writer.refuse(place, reason, size, mtime_ns)

    def mark_missing(self) -> None:
        """Mark the items whose files were not found, except under a root that has become unreachable."""
        gone = self.items.gone
        there = {name: reachable(self._roots[name], has_items=True) for name in {root for root, _ in gone}}
        for known in gone.values():
            if not known.missing and there[known.root]:
                known.missing = True
                self._writer.change_item(known.id, missing)
                self._report.missing += 1

    def accept_no_longer_skipped(self, has_read: Callable[[Place], bool]) -> None:
        """Remove the records of what every run tries again and what was not skipped in this one. has_read: whether the scan has
        read the folder of a place."""
        for place, refused in self._registry.refused.items():
            if refused.size == TRY_AGAIN and place not in self.skipped and has_read(place):
                self._writer.accept(*place)

    def _put(self, found: ScannedFile, row: Row, *, copied: bool) -> None:
        """Record an item, new or with a new content."""
        place = (found.root, found.path)
        before = self._registry.by_place.get(place)
        if before is not None and before.content in self._registry.stored and before.content != row["content"]:
            self._writer.keep_spare(before.id)
        self._registry.put(
            KnownItem(
                row["id"],
                *place,
                found.size,
                found.mtime_ns,
                row["content"],
                row["kind"],
                by_user=row["kind_source"] == "user",
                missing=False,
            )
        )
        self._writer.put_item(row)
        if copied:
            self._report.copied += 1
        elif before is None and place not in self._inherited:
            self._report.new += 1
        else:
            self._report.changed += 1

    def _id_for(self, found: ScannedFile, known: KnownItem | None) -> str:
        if known is not None:
            return known.id
        inherited = self._inherited.get((found.root, found.path))
        return inherited[0] if inherited else self._registry.new_id(found.root, found.path)
