"""Runs the application: opens a port, prints the address, opens the page in a browser."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library.storage.location import Location
from soundalike.web.app import create_app
from soundalike.web.security.guard import MAX_HEAD_BYTES, is_loopback
from soundalike.web.security.http_limits import TimeLimitedProtocol

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
    runtime: Runtime,
    browser: bool,
    cluster: Machines | None = None,
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted. Beyond loopback a token is required; one is generated if none is given.

    Raises LibraryError if there is no library, InputError if the address is not available or the token too short.
    """
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    app = create_app(library, host=host, token=token, runtime=runtime, preload=True, cluster=cluster)
    listener = open_port(host, port)
    port = int(listener.getsockname()[1])
    authority = f"[{host}]" if ":" in host else host
    address = f"http://{authority}:{port}/" + (f"?token={quote(token, safe='')}" if token else "")
    say(f"{library.name} at {address}   (Ctrl-C ends it)")
    if browser:
        webbrowser.open(address)
    uvicorn.Server(server_config(app)).run(sockets=[listener])


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
