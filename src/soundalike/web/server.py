"""Runs the application: finds a port, prints the address, opens the page."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from soundalike.config import Runtime
from soundalike.errors import InputError
from soundalike.library.storage.location import Location
from soundalike.web.app import create_app
from soundalike.web.security.guard import MOST_HEAD, is_loopback
from soundalike.web.security.http_limits import Patient

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

MOST_CONNECTIONS = 500
"""Open at once, idle ones too: each takes a file handle, of which there are 1,024 on most systems."""


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
    """Serve until interrupted. Beyond loopback a token is needed; one is made if none is given.

    Raises LibraryError where there is no library, InputError where the address cannot be listened on.
    """
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    app = create_app(library, host=host, token=token, runtime=runtime, ready=True, cluster=cluster)
    listening = _listen(host, port)
    port = int(listening.getsockname()[1])
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
    say(f"{library.name} at {address}   (Ctrl-C ends it)")
    if browser:
        webbrowser.open(address)
    uvicorn.Server(configuration(app)).run(sockets=[listening])


def configuration(app: FastAPI, *, log_level: str = "warning") -> uvicorn.Config:
    """How the application is run: heads and connections are bounded."""
    return uvicorn.Config(
        app,
        http=Patient,
        h11_max_incomplete_event_size=MOST_HEAD,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=30,
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except (OSError, OverflowError) as error:
        found.close()
        words = getattr(error, "strerror", None) or error
        raise InputError(f"{host}:{port} cannot be listened on ({words}); choose another --port, or --port 0") from None
    return found
