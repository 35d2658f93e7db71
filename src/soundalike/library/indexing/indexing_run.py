"""One indexing run: what to do with each file that was found."""

from __future__ import annotations

import os
import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from soundalike.analysis.analyser import Analysis
from soundalike.analysis.kinds import Kind, check_kind
from soundalike.analysis.recipe import is_heavy
from soundalike.audio.suffixes import AUDIO_SUFFIXES
from soundalike.errors import InputError
from soundalike.jobs.worker_pool import TaskPool
from soundalike.library.indexing.batch_writer import BatchWriter
from soundalike.library.indexing.cue_tracks import track_stamp
from soundalike.library.indexing.digests import digests_ahead, explain_unreadable
from soundalike.library.indexing.exclusions import Exclusions
from soundalike.library.indexing.execution_backends import ExecutionBackend, explain_failure
from soundalike.library.indexing.file_registry import FileRegistry, KnownItem, content_name
from soundalike.library.indexing.index_options import IndexOptions
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.item_changes import Inherited, ItemChanges
from soundalike.library.indexing.progress_reporter import OnProgress, ProgressReporter
from soundalike.library.indexing.scan import reachable, scan
from soundalike.library.indexing.scan_comparison import ScanComparison
from soundalike.library.indexing.scanned_file import Scan, ScannedFile
from soundalike.library.indexing.scopes import Scope, Scopes
from soundalike.library.indexing.sidecar_files import sidecars_for, stat_with
from soundalike.library.indexing.work_estimate import useful_workers
from soundalike.library.storage.location import (
    Location,
    ObjectRefusedError,
    ObjectStat,
    Remote,
    lies_there,
    readable_stat,
)
from soundalike.library.storage.store import Tables

BYTES_PER_SECOND = 100_000
"""A file may take one second more for each so many bytes of it."""

HEAVY_PATIENCE = 20
"""With neural models a file may take so many times as long."""

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class IndexJob:
    """What stays the same from the beginning of `index` to its end. stop: set when the user asks to end the run."""

    library: Location
    options: IndexOptions
    backend: ExecutionBackend
    stop: threading.Event
    on_progress: OnProgress | None = None


