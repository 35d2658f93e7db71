"""Indexing: bring a library up to the state of its folders.

Unchanged files cost nothing, known contents are not analysed again wherever they turn up, and whatever ends a run, a
crash of a codec, Ctrl-C or a kill, costs the files in flight at most.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

from soundalike.analysis.kinds import Kind, check_kind
from soundalike.analysis.recipe import Recipe, is_heavy, make_recipe
from soundalike.audio.decode import EXTENSIONS
from soundalike.config import Runtime, available_cores
from soundalike.errors import InputError, LibraryError
from soundalike.jobs.worker_pool import MAX_BYTES, START_SECONDS, Team, Workers
from soundalike.library.indexing.analysis_tasks import analyser
from soundalike.library.indexing.batch_writer import Writer
from soundalike.library.indexing.file_registry import Ledger, Place
from soundalike.library.indexing.index_report import IndexInterrupted, IndexReport
from soundalike.library.indexing.indexing_run import OnProgress, Run
from soundalike.library.indexing.scan import Scope, choose_scopes, content_digest, scan
from soundalike.library.indexing.sidecar_files import Companions, companions_for
from soundalike.library.indexing.upgrade import remove_old_generations, upgrade_library
from soundalike.library.storage.location import Location, Remote, absolute
from soundalike.library.storage.lock import writing
from soundalike.library.storage.manifest import FILE_NAME, Manifest, generation_folder, read_manifest, write_manifest
from soundalike.library.storage.store import Library, Tables, refuse_other_things

FILE_SECONDS = 600.0
"""A file may take so long, and longer the larger it is; then its worker is ended."""


class Elsewhere(Protocol):
    """Machines that do what worker processes of this one would do."""

    @property
    def readers(self) -> int:
        """How many files may be read for their digests at a time."""
        ...

    def digest(self, place: Location, companions: Companions | None) -> str:
        """The digest of a file, as `scan.content_digest` gives it. Called from several threads."""
        ...

    def hire(self, recipe: Recipe, runtime: Runtime, jobs: int | None) -> Team:
        """Those who turn (path of a file, its kind or None) into an Analysis; `jobs`: how many at most."""
        ...


HEAVY, PATIENCE = 4, 20
"""Workers with neural models may take so many times the memory and the time to come up; so many times the time a file."""


def index(
    library: str | Location,
    paths: Iterable[str | Location] = (),
    *,
    recipe: Recipe | None = None,
    kind: str | None = None,
    jobs: int | None = None,
    retry: bool = False,
    upgrade: bool = False,
    device: str = "auto",
    on_progress: OnProgress | None = None,
    file_seconds: float = FILE_SECONDS,
    elsewhere: Elsewhere | None = None,
) -> IndexReport:
    """Bring the library in the folder `library` up to date with `paths` (none: with all its roots); make it if need
    be. Both may be `s3://` addresses.

    recipe: how vectors are to be made (None: as the library says, or the default for a new one); kind: what the
    files are, instead of an estimate; jobs: worker processes (None: one a core, or one in all for neural models, which
    use all cores); retry: try files again that could not be used; upgrade: where `recipe` differs from the library's,
    redo what it changes and swap at the end; device: where neural models compute (see `config.Runtime`);
    elsewhere: machines that do the work in place of this one, which then only commits it.

    Raises InputError for a path or kind that is none, LibraryError for a library that is locked, damaged, made
    otherwise or cannot be written, and IndexInterrupted (a KeyboardInterrupt) after Ctrl-C.
    """
    library = absolute(library)
    forced = None if kind is None else check_kind(kind)
    if jobs is not None and jobs < 1:
        raise InputError(f"{jobs} jobs asked for; give 1 or more")
    runtime = Runtime(device)
    paths = list(paths)
    begin = time.monotonic()
    if not (library / FILE_NAME).exists():
        _prepare_folder(library, paths)
    with writing(library) as check, _ctrl_c() as stop:
        manifest = _open_or_create(library, recipe)
        remove_old_generations(library, manifest.generation)
        roots, scopes = choose_scopes(paths, manifest.roots)
        reconcile = partial(
            _reconcile,
            jobs=jobs,
            retry=retry,
            runtime=runtime,
            on_progress=on_progress,
            stop=stop,
            file_seconds=file_seconds,
            elsewhere=elsewhere,
        )
        if upgrade and recipe is not None and recipe != manifest.recipe:
            report = upgrade_library(library, manifest, roots, recipe, reconcile, check)
        else:
            _refuse_other_recipe(library, manifest.recipe, recipe)
            if roots != dict(manifest.roots):
                write_manifest(library, replace(manifest, roots=roots))
            tables = Tables(generation_folder(library, manifest.generation), manifest.recipe, check)
            report = reconcile(library, tables, roots, scopes, kind=forced)
    report.seconds = time.monotonic() - begin
    if report.interrupted:
        raise IndexInterrupted(report)
    return report


def _prepare_folder(library: Location, paths: list[str | Location]) -> None:
    """Make the folder of a new library, once it is clear that it can be one and that there is something to index."""
    if not paths:
        raise InputError(f"no library at {library} yet; give the folders to index: `soundalike index FOLDER`")
    choose_scopes(paths, {})
    refuse_other_things(library)
    if isinstance(library, Remote):
        return
    try:
        library.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"the library {library} cannot be made: {error.strerror}; name another place") from error


def _open_or_create(library: Location, recipe: Recipe | None) -> Manifest:
    if not (library / FILE_NAME).exists():
        Library.create(library, recipe or make_recipe())
    return read_manifest(library)


def _refuse_other_recipe(library: Location, made_by: Recipe, wanted: Recipe | None) -> None:
    if wanted is not None and wanted != made_by:
        raise LibraryError(
            f"{library} was made otherwise: {'; '.join(made_by.differences(wanted))}; index with --upgrade to redo "
            "what differs, or name another --library"
        )


def _reconcile(
    library: Location,
    tables: Tables,
    roots: dict[str, Location],
    scopes: list[Scope],
    *,
    kind: Kind | None = None,
    retry: bool = False,
    jobs: int | None = None,
    runtime: Runtime,
    on_progress: OnProgress | None = None,
    stop: threading.Event,
    file_seconds: float = FILE_SECONDS,
    inherited: dict[Place, tuple[str, Kind | None]] | None = None,
    elsewhere: Elsewhere | None = None,
) -> IndexReport:
    """Bring `tables` up to date with `scopes`; see `index`. inherited: ids and the user's kinds of a former
    generation."""
    ledger = Ledger(tables)
    companions = companions_for(tables.recipe)
    if companions is not None:
        _refuse_remote_stems(roots, scopes)
    found = scan(
        roots,
        scopes,
        extensions=EXTENSIONS,
        known=ledger.per_root(),
        leave_out=library,
        stop=stop.is_set,
        companions=companions,
    )
    run = Run(
        ledger,
        Writer(tables),
        roots,
        found,
        scopes,
        kind,
        stop,
        on_progress,
        inherited or {},
        companions,
        content_digest if elsewhere is None else elsewhere.digest,
        None if elsewhere is None else elsewhere.readers,
    )
    with _hired(tables.recipe, runtime, jobs, elsewhere) as team:
        patience = PATIENCE if is_heavy(tables.recipe) else 1
        run.all(team, retry=retry, file_seconds=file_seconds, patience=patience)
    return run.report


def _hired(recipe: Recipe, runtime: Runtime, jobs: int | None, elsewhere: Elsewhere | None) -> Team:
    """Who does the work: worker processes here, or machines elsewhere."""
    if elsewhere is not None:
        return elsewhere.hire(recipe, runtime, jobs)
    heavy = HEAVY if is_heavy(recipe) else 1
    count = jobs or (1 if heavy > 1 else available_cores())
    threads = max(1, available_cores() // count) if heavy > 1 else 1
    make = partial(analyser, recipe, replace(runtime, threads=threads))
    return Workers(make, count, threads=threads, start_seconds=START_SECONDS * heavy, max_bytes=MAX_BYTES * heavy)


def _refuse_remote_stems(roots: dict[str, Location], scopes: list[Scope]) -> None:
    for scope in scopes:
        if isinstance(roots[scope.root], Remote):
            raise InputError(
                f"{roots[scope.root]} is on object storage, and true stems are read from folders only; copy it to a disk, or "
                "index with another --separator"
            )


@contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets instead of raising in the middle of a commit; a second Ctrl-C raises at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT)

    def request(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, request)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
