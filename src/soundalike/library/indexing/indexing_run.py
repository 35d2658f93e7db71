"""One indexing run: decide what to do with each file that was found, and record what becomes of it."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
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
from soundalike.library.indexing.file_registry import (
    TRY_AGAIN,
    FileRegistry,
    KnownItem,
    Place,
    RefusedFile,
    content_name,
    digest_of,
)
from soundalike.library.indexing.index_options import IndexOptions
from soundalike.library.indexing.index_report import IndexReport, Progress
from soundalike.library.indexing.item_rows import Row, item_row, missing, placed, present
from soundalike.library.indexing.scan import Scan, ScannedFile, reachable, scan
from soundalike.library.indexing.scopes import Scope, Scopes
from soundalike.library.indexing.sidecar_files import sidecars_for, stat_with
from soundalike.library.indexing.work_estimate import RateMeter, useful_workers, work_of
from soundalike.library.storage import schema as layout
from soundalike.library.storage.location import (
    Facts,
    Location,
    ObjectRefusedError,
    Remote,
    lies_there,
    readable_facts,
)
from soundalike.library.storage.store import Tables

OnProgress = Callable[[Progress], None]

BYTES_PER_SECOND = 100_000
"""A file may take one second more for each so many bytes of it."""

HEAVY_PATIENCE = 20
"""With neural models a file may take so many times as long."""

_POLL_SECONDS = 0.1

_PROGRESS_SECONDS = 1.0
"""Progress is reported at least so often while files are being analysed."""


@dataclass(frozen=True)
class IndexJob:
    """What stays the same from the beginning of `index` to its end. stop: set when the user asks to end the run."""

    library: Location
    options: IndexOptions
    backend: ExecutionBackend
    stop: threading.Event
    on_progress: OnProgress | None = None


class IndexingRun:
    """Brings the tables of a library up to date with the files in `scopes`.

    inherited: ids, and kinds that the user set, of items in the tables that these are to replace.
    """

    def __init__(
        self,
        job: IndexJob,
        tables: Tables,
        roots: dict[str, Location],
        scopes: list[Scope],
        inherited: Mapping[Place, tuple[str, Kind | None]] | None = None,
    ) -> None:
        self._job, self._roots, self._scopes, self._inherited = job, roots, scopes, inherited or {}
        self._in_scopes = Scopes(scopes).covers
        self._kind, self._stop = job.options.checked_kind, job.stop
        self._recipe = tables.recipe
        self._registry, self._writer = FileRegistry(tables), BatchWriter(tables)
        self._sidecars = sidecars_for(tables.recipe)
        self._exclusions = Exclusions(job.options.exclude)
        self._report = IndexReport()
        self._scan = Scan()
        self._begin = time.monotonic()
        self._pending: dict[str, list[ScannedFile]] = {}  # content -> files that its analysis is for
        self._results: queue.SimpleQueue[tuple[str, Future[Analysis]]] = queue.SimpleQueue()
        self._failed: dict[str, tuple[str, bool]] = {}  # content -> why it has no analysis, and whether to remember it
        self._gone: dict[Place, KnownItem] = {}
        self._skipped: set[Place] = set()
        self._replaced: dict[Place, KnownItem] = {}  # items of files that are divided otherwise now
        self._excluded: list[KnownItem] = []  # items that are to leave the library
        self._reachable: dict[str, bool] = {}
        self._todo = self._done = 0
        self._meter = RateMeter(0.0)
        self._last_progress = 0.0

    def run(self) -> IndexReport:
        """The whole run.

        Raises InputError where stems would have to be read from object storage, LibraryError where the tables cannot be
        written, and what keeps workers from loading their models.
        """
        if self._sidecars is not None:
            self._refuse_remote_roots()
        refused = dict(self._registry.refused)
        self._scan = scan(
            self._roots,
            self._scopes,
            extensions=AUDIO_SUFFIXES,
            known=self._registry.per_root(),
            leave_out=self._job.library,
            stop=self._stop.is_set,
            sidecars=self._sidecars,
            cue_sheets=self._job.options.cue is not False,
            is_whole=self._is_known_whole if self._job.options.cue is None else lambda found: False,
            exclusions=self._exclusions,
        )
        self._find_gone()
        todo = self._sort_out()
        self._todo, self._meter = len(todo), RateMeter(sum(map(work_of, todo)))
        options = self._job.options
        useful = useful_workers(todo, slowness=HEAVY_PATIENCE if is_heavy(self._recipe) else 1)
        with self._job.backend.start_pool(self._recipe, options.runtime, options.jobs, useful) as pool:
            self._analyse(todo, pool)
        report = self._report
        report.interrupted = self._stop.is_set()
        if not report.interrupted:
            self._mark_missing()
            self._accept_no_longer_skipped()
        self._writer.finish(refused)
        if not report.interrupted:
            replaced = [*self._replaced.values(), *self._imported_before()]
            self._registry.forget([*replaced, *self._excluded])
            report.replaced, report.excluded = len(replaced), len(self._excluded)
        report.skipped.sort()
        report.check()
        return report

    def _analyse(self, todo: list[ScannedFile], pool: TaskPool) -> None:
        """Decide about each file, and record outcomes as they come, never with more in flight than workers need."""
        self._send_progress()
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

    def _find_gone(self) -> None:
        """Find the items of the scopes whose files are gone. Files that are there although the scan did not find them
        (named outright, without a usual suffix) are added to the scan. Items of files that a cue sheet divides now, or no
        longer, are to be replaced, and excluded items to leave."""
        places = {(found.root, found.path) for found in self._scan.files}
        files = {(found.root, found.file) for found in self._scan.files}
        extra = []
        for place, known in self._registry.by_place.items():
            root, path = place
            if place in places or root in self._scan.unreachable or not self._in_scopes(root, path):
                continue
            if self._exclusions.covers(path):
                self._excluded.append(known)
                continue
            if self._under_unreadable(root, path):
                continue
            file = self._roots[root] / path
            if (root, known.file) in files:
                self._replaced[place] = known
            elif _is_usable_file(file) and not self._belongs_to_another(file):
                extra.append(ScannedFile(root, path, *stat_with(self._sidecars, file, file.stat())))
            else:
                self._gone[place] = known
        self._scan.files = sorted([*self._scan.files, *extra])

    def _imported_before(self) -> list[KnownItem]:
        """Imported items, which have no root, of files that are items of a root now."""
        by_place = self._registry.by_place
        if not any(not root for root, _ in by_place):
            return []
        there = (found for found in self._scan.files if (found.root, found.path) in by_place)
        imported = (by_place.get(("", str(self._roots[found.root] / found.path))) for found in there)
        return [known for known in imported if known is not None]

    def _is_known_whole(self, found: ScannedFile) -> bool:
        """Whether a file is an item that has not changed since it was indexed whole."""
        known = self._registry.by_place.get((found.root, found.path))
        return known is not None and known.same_stat(found)

    def _belongs_to_another(self, file: Location) -> bool:
        return self._sidecars is not None and isinstance(file, Path) and self._sidecars.belongs(file)

    def _under_unreadable(self, root: str, path: str) -> bool:
        return any(
            root == where and (not folder or path.startswith(folder + "/"))
            for where, folder, _ in self._scan.unreadable
        )

    def _sort_out(self) -> list[ScannedFile]:
        """Record what can be decided without opening files; the rest is returned."""
        report = self._report
        report.found = len(self._scan.files) + len(self._scan.unusable)
        for root, path, reason in self._scan.unusable:
            self._note_skipped((root, path), reason)
        report.other = dict(self._scan.other)
        report.libraries = [str(self._roots[root] / folder) for root, folder in self._scan.libraries]
        report.excluded_paths = [
            (str(self._roots[root] / path), self._exclusions.pattern_for(path) or "")
            for root, path in self._scan.excluded
        ]
        report.unmatched_patterns = sorted(self._exclusions.unmatched)
        report.unreachable = [(name, str(self._roots[name])) for name in self._scan.unreachable]
        report.unreadable = [
            (str(self._roots[root] / folder), reason) for root, folder, reason in self._scan.unreadable
        ]
        todo = []
        places = {(found.root, found.path) for found in self._scan.files}
        for found in self._scan.files:
            known = self._registry.by_place.get((found.root, found.path))
            refused = self._registry.refused.get((found.root, found.path))
            if known and known.same_stat(found) and self._kind_fits(known) and known.content in self._registry.stored:
                self._keep(known, found)
            elif refused and not self._job.options.retry and refused.same_stat(found):
                self._skip(found, refused.reason, lasting=True)
            else:
                todo.append(found)
        for root, path in self._registry.refused:
            scanned = root not in self._scan.unreachable and self._in_scopes(root, path)
            there = (root, path) in places or (root, path) in self._skipped
            if not scanned or there:
                continue
            if self._exclusions.covers(path) or not _may_exist(self._roots[root] / path):
                self._writer.accept(root, path)
        return todo

    def _accept_no_longer_skipped(self) -> None:
        """Remove the records of what every run tries again and what was not skipped in this one."""
        for place, refused in self._registry.refused.items():
            if refused.size != TRY_AGAIN or place in self._skipped or place[0] in self._scan.unreachable:
                continue
            if self._in_scopes(*place) and not self._under_unreadable(*place):
                self._writer.accept(*place)

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

    def _stat(self, found: ScannedFile, facts: os.stat_result | Facts) -> tuple[int, int]:
        """Size and stamp of a file as the scan records them; facts: those of the file now. Raises OSError."""
        size, mtime_ns = stat_with(self._sidecars, self._file(found), facts)
        return size, mtime_ns if found.track is None else track_stamp(mtime_ns, found.track)

    def _decide(self, found: ScannedFile, digest: str | OSError | ObjectRefusedError, pool: TaskPool) -> None:
        """Decide what to do with a file that had to be read."""
        if not isinstance(digest, str):
            self._skip(found, explain_unreadable(digest, self._file(found)))
            self._count_done(found)
            return
        known = self._registry.by_place.get((found.root, found.path))
        kind = self._kind_for(found, known)
        content = content_name(digest, kind)
        stored = content in self._registry.stored and not (known is not None and known.stale)
        if known is not None and known.content == content and stored:
            self._keep(known, found)
        elif known is None and (source := self._moved_from(digest, kind)) is not None:
            self._move(source, found)
        elif stored and (row := self._writer.row_of_content(content)) is not None:
            self._put(found, placed(row, self._id_for(found, known), found), copied=True)
        elif content in self._failed:
            self._skip_failed(found, *self._failed[content])
        elif content in self._pending:
            self._pending[content].append(found)
            return
        else:
            self._submit(content, found, kind, pool)
            return
        self._count_done(found)

    def _submit(self, content: str, found: ScannedFile, kind: Kind | None, pool: TaskPool) -> None:
        patience = HEAVY_PATIENCE if is_heavy(self._recipe) else 1
        seconds = patience * (self._job.options.file_seconds + found.size / BYTES_PER_SECOND)
        self._pending[content] = [found]
        future = pool.submit((found.address(self._file(found)), kind), seconds)
        future.add_done_callback(lambda done: self._results.put((content, done)))
        if not self._done:
            self._send_progress()

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
        if known.place in self._gone or known.place in self._replaced:
            return True
        if self._in_scopes(*known.place) or known.root in self._scan.unreachable:
            return False
        root = self._roots.get(known.root)
        if root is None:  # its vectors were imported: it has no file that could move
            return False
        if known.root not in self._reachable:
            self._reachable[known.root] = reachable(root, has_items=True)
        return self._reachable[known.root] and not lies_there(root / known.file)

    def _keep(self, known: KnownItem, found: ScannedFile) -> None:
        """The file is unchanged; record a new time stamp, and that it is there."""
        self._report.unchanged += 1
        if known.missing:
            self._report.returned += 1
        if known.missing or not known.same_stat(found):
            known.size, known.mtime_ns, known.missing = found.size, found.mtime_ns, False
            self._writer.change_item(known.id, partial(present, found))

    def _move(self, known: KnownItem, found: ScannedFile) -> None:
        self._gone.pop(known.place, None)
        self._replaced.pop(known.place, None)
        self._registry.move(known, found)
        self._writer.change_item(
            known.id, lambda row: {**placed(row, row["id"], found), "indexed_at": row["indexed_at"]}
        )
        self._writer.accept(found.root, found.path)
        self._report.unchanged += 1
        self._report.moved += 1

    def _put(self, found: ScannedFile, row: Row, *, copied: bool = False) -> None:
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

    def _record_results(self, seconds: float) -> None:
        """Record the analyses that are done, after waiting up to `seconds` for one, and commit when it is time."""
        try:
            content, future = self._results.get(timeout=seconds) if seconds else self._results.get_nowait()
            while True:
                files = self._pending.pop(content)
                self._record(content, future, files)
                for found in files:
                    self._count_done(found)
                content, future = self._results.get_nowait()
        except queue.Empty:
            if time.monotonic() - self._last_progress >= _PROGRESS_SECONDS:
                self._send_progress()
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
            self._store(content, future.result(), files)
        else:
            for found in files:
                self._skip(found, "it changed while it was being read; run it again")

    def _skip_failed(self, found: ScannedFile, reason: str, lasting: bool) -> None:
        """Record a file whose content could not be analysed. What a disconnected drive may have caused is not remembered."""
        lasting = lasting and self._as_scanned(found)
        self._skip(found, reason, lasting=lasting)

    def _as_scanned(self, found: ScannedFile) -> bool:
        """Whether a file is there, can be opened, and has not changed since the scan, nor have its sidecars."""
        try:
            facts = self._stat(found, readable_facts(self._file(found)))
        except (OSError, ObjectRefusedError):
            return False
        return facts == (found.size, found.mtime_ns)

    def _store(self, content: str, analysis: Analysis, files: list[ScannedFile]) -> None:
        by_user = content != digest_of(content)
        if content not in self._registry.stored:
            try:
                rows = layout.vector_rows(analysis, content, self._recipe)
            except ValueError as error:
                for found in files:
                    self._skip(found, f"unexpected result: {error}")
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

    def _skip(self, found: ScannedFile, reason: str, *, lasting: bool = False) -> None:
        """A file cannot be used; the item that it was before is missing now. lasting: it is not tried again until it changes."""
        self._note_skipped((found.root, found.path), reason, found if lasting else None)
        known = self._registry.by_place.get((found.root, found.path))
        if known is not None and not known.missing and not known.same_stat(found):
            self._gone[known.place] = known

    def _note_skipped(self, place: Place, reason: str, lasting: ScannedFile | None = None) -> None:
        """Report what was skipped, and record it; lasting: the file as it is, if it is not to be tried again like this."""
        root, path = place
        self._report.skipped.append((str(self._roots[root] / path), reason))
        self._skipped.add(place)
        size, mtime_ns = (TRY_AGAIN, 0) if lasting is None else (lasting.size, lasting.mtime_ns)
        if self._registry.refused.get(place) != RefusedFile(size, mtime_ns, reason):
            self._writer.refuse(place, reason, size, mtime_ns)

    def _mark_missing(self) -> None:
        """Mark the items whose files were not found, except under a root that has become unreachable."""
        there = {name: reachable(self._roots[name], has_items=True) for name in {root for root, _ in self._gone}}
        for known in self._gone.values():
            if not known.missing and there[known.root]:
                known.missing = True
                self._writer.change_item(known.id, missing)
                self._report.missing += 1

    def _count_done(self, found: ScannedFile) -> None:
        self._done += 1
        self._meter.add(work_of(found), self._report.audio_seconds, time.monotonic())
        self._send_progress()

    def _send_progress(self) -> None:
        if self._job.on_progress is None:
            return
        self._last_progress = time.monotonic()
        current = next(iter(self._pending.values()), None)
        self._job.on_progress(
            Progress(
                done=self._done,
                total=self._todo,
                audio_seconds=self._report.audio_seconds,
                seconds=self._last_progress - self._begin,
                current=None if current is None else Path(current[0].path).name,
                rate=self._meter.rate(),
            )
        )


def _is_usable_file(place: Location) -> bool:
    """Whether there is a file, and its store, if it lies in one, does not refuse it."""
    try:
        return place.is_file()
    except ObjectRefusedError:
        return False


def _may_exist(place: Location) -> bool:
    """Whether there is something, or may be: a store that refuses an object does not always tell whether there is one."""
    try:
        return place.exists()
    except ObjectRefusedError:
        return True
