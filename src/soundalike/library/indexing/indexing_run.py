"""One indexing run: decides about each file that was found, and books what becomes of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from soundalike.analysis.analyser import Analysis
from soundalike.analysis.kinds import Kind, check_kind
from soundalike.config import available_cores
from soundalike.errors import AudioError, LibraryError
from soundalike.jobs.worker_pool import Done, Failure, Lost, Team
from soundalike.library.indexing.batch_writer import Writer
from soundalike.library.indexing.file_registry import Known, Ledger, Place, content_name, digest_of
from soundalike.library.indexing.index_report import IndexReport, Progress
from soundalike.library.indexing.item_rows import Row, item_row, placed
from soundalike.library.indexing.scan import Found, Scan, Scope, content_digest, reachable
from soundalike.library.indexing.sidecar_files import Companions, stat_with
from soundalike.library.storage import schema as layout
from soundalike.library.storage.location import Location, lies_there, readable_facts

OnProgress = Callable[[Progress], None]
Digest = Callable[[Location, Companions | None], str]

BYTES_PER_SECOND = 100_000
"""A file may take one second more for each so many bytes of it."""


class Run:
    """One run: decides about each file, and books what becomes of it."""

    def __init__(
        self,
        ledger: Ledger,
        writer: Writer,
        roots: dict[str, Location],
        found: Scan,
        scopes: list[Scope],
        kind: Kind | None,
        stop: threading.Event,
        on_progress: OnProgress | None,
        inherited: dict[Place, tuple[str, Kind | None]],
        companions: Companions | None = None,
        digest: Digest = content_digest,
        readers: int | None = None,
    ) -> None:
        """`companions`: which files belong to others (see `scan.scan`); digest: computes a file's digest, for so many files
        at a time as `readers` says (None: one a core, four at most)."""
        self.report = IndexReport()
        self._ledger, self._writer, self._roots, self._scan = ledger, writer, roots, found
        self._scopes, self._kind, self._stop, self._on_progress = scopes, kind, stop, on_progress
        self._inherited, self._companions = inherited, companions
        self._digest, self._readers = digest, readers or min(4, available_cores())
        self._begin = time.monotonic()
        self._waiting: dict[str, list[Found]] = {}  # content -> files that its analysis is for
        self._failed: dict[str, tuple[str, bool]] = {}  # content -> why it has no analysis, and whether that lasts
        self._gone: dict[Place, Known] = {}
        self._reachable: dict[str, bool] = {}
        self._todo = 0
        self._done = 0

    def all(self, workers: Team, *, retry: bool, file_seconds: float, patience: float = 1.0) -> None:
        """The whole run; a file may take `file_seconds` and more by its size, all of it `patience` times."""
        refused = dict(self._ledger.refused)
        self._find_gone()
        todo = self._sort_out(retry)
        self._todo = len(todo)
        self._tell(workers)
        for found, digest in self._digests(todo):
            self._decide(found, digest, workers, file_seconds, patience)
            while workers.full and not self._stop.is_set():
                self._book(workers, 0.1)
            self._book(workers, 0.0)
        while workers.pending and not self._stop.is_set():
            self._book(workers, 0.1)
        self.report.interrupted = self._stop.is_set()
        workers.end()
        if not self.report.interrupted:
            self._mark_missing()
        self._writer.finish(refused)
        if not self.report.interrupted:
            self._ledger.sweep()
        self.report.skipped.sort()
        self.report.check()

    def _find_gone(self) -> None:
        """Items of the scopes that the scan did not find and that are not there; those that are there after all (named
        files without a usual suffix) are taken into the scan."""
        places = {(found.root, found.path) for found in self._scan.files}
        extra = []
        for place, known in self._ledger.by_place.items():
            root, path = place
            if place in places or root in self._scan.unreachable or self._under_unreadable(root, path):
                continue
            if not any(scope.covers(root, path) for scope in self._scopes):
                continue
            file = self._roots[root] / path
            if file.is_file() and not self._belongs(file):
                extra.append(Found(root, path, *stat_with(self._companions, file, file.stat())))
            else:
                self._gone[place] = known
        self._scan.files = sorted([*self._scan.files, *extra])

    def _belongs(self, file: Location) -> bool:
        return self._companions is not None and isinstance(file, Path) and self._companions.belongs(file)

    def _under_unreadable(self, root: str, path: str) -> bool:
        return any(
            root == where and (not folder or path.startswith(folder + "/"))
            for where, folder, _ in self._scan.unreadable
        )

    def _sort_out(self, retry: bool) -> list[Found]:
        """Book what can be decided without opening files; the rest."""
        self.report.found = len(self._scan.files) + len(self._scan.unusable)
        self.report.skipped += self._scan.unusable
        self.report.unreachable = [(name, str(self._roots[name])) for name in self._scan.unreachable]
        self.report.unreadable = [
            (str(self._roots[root] / folder), reason) for root, folder, reason in self._scan.unreadable
        ]
        todo = []
        for found in self._scan.files:
            known = self._ledger.by_place.get((found.root, found.path))
            refused = self._ledger.refused.get((found.root, found.path))
            if known and known.same_stat(found) and self._as_wanted(known) and known.content in self._ledger.stored:
                self._keep(known, found)
            elif refused and not retry and (refused.size, refused.mtime_ns) == (found.size, found.mtime_ns):
                self._skip(found, refused.reason)
            else:
                todo.append(found)
        for place in self._ledger.refused:
            root, path = place
            if root not in self._scan.unreachable and any(scope.covers(root, path) for scope in self._scopes):
                file = self._roots[root] / path
                if not file.exists():
                    self._writer.accept(root, path)
        return todo

    def _as_wanted(self, known: Known) -> bool:
        return self._kind is None or (known.by_user and known.kind == self._kind)

    def _kind_for(self, found: Found, known: Known | None) -> Kind | None:
        """The kind that the user set for a file, now or earlier."""
        if self._kind is not None:
            return self._kind
        if known is not None:
            return check_kind(known.kind) if known.by_user else None
        return self._inherited.get((found.root, found.path), ("", None))[1]

    def _digests(self, todo: list[Found]) -> Iterator[tuple[Found, str | OSError]]:
        """Digests of files, in order, computed a little ahead by threads."""
        ahead: deque[tuple[Found, Future[str]]] = deque()
        remaining = iter(todo)
        threads = self._readers
        with ThreadPoolExecutor(threads, "digest") as pool:
            while not self._stop.is_set():
                while len(ahead) < 2 * threads and (found := next(remaining, None)) is not None:
                    ahead.append((found, pool.submit(self._digest, self._file(found), self._companions)))
                if not ahead:
                    break
                found, future = ahead.popleft()
                try:
                    digest: str | OSError = future.result()
                except OSError as error:
                    digest = error
                yield found, digest
            pool.shutdown(wait=True, cancel_futures=True)

    def _file(self, found: Found) -> Location:
        return self._roots[found.root] / found.path

    def _decide(self, found: Found, digest: str | OSError, workers: Team, file_seconds: float, patience: float) -> None:
        """What is to become of a file that has to be looked into."""
        if isinstance(digest, OSError):
            self._skip(found, f"cannot be read: {digest.strerror or digest}")
            self._finished(workers)
            return
        known = self._ledger.by_place.get((found.root, found.path))
        kind = self._kind_for(found, known)
        content = content_name(digest, kind)
        stale = known is not None and known.stale
        here = content in self._ledger.stored and not stale
        if known is not None and known.content == content and here:
            self._keep(known, found)
        elif known is None and (source := self._moved_from(digest, kind)) is not None:
            self._move(source, found)
        elif here and (row := self._writer.row_of_content(content)) is not None:
            self._put(found, placed(row, self._id_for(found, known), found), copied=True)
        elif content in self._failed:
            self._skip_failed(found, *self._failed[content])
        elif content in self._waiting:
            self._waiting[content].append(found)
            return
        else:
            self._waiting[content] = [found]
            seconds = patience * (file_seconds + found.size / BYTES_PER_SECOND)
            workers.submit(content, (str(self._file(found)), kind), seconds)
            return
        self._finished(workers)

    def _moved_from(self, digest: str, kind: Kind | None) -> Known | None:
        """The item that a file of unknown place was before, if its former place is empty now."""
        for known in self._ledger.of_digest(digest):
            fits = known.content in self._ledger.stored and (
                kind is None or known.content == content_name(digest, kind)
            )
            if fits and self._is_gone(known):
                return known
        return None

    def _is_gone(self, known: Known) -> bool:
        if known.place in self._gone:
            return True
        if any(scope.covers(*known.place) for scope in self._scopes) or known.root in self._scan.unreachable:
            return False
        root = self._roots.get(known.root)
        if root is None:  # its vectors were brought from elsewhere: it has no file that could move
            return False
        if known.root not in self._reachable:
            self._reachable[known.root] = reachable(root, has_items=True)
        return self._reachable[known.root] and not lies_there(root / known.path)

    def _keep(self, known: Known, found: Found) -> None:
        """The file is as it was; note a new time stamp, and that it is there."""
        self.report.unchanged += 1
        if known.missing:
            self.report.returned += 1
        if known.missing or not known.same_stat(found):
            known.size, known.mtime_ns, known.missing = found.size, found.mtime_ns, False
            self._writer.change_item(known.id, partial(_seen, found))

    def _move(self, known: Known, found: Found) -> None:
        self._gone.pop(known.place, None)
        self._ledger.move(known, found)
        self._writer.change_item(
            known.id, lambda row: {**placed(row, row["id"], found), "indexed_at": row["indexed_at"]}
        )
        self._writer.accept(found.root, found.path)
        self.report.unchanged += 1
        self.report.moved += 1

    def _put(self, found: Found, row: Row, *, copied: bool = False) -> None:
        """Book an item, new or with a new content."""
        before = self._ledger.by_place.get((found.root, found.path))
        if before is not None and before.content in self._ledger.stored and before.content != row["content"]:
            self._writer.keep_spare(before.id)
        by_user = row["kind_source"] == "user"
        self._ledger.put(
            Known(
                row["id"],
                found.root,
                found.path,
                found.size,
                found.mtime_ns,
                row["content"],
                row["kind"],
                by_user,
                missing=False,
            )
        )
        self._writer.put_item(row)
        if copied:
            self.report.copied += 1
        elif before is None and (found.root, found.path) not in self._inherited:
            self.report.new += 1
        else:
            self.report.changed += 1

    def _id_for(self, found: Found, known: Known | None) -> str:
        if known is not None:
            return known.id
        inherited = self._inherited.get((found.root, found.path))
        return inherited[0] if inherited else self._ledger.new_id(found.root, found.path)

    def _book(self, workers: Team, seconds: float) -> None:
        """Take in what workers have done, and commit when it is time."""
        for done in workers.wait(seconds):
            files = self._waiting.pop(done.key)
            self._book_outcome(done, files)
            for _ in files:
                self._finished(workers)
        self._writer.commit_if_due()

    def _book_outcome(self, done: Done, files: list[Found]) -> None:
        outcome = done.outcome
        analysed = files[0]
        if isinstance(outcome, Analysis):
            if not self._as_scanned(analysed):
                for found in files:
                    self._skip(found, "it changed while it was being read; run it again")
                return
            self._store(done.key, outcome, files)
            return
        reason, lasting = _explain(outcome, self._file(analysed))
        if self._as_scanned(analysed):
            self._failed[done.key] = reason, lasting
        for found in files:
            self._skip_failed(found, reason, lasting)

    def _skip_failed(self, found: Found, reason: str, lasting: bool) -> None:
        """Book a file whose content was tried in vain. What may be the fault of a drive that went away is not kept."""
        self._skip(found, reason)
        if lasting and self._as_scanned(found):
            self._writer.refuse(found, reason)

    def _as_scanned(self, found: Found) -> bool:
        """Whether a file is there, can be opened, and has not changed since the scan, nor its companions."""
        try:
            file = self._file(found)
            facts = stat_with(self._companions, file, readable_facts(file))
        except OSError:
            return False
        return facts == (found.size, found.mtime_ns)

    def _store(self, content: str, analysis: Analysis, files: list[Found]) -> None:
        by_user = content != digest_of(content)
        if content not in self._ledger.stored:
            try:
                rows = layout.vector_rows(analysis, content, self._writer.recipe)
            except ValueError as error:
                for found in files:
                    self._skip(found, f"unexpected result: {error}")
                return
            self._writer.add_vectors(layout.vector_table(analysis), rows)
            self._ledger.stored.add(content)
        if analysis.peaks is not None and content not in self._ledger.pictured:
            self._writer.add_vectors(layout.PEAKS, layout.peak_rows(analysis, content))
            self._ledger.pictured.add(content)
        self.report.audio_seconds += analysis.duration
        for number, found in enumerate(files):
            known = self._ledger.by_place.get((found.root, found.path))
            row = item_row(self._id_for(found, known), found, content, analysis, by_user=by_user)
            self._put(found, row, copied=number > 0)

    def _skip(self, found: Found, reason: str) -> None:
        """A file cannot be used; an item that it was before is no longer there."""
        self.report.skipped.append((str(self._file(found)), reason))
        known = self._ledger.by_place.get((found.root, found.path))
        if known is not None and not known.missing and not known.same_stat(found):
            self._gone[known.place] = known

    def _mark_missing(self) -> None:
        """Mark the items whose files were not found; not under a root that has gone out of reach meanwhile."""
        there = {name: reachable(self._roots[name], has_items=True) for name in {root for root, _ in self._gone}}
        for known in self._gone.values():
            if not known.missing and there[known.root]:
                known.missing = True
                self._writer.change_item(known.id, _lost)
                self.report.missing += 1

    def _finished(self, workers: Team) -> None:
        self._done += 1
        self._tell(workers)

    def _tell(self, workers: Team) -> None:
        if self._on_progress is not None:
            at_hand = [self._waiting[content][0] for content in workers.current if content in self._waiting]
            self._on_progress(
                Progress(
                    done=self._done,
                    total=self._todo,
                    audio_seconds=self.report.audio_seconds,
                    seconds=time.monotonic() - self._begin,
                    current=Path(at_hand[0].path).name if at_hand else None,
                )
            )


def _seen(found: Found, row: Row) -> Row:
    return {**row, "size": found.size, "mtime_ns": found.mtime_ns, "status": "present"}


def _lost(row: Row) -> Row:
    return {**row, "status": "missing"}


def _explain(outcome: object, path: Location) -> tuple[str, bool]:
    """Why a file has no analysis, and whether trying the same bytes again is in vain.

    Raises what concerns the library and not the file.
    """
    if isinstance(outcome, Lost):
        return outcome.reason, True
    if not isinstance(outcome, Failure):
        raise LibraryError(f"a worker answered with {type(outcome).__name__}; this is a fault of soundalike")
    error = outcome.error
    if isinstance(error, LibraryError):
        raise error
    if isinstance(error, AudioError):
        return str(error).removeprefix(str(path)).lstrip(" :"), True
    return f"unexpected {type(error).__name__}: {error}", False
