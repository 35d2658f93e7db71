"""`soundalike index`: build or update a library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from soundalike.cli.common import (
    RenamedOption,
    device_option,
    library_option,
    library_path,
    say,
    say_terms,
    shown_path,
)

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

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
  soundalike index ~/Music --separator htdemucs --encoder clap --max-windows 4
  soundalike index s3://bucket/audio --library s3://bucket/library --ray auto

Unchanged files are not analysed again, and moved files keep their vectors. If indexing is interrupted,
run the command again to continue.""",
)
@click.argument("paths", nargs=-1)
@library_option
@click.option(
    "--kind", metavar="KIND", help="Treat all files as song, loop or one-shot.  [default: by length and onsets]"
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
    "--parts", metavar="PART,...", help="Parts of a new library; `mix` alone skips separation.  [default: all]"
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
@click.option(
    "--ray", metavar="ADDRESS", help="Index on a Ray cluster: HOST:PORT, auto (this machine's) or local (start one)."
)
@click.option("--retry", is_flag=True, help="Try skipped files again.")
@click.option("--upgrade", is_flag=True, help="Re-index items affected by changed models or options.")
@click.option("--strict", is_flag=True, help="Exit with code 3 if any file was skipped.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress bar.")
def command(
    paths: tuple[str, ...],
    library: str | None,
    kind: str | None,
    encoder: str | None,
    separator: str | None,
    window: float | None,
    hop: float | None,
    windows: int | None,
    parts: str | None,
    precision: str | None,
    device: str,
    jobs: int | None,
    ray: str | None,
    retry: bool,
    upgrade: bool,
    strict: bool,
    quiet: bool,
) -> None:
    """Build a library of the audio in PATHS (folders or files), or update it."""
    from soundalike.cli.index_progress import IndexProgress, summary
    from soundalike.errors import AudioError, InputError
    from soundalike.search.after_indexing import index

    place = library_path(library)
    if not paths and not (place / "library.json").exists():
        raise InputError(
            f"there is no library at {place} yet; name the folders it shall hold: soundalike index PATH..."
        )
    if not (place / "library.json").exists() or upgrade:
        say_terms(encoder or "", separator or "")
    with _machines(ray) as machines, IndexProgress(show=not quiet) as progress:
        report = index(
            place,
            paths,
            encoder=encoder,
            separator=separator,
            window=window,
            hop=hop,
            parts=None if parts is None else [part.strip() for part in parts.split(",") if part.strip()],
            precision=precision,
            windows=windows,
            device=device,
            kind=kind,
            jobs=jobs,
            retry=retry,
            upgrade=upgrade,
            on_progress=progress.update,
            elsewhere=machines,
        )
    for root, folder in report.unreachable:
        say(
            f"out of reach: the root {root} ({folder}); nothing under it was touched. If it has moved: "
            f"soundalike relocate {root} NEW"
        )
    for folder, reason in report.unreadable:
        say(f"cannot be listed: {shown_path(folder)} ({reason})")
    if report.skipped:
        say(f"skipped {len(report.skipped)}:")
        for path, reason in report.skipped[:SKIPPED_SHOWN]:
            say(f"  {shown_path(str(path))}: {reason}")
        if len(report.skipped) > SKIPPED_SHOWN:
            say(f"  ... and {len(report.skipped) - SKIPPED_SHOWN} more (`soundalike status --skipped` names all)")
    crashed = sum("crashed" in reason for _, reason in report.skipped)
    if crashed >= MANY_CRASHES:
        say(
            f"{crashed} files crashed the process that read them. So many point at the installation rather than at the "
            "files: run `soundalike index --retry`; if it happens again, make a fresh environment"
        )
    if not report.found:
        say("no audio files were found there (they are known by their suffixes: .wav, .flac, .mp3, .m4a, ...)")
    say(summary(report))
    say(f"library: {place}")
    if report.skipped and (strict or not (report.indexed or report.unchanged)):
        raise AudioError(f"{len(report.skipped)} of {report.found} files could not be used")


@contextmanager
def _machines(address: str | None) -> Iterator[Machines | None]:
    """The Ray cluster at `address`; None where this machine does the work."""
    if address is None:
        yield None
        return
    from soundalike.jobs.ray import connected

    with connected(address) as machines:
        say(machines.describe())
        yield machines
