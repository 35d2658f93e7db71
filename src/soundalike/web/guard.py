"""Who may ask: the machine itself, unless a token is shown. Loopback is no fence against other web pages.

- The Host header must name this server (else a foreign name could be made to point here: DNS rebinding).
- A request that carries an Origin must come from the server's own page (else any page could post to it).
- Beyond loopback a token is needed, once as `?token=` (which sets a cookie) or as `Authorization: Bearer`.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.responses import RedirectResponse

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

Next = Callable[[Request], Awaitable[Response]]


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

    def __init__(self, host: str, token: str | None) -> None:
        self._host = host
        self._token = token

    async def __call__(self, request: Request, proceed: Next) -> Response:
        answer = self._refused(request) or await self._admitted(request, proceed)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    def _refused(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        name = _name_of(host)
        if not (is_loopback(name) or (self._token is not None and _may_be_called(name, self._host))):
            return problem(421, f"this server is not called {name!r}; open the address that `soundalike serve` printed")
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return problem(403, "a request from another page was refused; open the page that this server gives")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return problem(403, "a request from another page was refused; open the page that this server gives")
        return None

    async def _admitted(self, request: Request, proceed: Next) -> Response:
        if self._token is None:
            return await proceed(request)
        shown = request.query_params.get("token")
        if shown is not None and request.method == "GET" and hmac.compare_digest(shown.encode(), self._token.encode()):
            rest = request.url.remove_query_params("token").query
            answer = RedirectResponse(request.url.path + (f"?{rest}" if rest else ""))
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return answer
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = bearer or request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return problem(401, "a token is needed; open the address that `soundalike serve` printed, token and all")
        return await proceed(request)


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
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
