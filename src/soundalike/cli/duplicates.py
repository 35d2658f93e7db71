"""`soundalike duplicates`: identical and near-identical files."""

from __future__ import annotations

import click

from soundalike.cli.common import library_option, library_path, say, shown_path


@click.command(
    "duplicates",
    short_help="Files that are copies of one another.",
    epilog="""\b
Examples:
  soundalike duplicates
  soundalike duplicates --format json
Identical: the same bytes. Near-identical: equal length and the same sound throughout (a transcode, another gain).""",
)
@library_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(library: str | None, form: str) -> None:
    """Groups of files in the library that are copies of one another."""
    import json

    from soundalike.search.finder import Finder

    finder = Finder.open(library_path(library), tell=say)
    groups = finder.duplicates()
    if form == "json":
        print(json.dumps([{"kind": kind, "paths": paths} for kind, paths in groups], indent=2))
        return
    if not groups:
        say("no duplicates")
    for kind, paths in groups:
        print(f"{kind}:")
        for path in paths:
            print(f"  {shown_path(path)}")
