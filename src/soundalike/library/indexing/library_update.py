"""Indexing: bring a library up to date with its folders.

Unchanged files cost nothing, and known contents are not analysed again, whatever their path. Whatever ends a run, a crash
of a codec, Ctrl-C or a kill, it loses at most the files in flight.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from soundalike.analysis.recipe import Recipe, licences
from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing.exclusions import checked_patterns, refuse_whole_paths
from soundalike.library.indexing.execution_backends import ExecutionBackend, LocalBackend
from soundalike.library.indexing.index_options import IndexOptions, wanted_recipe
from soundalike.library.indexing.index_report import IndexInterrupted, IndexReport
from soundalike.library.indexing.indexing_run import IndexingRun, IndexJob
from soundalike.library.indexing.progress_reporter import OnProgress
from soundalike.library.indexing.scopes import choose_scopes
from soundalike.library.indexing.upgrade import remove_old_generations, upgrade_library
from soundalike.library.storage.location import Location, Remote, absolute
from soundalike.library.storage.lock import writing
from soundalike.library.storage.manifest import FILE_NAME, Manifest, generation_folder, read_manifest, write_manifest
from soundalike.library.storage.store import Library, Tables, create_tables, holds_nothing, refuse_other_things


def index(
    library: str | Location,
    paths: Iterable[str | Location] = (),
    *,
    on_progress: OnProgress | None = None,
    backend: ExecutionBackend | None = None,
    **options: Any,
) -> IndexReport:
    """Make or update the library in the folder `library` from `paths`, files or folders (none: all folders that it knows).

    Places may be `s3://` addresses. options: the fields of `IndexOptions`, such as `encoder="clap"`, `kind="loop"` or
    `jobs=4`; backend: what computes (None: worker processes on this machine).

    Raises InputError for a path or an option that is not allowed, LibraryError for a library that is locked, damaged, made
    with other options (unless `upgrade`) or cannot be written, CheckpointError where a model's weights are not here, and
    IndexInterrupted (a KeyboardInterrupt) after Ctrl-C.
    """
    return update_library(library, paths, IndexOptions(**options), on_progress=on_progress, backend=backend)


def update_library(
    library: str | Location,
    paths: Iterable[str | Location],
    options: IndexOptions,
    *,
    on_progress: OnProgress | None = None,
    backend: ExecutionBackend | None = None,
) -> IndexReport:
    """`index` with its options as one object."""
    begin = time.monotonic()
    library, paths = absolute(library), list(paths)
    recipe = wanted_recipe(library, options)
    if not (library / FILE_NAME).exists():
        _prepare_folder(library, paths, options)
    with writing(library) as check, _ctrl_c() as stop:
        job = IndexJob(library, options, backend or LocalBackend(), stop, on_progress)
        report = _update(job, paths, recipe, check)
    report.seconds = time.monotonic() - begin
    if report.interrupted:
        raise IndexInterrupted(report)
    return report


def _update(job: IndexJob, paths: list[str | Location], recipe: Recipe, check: Callable[[], None]) -> IndexReport:
    """The work of `update_library` under the write lock, of which `check` makes sure (see `Tables`)."""
    library = job.library
    if not (library / FILE_NAME).exists():
        Library.create(library, recipe)
    manifest = read_manifest(library)
    if recipe != manifest.recipe and holds_nothing(library, manifest):
        manifest = _make_again(library, manifest, recipe, check)
    remove_old_generations(library, manifest.generation)
    roots, scopes = choose_scopes(paths, manifest.roots)
    stored = manifest
    manifest = _with_rules(manifest, job.options, roots)
    options = replace(job.options, exclude=manifest.excluded, no_exclude=False)
    job = replace(job, options=options if manifest.cue_sheets else replace(options, cue=False))
    if recipe != manifest.recipe:
        if not job.options.upgrade:
            raise _made_with_other_options(library, manifest, recipe)
        if options.kind is not None:
            raise InputError(
                f"this upgrade re-indexes the whole library, and --kind {options.kind} concerns single files or folders; run "
                f"`soundalike index --upgrade` first, then `soundalike index PATH --kind {options.kind}`"
            )
        return upgrade_library(job, manifest, roots, recipe, check)
    if replace(manifest, roots=roots) != stored:
        write_manifest(library, replace(manifest, roots=roots))
    tables = Tables(generation_folder(library, manifest.generation), manifest.recipe, check)
    return IndexingRun(job, tables, roots, scopes).run()


def _with_rules(manifest: Manifest, options: IndexOptions, roots: Mapping[str, Location]) -> Manifest:
    """The manifest with what the options add to the rules that the library remembers: cue sheets, exclusions.

    Raises InputError for a pattern that is the path of something in a root.
    """
    refuse_whole_paths(checked_patterns(options.exclude), roots)
    remembered = () if options.no_exclude else manifest.excluded
    return replace(
        manifest,
        cue_sheets=manifest.cue_sheets if options.cue is None else options.cue,
        excluded=checked_patterns([*remembered, *options.exclude]),
    )


def _make_again(library: Location, manifest: Manifest, recipe: Recipe, check: Callable[[], None]) -> Manifest:
    """Give a library that holds nothing tables of another recipe; whoever has it open keeps the empty ones."""
    create_tables(generation_folder(library, manifest.generation + 1), recipe)
    check()
    made = replace(manifest, recipe=recipe, generation=manifest.generation + 1, licences=licences(recipe))
    write_manifest(library, made)
    return read_manifest(library)


def _prepare_folder(library: Location, paths: list[str | Location], options: IndexOptions) -> None:
    """Make the folder of a new library, once it is clear that it can be one and that there is something to index."""
    if not paths:
        raise InputError(f"no library at {library} yet; give the folders to index: `soundalike index FOLDER`")
    refuse_whole_paths(checked_patterns(options.exclude), choose_scopes(paths, {})[0])
    _make_folder(library)


def make_empty_library(library: str | Location) -> None:
    """Make a library without items, with the default models, in a new or empty folder.

    Raises LibraryError if there is a library already, or the folder holds other things or cannot be made.
    """
    library = absolute(library)
    _make_folder(library)
    with writing(library):
        Library.create(library, wanted_recipe(library, IndexOptions()))


def _make_folder(library: Location) -> None:
    refuse_other_things(library)
    if isinstance(library, Remote):
        return
    try:
        library.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"the library {library} cannot be created: {error.strerror}; choose another folder"
        ) from error


def _made_with_other_options(library: Location, manifest: Manifest, wanted: Recipe) -> LibraryError:
    return LibraryError(
        f"{library} was made with other options: {'; '.join(manifest.recipe.differences(wanted))}; add --upgrade to re-index "
        "the items that this affects, or name another --library"
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
