"""Who may ask, and how much: the machine itself, unless a token is shown. Loopback is no fence against other web pages.

- The Host header must name this server (else a foreign name could be made to point here: DNS rebinding).
- A request that carries an Origin must come from the server's own page (else any page could post to it).
- Beyond loopback a token is needed, once as `?token=` (which sets a cookie) or as `Authorization: Bearer`.
- A request's body is small and comes soon, unless it is a file that is dropped (`uploads` has bounds of its own).
- So many requests are answered at once and no more.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundalike.web.problems import problem

COOKIE = "soundalike-token"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""wavesurfer.js styles its shadow tree in the page, hence 'unsafe-inline' for styles, and for nothing else."""

UPLOADS = "/api/uploads"
MOST_BODY = 256 << 10
"""Bytes of a request that is no upload: a hundred times what the page sends."""

MOST_HEAD = 32 << 10
"""Bytes of address and headers; browsers send 2 kB."""

BODY_SECONDS = 20.0
"""How long such a body may take."""

MOST_RUNNING = 200
"""Requests at once; the browser's own bound is 6 a page."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """Checks each request. host: the name or address that is listened on; token: None where none is needed."""

    def __init__(self, app: ASGIApp, host: str, token: str | None, most_running: int = MOST_RUNNING) -> None:
        self._app = app
        self._host = host
        self._token = token
        self._room = most_running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass, with bounds around its body and headers on its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        refused = _too_long(request) or self._refused(request) or self._not_admitted(request)
        if refused is None and self._room < 1:
            refused = problem(503, "many requests are being answered already; try again in a moment")
            refused.headers["Retry-After"] = "1"
        if refused is not None:
            await refused(scope, receive, send_guarded)
            return
        self._room -= 1
        try:
            bounded = receive if scope["path"] == UPLOADS else _bounded(receive)
            await self._app(scope, bounded, send_guarded)
        finally:
            self._room += 1

    def _refused(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        name = _name_of(host)
        if not (is_loopback(name) or (self._token is not None and _may_be_called(name, self._host))):
            return problem(
                421, f"this server is not called {name[:200]!r}; open the address that `soundalike serve` printed"
            )
        origin = request.headers.get("origin")
        if origin is not None and _place_of(origin) != host:
            return problem(403, "a request from another page was refused; open the page that this server gives")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return problem(403, "a request from another page was refused; open the page that this server gives")
        return None

    def _not_admitted(self, request: Request) -> Response | None:
        if self._token is None:
            return None
        shown = request.query_params.get("token")
        if shown is not None and request.method == "GET" and hmac.compare_digest(shown.encode(), self._token.encode()):
            rest = request.url.remove_query_params("token").query
            # One slash: `//there/` would be an address elsewhere.
            answer = RedirectResponse("/" + request.url.path.lstrip("/\\") + (f"?{rest}" if rest else ""))
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return answer
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = bearer or request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return problem(401, "a token is needed; open the address that `soundalike serve` printed, token and all")
        return None


def _too_long(request: Request) -> Response | None:
    head = len(request.scope["path"]) + len(request.scope["query_string"])
    if head + sum(len(name) + len(value) for name, value in request.scope["headers"]) > MOST_HEAD:
        return problem(431, f"address and headers may have {MOST_HEAD >> 10} kB")
    claimed = request.headers.get("content-length", "")
    if request.url.path != UPLOADS and claimed.isdecimal() and int(claimed[:20]) > MOST_BODY:
        return problem(413, _TOO_LONG)
    return None


_TOO_LONG = f"a request may have {MOST_BODY >> 10} kB; files are sent to {UPLOADS}"


def _bounded(receive: Receive) -> Receive:
    """`receive` for a body that is short and comes soon. What it raises becomes a problem."""
    loop = asyncio.get_running_loop()
    until = loop.time() + BODY_SECONDS
    size = 0
    whole = False

    async def received() -> Message:
        nonlocal size, whole
        if whole:  # what comes now is the end of the connection, whenever that is
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"the request did not arrive within {BODY_SECONDS:.0f} s; try again") from None
        size += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if size > MOST_BODY:
            raise HTTPException(413, _TOO_LONG)
        return message

    return received


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _place_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _may_be_called(name: str, listening: str) -> bool:
    """Beyond loopback: the name that is listened on, or any address where all of them are (`0.0.0.0`)."""
    if name == listening:
        return True
    try:
        return ipaddress.ip_address(listening).is_unspecified and bool(ipaddress.ip_address(name))
    except ValueError:
        return False
