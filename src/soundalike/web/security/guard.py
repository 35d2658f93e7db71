"""Decides which requests are handled: those from this machine, or with the token. Loopback alone does not keep out other pages.

- The Host header must name this server (otherwise a foreign name could be made to resolve to it: DNS rebinding).
- A request with an Origin header must come from the server's own page (otherwise any page could post to it).
- Beyond loopback a token is required, once as `?token=` (which sets a cookie) or as `Authorization: Bearer`.
- A request's body must be small and arrive quickly, unless it is an uploaded file (`uploads` has bounds of its own).
- The number of requests that are handled at once is bounded.
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

from soundalike.errors import InputError
from soundalike.web.problems import problem

COOKIE = "soundalike-token"

MIN_TOKEN_LENGTH = 16
"""Characters; a generated token has 32."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""'unsafe-inline' is for styles only: wavesurfer.js styles its shadow tree in the page. 'wasm-unsafe-eval' lets the page compile
WebAssembly (the time stretcher of its own files), but not evaluate text as JavaScript."""

UPLOAD_PATH = "/api/uploads"
MAX_BODY_BYTES = 256 << 10
"""Of a request that is not an upload: a hundred times what the page sends."""

MAX_HEAD_BYTES = 32 << 10
"""Of address and headers; browsers send 2 kB."""

BODY_SECONDS = 20.0
"""How long such a body may take to arrive."""

MAX_REQUESTS = 200
"""Requests handled at once; a browser sends at most 6 at once for each page."""

_BODY_TOO_LARGE = f"a request may have {MAX_BODY_BYTES >> 10} kB; send files to {UPLOAD_PATH}"
_OTHER_PAGE = "a request from another page was refused; open the page that this server serves"


def check_token(token: str | None, host: str) -> None:
    """Raises InputError for a token that is too short to be secret, or none where other machines can reach the server."""
    if token is None:
        if not is_loopback(host):
            raise InputError(f"other machines can reach {host}: give a token, or listen on 127.0.0.1")
    elif len(token.strip()) < MIN_TOKEN_LENGTH:
        raise InputError(
            f"the token has {len(token.strip())} characters; use {MIN_TOKEN_LENGTH} or more, or leave out --token to have "
            "one generated"
        )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is that of this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware that checks each request. host: the address that the server listens on; token: None if none is required."""

    def __init__(self, app: ASGIApp, host: str, token: str | None, max_requests: int = MAX_REQUESTS) -> None:
        self._app = app
        self._host = host
        self._token = token
        self._free_slots = max_requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it is allowed, with bounds on its body and security headers on its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        refusal = _too_large(request) or self._foreign(request) or self._unauthorised(request)
        if refusal is None and self._free_slots < 1:
            refusal = problem(503, "the server is handling too many requests; try again in a moment")
            refusal.headers["Retry-After"] = "1"
        if refusal is not None:
            await refusal(scope, receive, send_with_headers)
            return
        self._free_slots -= 1
        try:
            bounded = receive if scope["path"] == UPLOAD_PATH else _bounded(receive)
            await self._app(scope, bounded, send_with_headers)
        finally:
            self._free_slots += 1

    def _foreign(self, request: Request) -> Response | None:
        """The refusal of a request under another server's name, or from another server's page."""
        host = request.headers.get("host", "")
        name = _host_name(host)
        if not (is_loopback(name) or (self._token is not None and _is_name_of(name, self._host))):
            return problem(
                421, f"{name[:200]!r} is not the name of this server; open the address that `soundalike serve` printed"
            )
        origin = request.headers.get("origin")
        if origin is not None and _authority(origin) != host:
            return problem(403, _OTHER_PAGE)
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return problem(403, _OTHER_PAGE)
        return None

    def _unauthorised(self, request: Request) -> Response | None:
        """The refusal of a request without the token; for one with `?token=`, a redirect that sets the cookie."""
        if self._token is None:
            return None
        in_address = request.query_params.get("token")
        if in_address is not None and request.method == "GET" and _same(in_address, self._token):
            rest = request.url.remove_query_params("token").query
            # A single slash: `//name/` would be an address on another server.
            response = RedirectResponse("/" + request.url.path.lstrip("/\\") + (f"?{rest}" if rest else ""))
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return response
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not _same(bearer or request.cookies.get(COOKIE, ""), self._token):
            return problem(
                401, "a token is required; open the address that `soundalike serve` printed, including its token"
            )
        return None


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _too_large(request: Request) -> Response | None:
    head = len(request.scope["path"]) + len(request.scope["query_string"])
    if head + sum(len(name) + len(value) for name, value in request.scope["headers"]) > MAX_HEAD_BYTES:
        return problem(431, f"address and headers may have {MAX_HEAD_BYTES >> 10} kB")
    stated = request.headers.get("content-length", "")
    if request.url.path != UPLOAD_PATH and stated.isdecimal() and int(stated[:20]) > MAX_BODY_BYTES:
        return problem(413, _BODY_TOO_LARGE)
    return None


def _bounded(receive: Receive) -> Receive:
    """`receive` for a body that must be small and arrive quickly. Raises HTTPException otherwise."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BODY_SECONDS
    size = 0
    complete = False

    async def receive_bounded() -> Message:
        nonlocal size, complete
        if complete:  # the next message is the end of the connection, whenever that is
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"the request did not arrive within {BODY_SECONDS:.0f} s; try again") from None
        size += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, _BODY_TOO_LARGE)
        return message

    return receive_bounded


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _is_name_of(name: str, listening: str) -> bool:
    """Whether a server beyond loopback may be called `name`: its address, or any address if it listens on all (`0.0.0.0`)."""
    if name == listening:
        return True
    try:
        return ipaddress.ip_address(listening).is_unspecified and bool(ipaddress.ip_address(name))
    except ValueError:
        return False
