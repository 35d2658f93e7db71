"""`soundalike remove`: remove files from a library."""

from __future__ import annotations

import click

from soundalike.cli.common import counted, echo, library_option, library_path


@click.command(
    "remove",
    short_help="Remove files from the library.",
    epilog="""\b
Examples:
  soundalike remove ~/Music/Old          remove this folder from the library
  soundalike remove --missing            remove items whose files no longer exist

The files themselves are never deleted.""",
)
@click.argument("paths", nargs=-1)
@library_option
@click.option("--missing", is_flag=True, help="Remove items whose files no longer exist.")
def command(paths: tuple[str, ...], library: str | None, missing: bool) -> None:
    """Remove PATHS (files or folders) from the library; the files stay where they are."""
    from soundalike.errors import InputError
    from soundalike.library import remove

    if not paths and not missing:
        raise InputError("give the paths to remove, or --missing")
    removed = remove(library_path(library), list(paths), missing=missing)
    echo(
        f"removed {counted(removed.items, 'item')}"
        + "".join(f"; the root {root} is removed too" for root in removed.roots)
    )
