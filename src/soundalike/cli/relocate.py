"""`soundalike relocate`: a root has moved."""

from __future__ import annotations

import click

from soundalike.cli.common import library_option, library_path, say


@click.command(
    "relocate",
    short_help="Tell the library that a folder has moved.",
    epilog="""\b
Examples:
  soundalike relocate /Volumes/Old/Samples /Volumes/New/Samples
  soundalike relocate samples /mnt/samples          a root by its name (see `soundalike status`)""",
)
@click.argument("old")
@click.argument("new")
@library_option
def command(old: str, new: str, library: str | None) -> None:
    """Tell the library that the folder OLD is now at NEW. Nothing is analysed again."""
    from soundalike.library import relocate

    moved = relocate(library_path(library), old, new)
    say(f"{moved.root}: {moved.old} -> {moved.new}; {moved.there} of its {moved.items} files are there")
