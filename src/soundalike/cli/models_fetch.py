"""`soundalike models fetch`: download or import the weights of models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from soundalike.cli.common import echo
from soundalike.cli.progress_bar import LiveBar
from soundalike.errors import InputError

if TYPE_CHECKING:
    from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile


@click.command(
    "fetch",
    short_help="Download or import the weights of models.",
    epilog="""\b
Examples:
  soundalike models fetch clap htdemucs
  soundalike models fetch clap --from ~/Downloads        use files that you already have
  soundalike models fetch --all --mirror https://weights.example.org/soundalike
\b
An interrupted download continues where it stopped. Files are verified with published SHA-256 digests.
Downloading needs the extra `neural`; --from does not. SOUNDALIKE_CHECKPOINTS names the folder for the files,
HF_ENDPOINT another server with the interface of the Hugging Face Hub.""",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Fetch the weights of all models.")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Copy the weights from this file or folder; nothing is downloaded.",
)
@click.option(
    "--mirror",
    envvar="SOUNDALIKE_MIRROR",
    metavar="URL",
    help="Download from URL/NAME/FILE instead of the Hugging Face Hub.  [default: $SOUNDALIKE_MIRROR]",
)
def command(names: tuple[str, ...], everything: bool, source: Path | None, mirror: str | None) -> None:
    """Download or import the weights of the models NAME, after printing the terms of their licences.

    Files that exist and are intact are left as they are.
    """
    from soundalike.config import checkpoint_folder, expanded
    from soundalike.models.checkpoints.fetch import fetch, import_files
    from soundalike.models.checkpoints.table import CHECKPOINTS

    if everything == bool(names):
        raise InputError(f"name the models to fetch, or give --all; choose among {', '.join(CHECKPOINTS)}")
    rows = [_row(name) for name in dict.fromkeys(names or CHECKPOINTS)]
    for terms in dict.fromkeys(row.terms for row in rows if row.terms):
        echo(f"licence: {terms}.")
    for row in rows:
        folder = checkpoint_folder(row.name)
        try:
            with _FetchProgress() as progress:
                if source is None:
                    new = fetch(row, folder, mirror=mirror, progress=progress.update)
                else:
                    new = import_files(row, folder, expanded(source), progress=progress.update)
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt("interrupted; what was downloaded is kept, run this again to continue") from stop
        _report(row, new, folder)


def _row(name: str) -> Checkpoint:
    """The checkpoint of that name, or of the model of that name. Raises InputError if there is none."""
    from soundalike.models.checkpoints.table import checkpoint
    from soundalike.models.encoders import ENCODERS
    from soundalike.models.separators import SEPARATORS

    encoder = ENCODERS.get(name)
    if encoder is not None and encoder.trained:
        raise InputError(
            f"nobody publishes weights of {name}; train it with `soundalike train {name}` (docs/training.md says what is needed)"
        )
    model = encoder or SEPARATORS.get(name)
    if model is not None and model.checkpoint is None:
        raise InputError(f"{name} needs no weights: it works without a download")
    return checkpoint(name if model is None or model.checkpoint is None else model.checkpoint)


def _report(row: Checkpoint, new: list[CheckpointFile], folder: Path) -> None:
    from soundalike.models.checkpoints.record import read_record
    from soundalike.models.checkpoints.table import format_size

    if not new:
        echo(f"{row.name}: all files exist already, in {folder}")
        return
    files = ", ".join(f"{file.name} ({format_size((folder / file.name).stat().st_size)})" for file in new)
    echo(f"{row.name}: {files}, verified, in {folder}")
    for file in new:
        record = read_record(folder / file.name)
        if not file.pinned and record is not None:
            echo(f"  {file.name} is {file.pin}: its SHA-256 is {record.sha256}, which is enforced from now on")


class _FetchProgress(LiveBar):
    """A context manager whose `update` shows the progress of a file: a bar on a terminal, otherwise an occasional line."""

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
        """Show that `here` of `total` bytes of `file` have arrived."""
        from soundalike.models.checkpoints.table import format_size

        if file is not self._file:
            self._file = file
            self.bar.reset(self.task, description=file.name, total=total)
        of = f" of {format_size(total)}" if total else ""
        self.draw(f"{file.name}: {format_size(here)}{of}", completed=here, total=total)
