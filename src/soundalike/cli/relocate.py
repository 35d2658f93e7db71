"""`soundalike relocate`: update the location of a moved root folder."""

from __future__ import annotations

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
    echo(f"{moved.root}: {moved.old} -> {moved.new}; {moved.there} of its {moved.items} files are there")
