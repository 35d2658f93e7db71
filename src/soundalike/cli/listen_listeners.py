"""`soundalike listen invite`, `listeners` and `delete-listener`: the people who answer a listening test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from soundalike.cli.common import counted, echo, library_option, library_path

if TYPE_CHECKING:
    from soundalike.listening.answer_store import AnswerStore, Listener

base_option = click.option(
    "--address",
    default="http://127.0.0.1:8766/",
    show_default=True,
    metavar="URL",
    help="Address of `soundalike listen run` as listeners see it; links start with it.",
)


@click.command(
    "invite",
    short_help="Make personal links for more listeners.",
    epilog="""\b
Examples:
  soundalike listen invite mine 10
  soundalike listen invite mine 10 --address https://music.example/test/""",
)
@click.argument("name")
@click.argument("count", type=click.IntRange(1, 1000), default=1)
@library_option
@base_option
def invite_command(name: str, count: int, library: str | None, address: str) -> None:
    """Invite COUNT more listeners to the test NAME and print their links, one per line: pseudonym, tab, link."""
    with _store(library, name) as store:
        for listener in store.invite(count):
            click.echo(f"{listener.name}\t{_link(listener, address)}")


@click.command(
    "listeners",
    short_help="List the listeners of a test, or print all that is stored about one.",
    epilog="""\b
Examples:
  soundalike listen listeners mine
  soundalike listen listeners mine --json L03 > L03.json""",
)
@click.argument("name")
@library_option
@base_option
@click.option("--json", "exported", metavar="LISTENER", help="Print all that is stored about one listener, as JSON.")
def listeners_command(name: str, library: str | None, address: str, exported: str | None) -> None:
    """List the listeners of the test NAME: pseudonym, answers, headphone check, link."""
    with _store(library, name) as store:
        if exported is not None:
            click.echo(json.dumps(store.export_listener(exported), indent=1, ensure_ascii=False))
            return
        counts = store.counts()
        for listener in store.listeners():
            headphones = "-" if listener.headphones is None else "{}/{}".format(*listener.headphones)
            headphones = "loudspeakers" if listener.headphones == (0, 0) else headphones
            click.echo(f"{listener.name}\t{counts[listener.name]}\t{headphones}\t{_link(listener, address)}")


@click.command(
    "delete-listener",
    short_help="Delete a listener with all answers.",
    epilog="""\b
Example:
  soundalike listen delete-listener mine L03""",
)
@click.argument("name")
@click.argument("listener")
@library_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_command(name: str, listener: str, library: str | None, yes: bool) -> None:
    """Delete LISTENER (such as L03) of the test NAME with all answers; the link is no longer valid."""
    with _store(library, name) as store:
        count = store.counts().get(store.by_name(listener).name, 0)
        if not yes:
            click.confirm(f"delete {listener} with {counted(count, 'answer')}?", abort=True, err=True)
        deleted = store.delete_listener(listener)
    echo(f"deleted {listener} with {counted(deleted, 'answer')}")


@contextmanager
def _store(library: str | None, name: str) -> Iterator[AnswerStore]:
    """The store of a test that exists."""
    from soundalike.listening.answer_store import AnswerStore
    from soundalike.listening.design import ANSWERS_FILE, folder_of_design, read_design

    folder = folder_of_design(library_path(library), name)
    read_design(folder)
    store = AnswerStore(folder / ANSWERS_FILE)
    try:
        yield store
    finally:
        store.close()


def _link(listener: Listener, address: str) -> str:
    return f"{address.rstrip('/')}/#{listener.token}"
