"""`soundalike demo`: generate a small music library, index it and search it."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    "demo",
    short_help="Generate a small music library, index it, and search it three times.",
    epilog="""\b
Example:
  soundalike demo --folder my-demo

Nothing is downloaded. If the folder already contains the demo, its music and library are reused.""",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("soundalike-demo"),
    show_default=True,
    help="Folder for the generated music and its library.",
)
def command(folder: Path) -> None:
    """Generate a small music library, index it, and search it three times.

    Since the music is generated, the right answers are known: each search shows how many of its hits are right.
    """
    from soundalike.cli.demo_run import run_demo

    run_demo(folder)
