"""`soundalike listen more`: add trials to a listening test."""

from __future__ import annotations

import click

from soundalike.cli.common import counted, echo, library_option, library_path


@click.command(
    "more",
    short_help="Add trials to a test.",
    epilog="""\b
Examples:
  soundalike listen more mine         12 triplets more
  soundalike listen more mine -n 30

Listeners who have finished get the new trials by the same links. In an active test they are those that
reduce the uncertainty most, with a quarter at random; otherwise all are random.""",
)
@click.argument("name")
@library_option
@click.option(
    "-n", "count", type=click.IntRange(min=1), default=12, show_default=True, help="Number of triplets to add."
)
def command(name: str, library: str | None, count: int) -> None:
    """Add triplets to the listening test NAME."""
    from soundalike.listening.active_blocks import active_progress, extend_test
    from soundalike.listening.open_test import OpenTest

    test = OpenTest.open(library_path(library), name)
    if test.design.goal is not None:
        echo(str(active_progress(test.design, test.vectors, test.records)))
    design = extend_test(test.folder, test.records, count=count, blocks=test.design.blocks)
    added = [triplet for triplet in design.triplets if triplet.block == design.blocks - 1]
    by_chance = sum(triplet.origin == "random" for triplet in added)
    echo(
        f"{counted(len(added), 'triplet')} added, {by_chance} of them at random; the test has {len(design.triplets)} now"
    )
