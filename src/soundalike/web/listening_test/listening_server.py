"""Runs the server of a listening test and prints the listeners' links."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from soundalike.listening.answer_store import AnswerStore, Listener
from soundalike.listening.design import ANSWERS_FILE
from soundalike.listening.weight_fit import listeners_text
from soundalike.web.listening_test.listening_app import create_listening_app
from soundalike.web.security.hosts import is_loopback
from soundalike.web.security.proxy import NO_PROXY, Proxy
from soundalike.web.server import open_port, reachable_names, server_config

MAX_SHOWN = 20
"""Links that are printed at the start; `soundalike listen listeners` prints all."""


def run_listening_test(
    folder: Path,
    host: str,
    port: int,
    *,
    listeners: int,
    browser: bool,
    say: Callable[[str], None],
    proxy: Proxy = NO_PROXY,
) -> None:
    """Serve the test in `folder` until interrupted. listeners: at least so many links; browser: open the first one; proxy: the
    names and the path under which a reverse proxy publishes the test.

    Raises LibraryError or InputError if the test cannot be served or the address is not available.
    """
    app = create_listening_app(folder, host=host, proxy=proxy)
    listener = open_port(host, port)
    base = address_for_listeners(host, int(listener.getsockname()[1]), proxy)
    links = personal_links(folder, base, at_least=listeners)
    say(f"listening test {folder.name} at {base}   (Ctrl-C ends it)")
    for name, link in links[:MAX_SHOWN]:
        say(f"  {name}  {link}")
    if len(links) > MAX_SHOWN:
        say(f"  and {len(links) - MAX_SHOWN} more: soundalike listen listeners {folder.name} --address {base}")
    if not is_loopback(host) and not proxy.names:
        say("links and answers travel unencrypted in this network; with --allow-host, a proxy can add HTTPS")
    if browser:
        webbrowser.open(links[0][1])
    try:
        uvicorn.Server(server_config(app)).run(sockets=[listener])
    finally:  # Ctrl-C is raised again when the server has stopped
        say(summary(folder))


def summary(folder: Path) -> str:
    """How many answers the test in `folder` has, and what to do with them."""
    store = AnswerStore(folder / ANSWERS_FILE)
    try:
        counts = store.counts()
    finally:
        store.close()
    answered = sum(count > 0 for count in counts.values())
    state = f"answers: {sum(counts.values())}, by {answered} of {listeners_text(len(counts))}"
    return f"{state}; soundalike listen fit {folder.name} learns weights from them" if answered else state


def personal_links(folder: Path, base: str, *, at_least: int) -> list[tuple[str, str]]:
    """Pseudonym and link of every listener of the test; listeners are invited until there are `at_least`."""
    store = AnswerStore(folder / ANSWERS_FILE)
    try:
        missing = at_least - len(store.listeners())
        if missing > 0:
            store.invite(missing)
        return [(one.name, link_of(one, base)) for one in store.listeners()]
    finally:
        store.close()


def link_of(listener: Listener, base: str) -> str:
    """The personal link of a listener. The token is a fragment, which browsers send to no server and no log records."""
    return f"{base}#{listener.token}"


def address_for_listeners(host: str, port: int, proxy: Proxy = NO_PROXY) -> str:
    """The address that links start with: that of the proxy if there is one, else one that other machines can reach if there is
    one."""
    published = proxy.addresses()
    if published:
        return published[0]
    here, *elsewhere = reachable_names(host)
    return f"http://{(elsewhere or [here])[0]}:{port}{proxy.base_path}/"
