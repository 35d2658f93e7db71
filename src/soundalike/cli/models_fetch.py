"""`soundalike models fetch`: the weights of models, downloaded or imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli.common import say
from soundalike.cli.progress_bar import LiveBar
from soundalike.errors import InputError

if TYPE_CHECKING:
    from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile


@click.command(
    "fetch",
    short_help="Download the weights of models, or import them.",
    epilog="""\b
Examples:
  soundalike models fetch clap htdemucs
  soundalike models fetch clap --from ~/Downloads        files that are here already
  soundalike models fetch --all --mirror https://weights.example.org/soundalike
\b
An interrupted download goes on where it stopped. Files are checked against published SHA-256 digests.
SOUNDALIKE_CHECKPOINTS names the folder they go to.""",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="All models.")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="A file or folder that holds the weights: they are copied from there, nothing is downloaded.",
)
@click.option(
    "--mirror",
    envvar="SOUNDALIKE_MIRROR",
    metavar="URL",
    help="Take files from URL/NAME/FILE instead of where they are published  [default: $SOUNDALIKE_MIRROR].",
)
def command(names: tuple[str, ...], everything: bool, source: Path | None, mirror: str | None) -> None:
    """Download the weights of the models NAME, or import them; says first what their licences ask.

    Files that are here and whole are left as they are.
    """
    from soundalike.config import checkpoint_folder
    from soundalike.models.checkpoints.fetch import fetch, import_files
    from soundalike.models.checkpoints.table import CHECKPOINTS

    if everything == bool(names):
        raise InputError(f"name the models to fetch, or give --all; there are {', '.join(CHECKPOINTS)}")
    rows = [_row(name) for name in dict.fromkeys(names or CHECKPOINTS)]
    for terms in dict.fromkeys(row.terms for row in rows if row.terms):
        say(f"licence: {terms}.")
    for row in rows:
        folder = checkpoint_folder(row.name)
        try:
            with _FetchProgress() as progress:
                if source is None:
                    got = fetch(row, folder, mirror=mirror, progress=progress.update)
                else:
                    got = import_files(row, folder, source.expanduser(), progress=progress.update)
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt("interrupted; what has arrived is kept, run this again to go on") from stop
        _report(row, got, folder)


def _row(name: str) -> Checkpoint:
    from soundalike.models.checkpoints.table import checkpoint
    from soundalike.models.encoders import ENCODERS
    from soundalike.models.separators import SEPARATORS

    known = ENCODERS.get(name) or SEPARATORS.get(name)
    if known is not None and known.checkpoint is None:
        raise InputError(f"{name} needs no weights: it works as it is")
    return checkpoint(name if known is None or known.checkpoint is None else known.checkpoint)


def _report(row: Checkpoint, got: list[CheckpointFile], folder: Path) -> None:
    from soundalike.models.checkpoints.record import recorded
    from soundalike.models.checkpoints.table import shown_size

    if not got:
        say(f"{row.name}: all here already, in {folder}")
        return
    files = ", ".join(f"{file.name} ({shown_size((folder / file.name).stat().st_size)})" for file in got)
    say(f"{row.name}: {files}, verified, in {folder}")
    for file in got:
        record = recorded(folder / file.name)
        if not file.pinned and record is not None:
            say(f"  {file.name} is {file.pin}: its SHA-256 is {record.sha256}, and is enforced from now on")


class _FetchProgress(LiveBar):
    """A context manager whose `update` draws how far a file has come: a bar on a terminal, else a line now and then."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn

        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._file: CheckpointFile | None = None

    def update(self, file: CheckpointFile, here: int, total: int | None) -> None:
        """Draw that `here` of `total` bytes of `file` have come."""
        from soundalike.models.checkpoints.table import shown_size

        if file is not self._file:
            self._file = file
            self.bar.reset(self.task, description=file.name, total=total)
        of = f" of {shown_size(total)}" if total else ""
        self.draw(f"{file.name}: {shown_size(here)}{of}", completed=here, total=total)
