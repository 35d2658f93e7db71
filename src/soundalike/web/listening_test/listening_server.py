"""Runs the server of a listening test and prints the listeners' links."""

from __future__ import annotations

import ipaddress
import socket
import webbrowser
from collections.abc import Callable
from pathlib import Path

import uvicorn

from soundalike.listening.answer_store import AnswerStore, Listener
from soundalike.listening.design import ANSWERS_FILE
from soundalike.web.listening_test.listening_app import create_listening_app
from soundalike.web.security.hosts import is_loopback
from soundalike.web.server import open_port, server_config

MAX_SHOWN = 20
"""Links that are printed at the start; `soundalike listen listeners` prints all."""


def run_listening_test(
    folder: Path, host: str, port: int, *, listeners: int, browser: bool, say: Callable[[str], None]
) -> None:
    """Serve the test in `folder` until interrupted. listeners: at least so many links; browser: open the first one.

    Raises LibraryError or InputError if the test cannot be served or the address is not available.
    """
    app = create_listening_app(folder, host=host)
    listener = open_port(host, port)
    base = base_address(host, int(listener.getsockname()[1]))
    links = personal_links(folder, base, at_least=listeners)
    say(f"listening test {folder.name} at {base}   (Ctrl-C ends it)")
    for name, link in links[:MAX_SHOWN]:
        say(f"  {name}  {link}")
    if len(links) > MAX_SHOWN:
        say(f"  and {len(links) - MAX_SHOWN} more: soundalike listen listeners {folder.name}")
    if not is_loopback(host):
        say("Links are sent unencrypted over this network; behind a proxy with HTTPS they are not.")
    if browser:
        webbrowser.open(links[0][1])
    uvicorn.Server(server_config(app)).run(sockets=[listener])


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


def base_address(host: str, port: int) -> str:
    """The address of the page for a server that listens on `host`; of this machine if it listens on all its addresses."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host
    else:
        name = _own_address(address) if address.is_unspecified else str(address)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


def _own_address(unspecified: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """The address of this machine on its network, loopback if it has none."""
    family, other, loopback = (
        (socket.AF_INET, "192.0.2.1", "127.0.0.1")
        if unspecified.version == 4
        else (socket.AF_INET6, "2001:db8::1", "::1")
    )
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((other, 9))  # sends nothing: the system only chooses a route
            return str(probe.getsockname()[0])
        except OSError:
            return loopback
