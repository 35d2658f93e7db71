"""`soundalike remove`: forget files."""

from __future__ import annotations

import click

from soundalike.cli.common import counted, library_option, library_path, say


@click.command(
    "remove",
    short_help="Forget files.",
    epilog="""\b
Examples:
  soundalike remove ~/Music/Old          everything below, and the root if nothing is left of it
  soundalike remove --missing            what is no longer there
Files themselves are never touched.""",
)
@click.argument("paths", nargs=-1)
@library_option
@click.option("--missing", is_flag=True, help="Forget items whose files have vanished.")
def command(paths: tuple[str, ...], library: str | None, missing: bool) -> None:
    """Forget PATHS (files or folders): their items leave the library, the files stay."""
    from soundalike.errors import InputError
    from soundalike.library import remove

    if not paths and not missing:
        raise InputError("name the paths to forget, or --missing")
    removed = remove(library_path(library), list(paths), missing=missing)
    say(
        f"forgot {counted(removed.items, 'item')}"
        + "".join(f"; the root {root} is forgotten too" for root in removed.roots)
    )
