"""`soundalike index`: build or update a library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from soundalike.cli.common import (
    ListOption,
    RenamedOption,
    device_option,
    echo,
    echo_licence_notices,
    library_option,
    library_path,
    shown_path,
)
from soundalike.cli.ray_option import ray_cluster, ray_option

if TYPE_CHECKING:
    from soundalike.library import IndexReport
    from soundalike.library.indexing.ray_backend import RayBackend

SKIPPED_SHOWN = 20
MANY_CRASHES = 3


@click.command(
    "index",
    short_help="Build or update a library.",
    epilog="""\b
Examples:
  soundalike index ~/Music ~/Samples           the first time, and again when files have changed
  soundalike index                             update all folders of the library
  soundalike index ~/Samples/Loops --kind loop
  soundalike index --exclude Backup --exclude '*.tmp'
  soundalike index ~/Music --separator htdemucs --encoder clap --max-windows 4
  soundalike index s3://bucket/audio --library s3://bucket/library --ray auto

Unchanged files are not analysed again, and moved files keep their vectors. If indexing is interrupted,
run the command again to continue.""",
)
@click.argument("paths", nargs=-1)
@library_option
@click.option(
    "--kind",
    metavar="KIND",
    help="Treat all files as this kind: song, loop or one-shot.  [default: by length and onsets]",
)
@click.option(
    "--encoder", metavar="NAME", help="Encoder of a new library (see `soundalike models`).  [default: builtin]"
)
@click.option(
    "--separator", metavar="NAME", help="Separator of a new library (see `soundalike models`).  [default: builtin]"
)
@click.option("--window", type=float, metavar="SECONDS", help="Window length of a new library.  [default: 10]")
@click.option(
    "--hop", type=float, metavar="SECONDS", help="Distance from one window to the next.  [default: the window length]"
)
@click.option(
    "--max-windows",
    "--windows",
    "windows",
    cls=RenamedOption,
    old_names=("--windows",),
    type=click.IntRange(min=0),
    metavar="N",
    help="Keep at most N windows per song, those that represent it best.  [default: all]",
)
@click.option(
    "--parts",
    cls=ListOption,
    metavar="PART,...",
    help="Parts of a new library; `mix` alone skips separation.  [default: all]",
)
@click.option(
    "--precision", metavar="NAME", help="Precision of neural models: exact, or fast (bfloat16).  [default: exact]"
)
@device_option
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of worker processes.  [default: one per core, or 1 with neural models]",
)
@ray_option("Index on a Ray cluster")
@click.option(
    "--cue/--no-cue",
    default=None,
    help="Divide files with a cue sheet into tracks; remembered.  [default: --cue]",
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Keep files and folders of this name out of the library: Backup, '*.tmp', Live/Samples, or /Old at the top of an "
    "indexed folder; repeatable, remembered.",
)
@click.option("--no-exclude", is_flag=True, help="Forget the patterns of earlier runs.")
@click.option("--retry", is_flag=True, help="Try skipped files again.")
@click.option("--upgrade", is_flag=True, help="Re-index items affected by changed models or options.")
@click.option("--strict", is_flag=True, help="Exit with code 3 if any file was skipped.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress bar.")
def command(
    paths: tuple[str, ...],
    library: str | None,
    windows: int | None,
    parts: str | None,
    ray: str | None,
    strict: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Build a library of the audio in PATHS (folders or files), or update it."""
    from soundalike.cli.index_progress import IndexProgress
    from soundalike.errors import AudioError, InputError
    from soundalike.library.indexing.index_options import IndexOptions
    from soundalike.library.indexing.library_update import update_library
    from soundalike.library.storage.manifest import read_manifest
    from soundalike.library.storage.store import holds_nothing
    from soundalike.search.after_indexing import prepare_search

    place = library_path(library)
    is_new = not (place / "library.json").exists()
    if is_new and not paths:
        raise InputError(f"there is no library at {place} yet; give the folders to index: soundalike index PATH...")
    named_parts = None if parts is None else [part.strip() for part in parts.split(",") if part.strip()]
    asked = IndexOptions(parts=named_parts, windows=windows, **options)
    if is_new or asked.upgrade or (asked.names_recipe and holds_nothing(place, read_manifest(place))):
        echo_licence_notices(asked.encoder or "", asked.separator or "")
    with _ray_backend(ray) as backend, IndexProgress(show=not quiet) as progress:
        report = update_library(place, paths, asked, on_progress=progress.update, backend=backend)
    report.sketched = prepare_search(place)
    _echo_report(report, asked.exclude)
    echo(f"library: {place}")
    if report.skipped and (strict or not (report.indexed or report.unchanged)):
        raise AudioError(f"{len(report.skipped)} of {report.found} files could not be used")


def _echo_report(report: IndexReport, exclude: Sequence[str]) -> None:
    """Write the outcome of a run to stderr; exclude: the patterns that it added."""
    from soundalike.audio.file_names import fold
    from soundalike.cli.index_progress import other_files, summary
    from soundalike.library.indexing.exclusions import checked_patterns

    for root, folder in report.unreachable:
        echo(
            f"out of reach: the root {root} ({folder}); nothing under it was changed. If it has moved: "
            f"soundalike relocate {root} NEW"
        )
    for folder, reason in report.unreadable:
        echo(f"cannot be listed: {shown_path(folder)} ({reason})")
    if report.libraries:
        echo(f"left out, libraries of soundalike: {', '.join(map(shown_path, report.libraries))}")
    for path, pattern in report.excluded_paths:
        echo(
            f"left out, excluded by {pattern!r}: {shown_path(path)} (`soundalike index --no-exclude` forgets all patterns)"
        )
    complete = not (report.interrupted or report.unreachable or report.unreadable)
    unmatched = set(map(fold, report.unmatched_patterns)) if complete else set()
    for pattern in checked_patterns(exclude):
        if fold(pattern) in unmatched:
            echo(
                f"no file or folder that was looked at matches --exclude {pattern!r}; it is remembered all the same "
                "(`soundalike index --no-exclude` forgets all patterns)"
            )
    if report.skipped:
        echo(f"skipped {len(report.skipped)}:")
        for path, reason in report.skipped[:SKIPPED_SHOWN]:
            echo(f"  {shown_path(str(path))}: {reason}")
        if len(report.skipped) > SKIPPED_SHOWN:
            echo(f"  ... and {len(report.skipped) - SKIPPED_SHOWN} more (`soundalike status --skipped` lists all)")
    crashed = sum("crashed" in reason for _, reason in report.skipped)
    if crashed >= MANY_CRASHES:
        echo(
            f"{crashed} files crashed the process that read them. So many point at the installation rather than at the "
            "files: run `soundalike index --retry`; if it happens again, make a fresh environment"
        )
    if not (report.found or report.excluded_paths or report.unreachable or report.unreadable):
        echo("no audio files were found (they are recognised by their suffixes: .wav, .flac, .mp3, .m4a, ...)")
    if (others := other_files(report)) is not None:
        echo(others)
    echo(summary(report))


@contextmanager
def _ray_backend(address: str | None) -> Iterator[RayBackend | None]:
    """The Ray cluster at `address`; None where this machine computes."""
    with ray_cluster(address) as cluster:
        if cluster is None:
            yield None
            return
        from soundalike.library.indexing.ray_backend import RayBackend

        yield RayBackend(cluster)
