"""`soundalike relocate`: update the location of a moved root folder."""

from __future__ import annotations

from pathlib import PurePath

import click

from soundalike.cli.common import echo, library_option, library_path


@click.command(
    "relocate",
    short_help="Update the location of a folder that has moved.",
    epilog="""\b
Examples:
  soundalike relocate /Volumes/Old/Samples /Volumes/New/Samples
  soundalike relocate samples /mnt/samples          name a root as `soundalike status` shows it""",
)
@click.argument("old")
@click.argument("new")
@library_option
def command(old: str, new: str, library: str | None) -> None:
    """Record that the indexed folder OLD has moved to NEW. Nothing is analysed again."""
    from soundalike.library import relocate

    moved = relocate(library_path(library), old, new)
    echo(str(moved))
    if moved.root != PurePath(str(moved.new)).name:
        echo(f"its name in the library stays {moved.root}: that is what `--path {moved.root}` finds")
