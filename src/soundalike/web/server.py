"""Runs the application: opens a port, prints the address, opens the page in a browser."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library.storage.location import Location
from soundalike.web.app import create_app
from soundalike.web.security.guard import MAX_HEAD_BYTES
from soundalike.web.security.hosts import is_loopback
from soundalike.web.security.http_limits import TimeLimitedProtocol
from soundalike.web.security.proxy import NO_PROXY, Proxy

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

MAX_CONNECTIONS = 500
"""Open at once, idle ones included: each takes a file handle, and most systems allow 1,024."""


def serve(
    library: Location,
    host: str,
    port: int,
    *,
    token: str | None,
    guarded: bool = True,
    proxy: Proxy = NO_PROXY,
    runtime: Runtime,
    browser: bool,
    cluster: Machines | None = None,
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted. Clients need the token; one is generated if none is given. guarded: False for no token at all,
    which is possible on loopback and without a proxy only.

    Raises LibraryError if there is no library, InputError if the address is not available or the token too short.
    """
    token = (token if token is not None else secrets.token_urlsafe(24)) if guarded else None
    # Other users of this machine may see the address among the arguments of the browser: it is valid once.
    ticket = secrets.token_urlsafe(24) if guarded else None
    app = create_app(
        library, host=host, token=token, ticket=ticket, proxy=proxy, runtime=runtime, preload=True, cluster=cluster
    )
    listener = open_port(host, port)
    port = int(listener.getsockname()[1])
    query = _query(token)
    here, *elsewhere = [f"http://{name}:{port}{proxy.base_path}/" for name in reachable_names(host)]
    say(f"{library.name} at {here}{query}   (Ctrl-C ends it)")
    for address in elsewhere:
        say(f"from other machines: {address}{query}")
    for published in proxy.addresses():
        say(f"behind the proxy: {published}{query}")
    if browser:
        webbrowser.open(here + _query(ticket))
    uvicorn.Server(server_config(app)).run(sockets=[listener])


def _query(token: str | None) -> str:
    return f"?token={quote(token, safe='')}" if token else ""


def reachable_names(host: str) -> list[str]:
    """The addresses, as in a URL, under which a server that listens on `host` can be reached: for `0.0.0.0` and `::` that of this
    machine for itself, then those of its networks."""
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = False
    if not everywhere:
        return [f"[{host}]" if ":" in host else host]
    return ["[::1]" if ":" in host else "127.0.0.1", *_own_addresses()]


def _own_addresses() -> list[str]:
    """The IPv4 addresses of this machine, that of the default route first; none without a network."""
    found: list[str] = []
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address for documentation: nothing is sent
        found.append(probe.getsockname()[0])
    with suppress(OSError):
        found += socket.gethostbyname_ex(socket.gethostname())[2]
    return [one for one in dict.fromkeys(found) if not (is_loopback(one) or ipaddress.ip_address(one).is_unspecified)]


def server_config(app: FastAPI, *, log_level: str = "warning") -> uvicorn.Config:
    """How uvicorn runs the application: with bounds on request heads and connections."""
    return uvicorn.Config(
        app,
        http=TimeLimitedProtocol,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=30,
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def open_port(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; port 0 picks a free one. Raises InputError if the address is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot listen on {host}:{port} ({reason}); choose another --port, or --port 0") from None
    return listener
