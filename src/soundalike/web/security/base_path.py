"""The path under which a reverse proxy publishes the server, such as `/sound`.

Addresses on the page are relative, so the browser asks for all of them under that path. A proxy may pass it on or strip it;
the application gets the same request in both cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundalike.errors import InputError

_SEGMENTS = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def check_base_path(path: str) -> str:
    """`path` without a slash at its end; empty for `/`. Raises InputError for what is not the path of an address."""
    path = path.strip().rstrip("/")
    if path and not _SEGMENTS.fullmatch(path):
        raise InputError(
            f"the base path {path!r} is not possible; it must begin with a slash and have letters, digits, '-', '_', '.' "
            "and '~', such as /sound"
        )
    return path


def path_in_application(scope: Scope) -> str:
    """The path of a request below the base path; it begins with a slash."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


class BasePath:
    """ASGI middleware that serves an application under `base_path`, whether or not a proxy has stripped it from the request.

    is_own: whether the application itself has this path. It decides where a file or route of the application begins like the
    base path: behind a proxy that strips `/sound`, a request for `/sound/sound/player.js` arrives as `/sound/player.js`.
    """

    def __init__(self, app: ASGIApp, base_path: str, is_own: Callable[[str], bool]) -> None:
        self._app = app
        self._base = base_path
        self._is_own = is_own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on the request with its whole path, and its redirects without scheme and host."""
        if scope["type"] != "http" or not self._base:
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        # The base path itself stays as it is: the application redirects to it with a slash, which relative addresses need.
        whole = path if path == self._base else self._base + self._below(path)
        scope = {**scope, "path": whole, "root_path": self._base}

        async def send_with_local_redirect(message: Message) -> None:
            if message["type"] == "http.response.start":
                _without_host(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_local_redirect)

    def _below(self, path: str) -> str:
        """The path of a request below the base path."""
        rest = path.removeprefix(self._base)
        if not path.startswith(f"{self._base}/") or (self._is_own(path) and not self._is_own(rest)):
            return path
        return rest


def _without_host(headers: MutableHeaders) -> None:
    """Make a redirect to this server relative to it: the scheme and the host that the browser knows may be others."""
    location = headers.get("location")
    if location is not None:
        parts = urlsplit(location)
        if parts.netloc:
            headers["location"] = "/" + parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