class IndexingRun:
    """Brings the tables of a library up to date with the files in `scopes`: `scan_comparison` finds what became of known items,
    this class decides what to do with each file, and `item_changes` records it.

    inherited: ids, and kinds that the user set, of items in the tables that these are to replace.
    """

    def __init__(
        self,
        job: IndexJob,
        tables: Tables,
        roots: dict[str, Location],
        scopes: list[Scope],
        inherited: Inherited | None = None,
    ) -> None:
        self._job, self._roots, self._scopes, self._inherited = job, roots, scopes, inherited or {}
        self._kind, self._stop = job.options.checked_kind, job.stop
        self._recipe = tables.recipe
        self._report = IndexReport()
        self._registry = FileRegistry(tables)
        self._writer = BatchWriter(tables, self._registry.refused)
        self._changes = ItemChanges(self._registry, self._writer, self._report, roots, self._inherited)
        self._progress = ProgressReporter(job.on_progress, self._report, self._current)
        self._sidecars = sidecars_for(tables.recipe)
        self._scanned = ScanComparison(
            Scan(), self._registry.by_place, roots, Scopes(scopes), Exclusions(job.options.exclude), self._sidecars
        )
        self._pending: dict[str, list[ScannedFile]] = {}  # content -> files that its analysis is for
        self._results: queue.SimpleQueue[tuple[str, Future[Analysis]]] = queue.SimpleQueue()
        self._failed: dict[str, tuple[str, bool]] = {}  # content -> why it has no analysis, and whether to remember it
        self._reachable: dict[str, bool] = {}

    def run(self) -> IndexReport:
        """The whole run.

        Raises InputError where stems would have to be read from object storage, LibraryError where the tables cannot be
        written, and what keeps workers from loading their models.
        """
        if self._sidecars is not None:
            self._refuse_remote_roots()
        self._scanned = replace(self._scanned, scan=self._scan())
        items = self._changes.items = self._scanned.items()
        files = sorted([*self._scanned.scan.files, *items.unlisted])
        todo = self._sort_out(files)
        options = self._job.options
        useful = useful_workers(todo, slowness=HEAVY_PATIENCE if is_heavy(self._recipe) else 1)
        with self._job.backend.start_pool(self._recipe, options.runtime, options.jobs, useful) as pool:
            self._analyse(todo, pool)
        report = self._report
        report.interrupted = self._stop.is_set()
        if not report.interrupted:
            self._changes.mark_missing()
            self._changes.accept_no_longer_skipped(self._scanned.has_read)
        self._writer.finish()
        if not report.interrupted:
            replaced = [*items.replaced.values(), *self._scanned.imported_before(files)]
            self._registry.forget([*replaced, *items.excluded])
            report.replaced, report.excluded = len(replaced), len(items.excluded)
        report.skipped.sort()
        report.check()
        return report

    def _scan(self) -> Scan:
        return scan(
            self._roots,
            self._scopes,
            extensions=AUDIO_SUFFIXES,
            known=self._registry.per_root(),
            leave_out=self._job.library,
            stop=self._stop.is_set,
            sidecars=self._sidecars,
            cue_sheets=self._job.options.cue is not False,
            is_whole=self._is_known_whole if self._job.options.cue is None else lambda found: False,
            exclusions=self._scanned.exclusions,
        )

    def _analyse(self, todo: list[ScannedFile], pool: TaskPool) -> None:
        """Decide about each file, and record outcomes as they come, never with more in flight than workers need."""
        self._progress.start(todo)
        for found, digest in digests_ahead(todo, self._roots, self._job.backend, self._sidecars, self._stop):
            self._decide(found, digest, pool)
            while len(self._pending) >= pool.capacity and not self._stop.is_set():
                self._record_results(_POLL_SECONDS)
            self._record_results(0.0)
        while self._pending and not self._stop.is_set():
            self._record_results(_POLL_SECONDS)

    def _refuse_remote_roots(self) -> None:
        for scope in self._scopes:
            if isinstance(self._roots[scope.root], Remote):
                raise InputError(
                    f"{self._roots[scope.root]} is on object storage, and true stems are read from folders only; copy it to a "
                    "disk, or index with another --separator"
                )

    def _is_known_whole(self, found: ScannedFile) -> bool:
        """Whether a file is an item that has not changed since it was indexed whole."""
        known = self._registry.by_place.get((found.root, found.path))
        return known is not None and known.same_stat(found)

    def _sort_out(self, files: list[ScannedFile]) -> list[ScannedFile]:
        """Record what can be decided without opening the files, all that are there; the rest is returned."""
        self._report_scan(found=len(files))
        todo = []
        for found in files:
            known = self._registry.by_place.get((found.root, found.path))
            refused = self._registry.refused.get((found.root, found.path))
            if known and known.same_stat(found) and self._kind_fits(known) and known.content in self._registry.stored:
                self._changes.keep(known, found)
            elif refused and not self._job.options.retry and refused.same_stat(found):
                self._changes.skip(found, refused.reason, lasting=True)
            else:
                todo.append(found)
        there = {(found.root, found.path) for found in files} | self._changes.skipped
        for place in self._registry.refused:
            if place not in there and self._scanned.includes(place) and self._scanned.is_left_out(place):
                self._writer.accept(*place)
        return todo

    def _report_scan(self, found: int) -> None:
        report, scanned, exclusions = self._report, self._scanned.scan, self._scanned.exclusions
        report.found = found + len(scanned.unusable)
        for root, path, reason in scanned.unusable:
            self._changes.note_skipped((root, path), reason)
        report.other = dict(scanned.other)
        report.libraries = [str(self._roots[root] / folder) for root, folder in scanned.libraries]
        report.excluded_paths = [
            (str(self._roots[root] / path), exclusions.pattern_for(path) or "") for root, path in scanned.excluded
        ]
        report.unmatched_patterns = sorted(exclusions.unmatched)
        report.unreachable = [(name, str(self._roots[name])) for name in scanned.unreachable]
        report.unreadable = [(str(self._roots[root] / folder), reason) for root, folder, reason in scanned.unreadable]

    def _kind_fits(self, known: KnownItem) -> bool:
        return self._kind is None or (known.by_user and known.kind == self._kind)

    def _kind_for(self, found: ScannedFile, known: KnownItem | None) -> Kind | None:
        """The kind that the user set for a file, now or earlier."""
        if self._kind is not None:
            return self._kind
        if known is not None:
            return check_kind(known.kind) if known.by_user else None
        return self._inherited.get((found.root, found.path), ("", None))[1]

    def _file(self, found: ScannedFile) -> Location:
        return self._roots[found.root] / found.file

    def _stat(self, found: ScannedFile, facts: os.stat_result | ObjectStat) -> tuple[int, int]:
        """Size and stamp of a file as the scan records them; facts: those of the file now. Raises OSError."""
        size, mtime_ns = stat_with(self._sidecars, self._file(found), facts)
        return size, mtime_ns if found.track is None else track_stamp(mtime_ns, found.track)

    def _decide(self, found: ScannedFile, digest: str | OSError | ObjectRefusedError, pool: TaskPool) -> None:
        """Decide what to do with a file that had to be read."""
        if not isinstance(digest, str):
            self._changes.skip(found, explain_unreadable(digest, self._file(found)))
            self._progress.count_done(found)
            return
        known = self._registry.by_place.get((found.root, found.path))
        kind = self._kind_for(found, known)
        content = content_name(digest, kind)
        stored = content in self._registry.stored and not (known is not None and known.stale)
        if known is not None and known.content == content and stored:
            self._changes.keep(known, found)
        elif known is None and (source := self._moved_from(digest, kind)) is not None:
            self._changes.move(source, found)
        elif stored and (row := self._writer.row_of_content(content)) is not None:
            self._changes.copy(row, found)
        elif content in self._failed:
            self._skip_failed(found, *self._failed[content])
        elif content in self._pending:
            self._pending[content].append(found)
            return
        else:
            self._submit(content, found, kind, pool)
            return
        self._progress.count_done(found)

    def _submit(self, content: str, found: ScannedFile, kind: Kind | None, pool: TaskPool) -> None:
        patience = HEAVY_PATIENCE if is_heavy(self._recipe) else 1
        seconds = patience * (self._job.options.file_seconds + found.size / BYTES_PER_SECOND)
        self._pending[content] = [found]
        future = pool.submit((found.address(self._file(found)), kind), seconds)
        future.add_done_callback(lambda done: self._results.put((content, done)))
        if not self._progress.done:
            self._progress.send()

    def _moved_from(self, digest: str, kind: Kind | None) -> KnownItem | None:
        """The item that a file at an unknown place was before, if its former place is empty now."""
        for known in self._registry.of_digest(digest):
            fits = known.content in self._registry.stored and (
                kind is None or known.content == content_name(digest, kind)
            )
            if fits and self._is_gone(known):
                return known
        return None

    def _is_gone(self, known: KnownItem) -> bool:
        items, scanned = self._changes.items, self._scanned
        if known.place in items.gone or known.place in items.replaced:
            return True
        if scanned.scopes.covers(*known.place) or known.root in scanned.scan.unreachable:
            return False
        root = self._roots.get(known.root)
        if root is None:  # its vectors were imported: it has no file that could move
            return False
        if known.root not in self._reachable:
            self._reachable[known.root] = reachable(root, has_items=True)
        return self._reachable[known.root] and not lies_there(root / known.file)

    def _record_results(self, seconds: float) -> None:
        """Record the analyses that are done, after waiting up to `seconds` for one, and commit when it is time."""
        try:
            content, future = self._results.get(timeout=seconds) if seconds else self._results.get_nowait()
            while True:
                files = self._pending.pop(content)
                self._record(content, future, files)
                for found in files:
                    self._progress.count_done(found)
                content, future = self._results.get_nowait()
        except queue.Empty:
            self._progress.send_if_due()
        self._writer.commit_if_due()

    def _record(self, content: str, future: Future[Analysis], files: list[ScannedFile]) -> None:
        """Record one outcome for all files with that content. Raises what concerns the library and not the file."""
        first = files[0]
        error = future.exception()
        if error is not None:
            file = self._file(first)
            reason, lasting = explain_failure(error, file, first.address(file))
            if self._as_scanned(first):
                self._failed[content] = reason, lasting
            for found in files:
                self._skip_failed(found, reason, lasting)
        elif self._as_scanned(first):
            self._changes.store(content, future.result(), files)
        else:
            for found in files:
                self._changes.skip(found, "it changed while it was being read; run it again")

    def _skip_failed(self, found: ScannedFile, reason: str, lasting: bool) -> None:
        """Record a file whose content could not be analysed. What a disconnected drive may have caused is not remembered."""
        lasting = lasting and self._as_scanned(found)
        self._changes.skip(found, reason, lasting=lasting)

    def _as_scanned(self, found: ScannedFile) -> bool:
        """Whether a file is there, can be opened, and has not changed since the scan, nor have its sidecars."""
        try:
            facts = self._stat(found, readable_stat(self._file(found)))
        except (OSError, ObjectRefusedError):
            return False
        return facts == (found.size, found.mtime_ns)

    def _current(self) -> str | None:
        """The name of the file that is being analysed."""
        files = next(iter(self._pending.values()), None)
        return None if files is None else Path(files[0].path).name
