"""`soundalike remove`: remove files from a library."""

from __future__ import annotations

import shlex

import click

from soundalike.cli.common import counted, echo, library_option, library_path

PATTERNS_SHOWN = 8


@click.command(
    "remove",
    short_help="Remove files from the library.",
    epilog="""\b
Examples:
  soundalike remove ~/Music/Old          remove this folder from the library
  soundalike remove --missing            remove items whose files no longer exist

The files themselves are never deleted. To keep the next `soundalike index` from adding them again, exclude
them: soundalike index --exclude PATTERN""",
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
    if removed.still_there:
        echo(f"the next `soundalike index` adds them again, unless you exclude them: {_excluding(removed.still_there)}")


def _excluding(patterns: tuple[str, ...]) -> str:
    """The command that excludes `patterns`, or how it begins where they are many or cannot be typed."""
    if len(patterns) > PATTERNS_SHOWN or not all(map(str.isprintable, patterns)):
        return "soundalike index --exclude PATTERN ..."
    return " ".join(["soundalike index", *(f"--exclude {shlex.quote(pattern)}" for pattern in patterns)])
