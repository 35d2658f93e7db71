"""`soundalike demo`: a small library that sounds like music, indexed and asked three questions."""

from __future__ import annotations

from pathlib import Path

import click

from soundalike.cli.common import say


@click.command(
    "demo", short_help="Make music, index it, ask three questions.", epilog="Example:  soundalike demo --folder my-demo"
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("soundalike-demo"),
    show_default=True,
    help="Where the music and its library go.",
)
def command(folder: Path) -> None:
    """Make a small multitrack library (offline), index it, ask three telling questions."""
    from soundalike.cli.demo_run import demonstrate

    demonstrate(folder, say)
