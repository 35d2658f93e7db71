"""`soundalike duplicates`: list identical and near-identical files."""

from __future__ import annotations

import click

from soundalike.cli.common import echo, library_option, library_path, shown_path


@click.command(
    "duplicates",
    short_help="List files that are copies of each other.",
    epilog="""\b
Examples:
  soundalike duplicates
  soundalike duplicates --versions
  soundalike duplicates --format json

Identical files have the same bytes. Near-identical files have the same length and the same sound throughout, such
as a transcoded file or one at another level. Versions are songs of which one is a piece of the other, such as a cut
or trimmed one, or one with a longer intro; covers are not.""",
)
@library_option
@click.option("--versions", is_flag=True, help="Also list cut and shifted versions of songs.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format."
)
def command(library: str | None, versions: bool, form: str) -> None:
    """List groups of files in the library that are copies of each other."""
    import json

    from soundalike.search.finder import Finder

    finder = Finder.open(library_path(library), on_status=echo)
    groups = finder.duplicates(versions=versions)
    if form == "json":
        print(json.dumps([{"kind": kind, "paths": paths} for kind, paths in groups], indent=2))
        return
    if not groups:
        echo("no duplicates or versions in this library" if versions else "no duplicates in this library")
    for kind, paths in groups:
        print(f"{kind}:")
        for path in paths:
            print(f"  {shown_path(path)}")
