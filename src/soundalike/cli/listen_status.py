"""`soundalike listen status`: the listening tests of a library and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from soundalike.cli.common import counted, library_option, library_path

if TYPE_CHECKING:
    from soundalike.library.storage.location import Location


@click.command(
    "status",
    short_help="Show your listening tests and their answers.",
    epilog="""\b
Examples:
  soundalike listen status
  soundalike listen status mine   each listener, and how far an active test is""",
)
@click.argument("name", required=False)
@library_option
def command(name: str | None, library: str | None) -> None:
    """Show all listening tests of your library, or the listeners and the progress of one."""
    from soundalike.listening.design import names_of_designs

    location = library_path(library)
    if name is not None:
        _show_test(location, name)
        return
    names = names_of_designs(location)
    if not names:
        print("no listening tests yet; make one with `soundalike listen new NAME`")
    for one in names:
        print(_line(location, one))


def _line(location: Location, name: str) -> str:
    from soundalike.listening.open_test import OpenTest

    test = OpenTest.open(location, name)
    listeners = {record.listener for record in test.records}
    return (
        f"{name}: {counted(len(test.design.triplets), 'triplet')}, {', '.join(test.design.questions)}; "
        f"{counted(len(test.records), 'answer')} of {counted(len(listeners), 'listener')}"
    )


def _show_test(location: Location, name: str) -> None:
    from collections import Counter

    from soundalike.listening.active_blocks import active_progress
    from soundalike.listening.open_test import OpenTest
    from soundalike.listening.schedule import trials

    test = OpenTest.open(location, name)
    print(_line(location, name))
    total = len(trials(test.design, 0))
    for listener, count in Counter(record.listener for record in test.records).items():
        print(f"  {listener}: {count} of {total} trials")
    if test.design.goal is not None:
        print(f"  {active_progress(test.design, test.vectors, test.records)}")
