"""Decides which requests are handled: those from this machine, or with the token. Loopback alone does not keep out other pages.

- The Host header must name this server: this machine, or a name that was allowed (otherwise a foreign name could be made to
  resolve to it: DNS rebinding).
- A request with an Origin header must come from the server's own page (otherwise any page could post to it). A link on another
  page may open the page, and nothing else.
- A token is required: once, as `?token=` or in a form (which set a cookie), or as `Authorization: Bearer`. On loopback it can be
  switched off; it keeps out other users of the machine.
- A request's body must be small and arrive quickly, unless it is an uploaded file (`uploads` has bounds of its own).
- The number of requests that are handled at once is bounded.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Collection
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundalike.errors import InputError
from soundalike.web.problems import problem
from soundalike.web.security.base_path import path_in_application
from soundalike.web.security.hosts import host_name, is_address_of, is_loopback
from soundalike.web.security.pages import is_login, login_page, refusal, wants_page

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


def check_token(token: str | None, host: str, names: Collection[str] = ()) -> None:
    """Raises InputError for a token that is too short to be secret, or none where other machines can reach the server, at its
    address or through a proxy under one of `names`."""
    if token is None:
        reached = [name for name in (host, *sorted(names)) if not is_loopback(name)]
        if reached:
            raise InputError(f"other machines can reach {reached[0]}: give a token, or listen on 127.0.0.1")
    elif len(token.strip()) < MIN_TOKEN_LENGTH:
        raise InputError(
            f"the token has {len(token.strip())} characters; use {MIN_TOKEN_LENGTH} or more, or leave out --token to have "
            "one generated"
        )


class Guard:
    """ASGI middleware that checks each request. host: the address that the server listens on; token: None if none is required;
    names: other names that the server may be called by (`hosts.allowed_names`); ticket: also accepted in an address, but once;
    personal_links: the application itself knows who may do what, from a token in a header, so that the server may be called by
    its address without another token."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        token: str | None,
        max_requests: int = MAX_REQUESTS,
        names: frozenset[str] = frozenset(),
        ticket: str | None = None,
        personal_links: bool = False,
    ) -> None:
        self._app = app
        self._host = host
        self._token = token
        self._names = names
        self._ticket = ticket
        self._personal_links = personal_links
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

        request = Request(scope, _bounded(receive))
        answer = _too_large(request) or self._foreign(request) or await self._checked(request)
        if answer is None and self._free_slots < 1:
            answer = problem(503, "the server is handling too many requests; try again in a moment")
            answer.headers["Retry-After"] = "1"
        if answer is not None:
            await answer(scope, receive, send_with_headers)
            return
        self._free_slots -= 1
        try:
            bounded = receive if path_in_application(scope) == UPLOAD_PATH else _bounded(receive)
            await self._app(scope, bounded, send_with_headers)
        finally:
            self._free_slots += 1

    def _foreign(self, request: Request) -> Response | None:
        """The refusal of a request under another server's name, or from another server's page."""
        host = request.headers.get("host", "")
        name = host_name(host)
        authorised = self._token is not None or self._personal_links
        beyond = authorised and is_address_of(name, self._host)
        if not (is_loopback(name) or beyond or name in self._names):
            return problem(
                421,
                f"{name[:200]!r} is not the name of this server; open the address that `soundalike serve` printed, or allow "
                "the name with --allow-host",
            )
        origin = request.headers.get("origin")
        if origin is not None and _authority(origin) != host:
            return problem(403, _OTHER_PAGE)
        site = request.headers.get("sec-fetch-site", "same-origin")
        if site not in ("same-origin", "none") and not _follows_link(request):
            return refusal(request, 403, _OTHER_PAGE)
        return None

    async def _checked(self, request: Request) -> Response | None:
        """`_unauthorised`, with the errors of a body that is too large or too slow as responses."""
        try:
            return await self._unauthorised(request)
        except HTTPException as error:
            return problem(error.status_code, str(error.detail))
        except ClientDisconnect:
            return problem(400, "the request is incomplete")

    async def _unauthorised(self, request: Request) -> Response | None:
        """The refusal of a request without the token; for one with `?token=`, or the form for it, a redirect that sets the
        cookie."""
        if self._token is None:
            return None
        in_address = request.query_params.get("token")
        if in_address is not None and request.method == "GET" and self._accepts(in_address):
            rest = request.url.remove_query_params("token").query
            # A single slash: `//name/` would be an address on another server.
            return self._admitted(request, "/" + request.url.path.lstrip("/\\") + (f"?{rest}" if rest else ""))
        if is_login(request):
            given = parse_qs((await request.body()).decode("utf-8", "replace")).get("token", [""])[0].strip()
            if self._accepts(given):
                return self._admitted(request, request.scope.get("root_path", "") + "/")
            return login_page(request, wrong=True)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not _same(bearer or request.cookies.get(cookie_name(request), ""), self._token):
            return login_page(request, wrong=in_address is not None)
        return None

    def _accepts(self, given: str) -> bool:
        """Whether this is the token, or the ticket, which is valid once."""
        assert self._token is not None  # checked by the caller
        if self._ticket is not None and _same(given, self._ticket):
            self._ticket = None
            return True
        return _same(given, self._token)

    def _admitted(self, request: Request, address: str) -> Response:
        """A redirect to an address of this server that sets the cookie."""
        assert self._token is not None  # checked by the caller
        response = RedirectResponse(address, 303)
        base: str = request.scope.get("root_path", "")
        response.set_cookie(
            cookie_name(request),
            self._token,
            path=base or "/",
            secure=request.url.scheme == "https",  # a proxy on this machine reports it
            httponly=True,
            # Lax, not strict: a link on another page may open this one; `_foreign` refuses everything else from there.
            samesite="lax",
        )
        return response


def cookie_name(request: Request) -> str:
    """The name of the cookie with the token. It contains the port, because servers on several ports share their cookies."""
    port = request.headers.get("host", "").rpartition(":")[2]
    return f"{COOKIE}-{port[:5]}" if port.isdecimal() else COOKIE


def _follows_link(request: Request) -> bool:
    """Whether a browser opens the page itself in a window of its own, as a link on any page may do."""
    return (
        request.method in ("GET", "HEAD")
        and wants_page(request)
        and request.headers.get("sec-fetch-dest") == "document"
        and path_in_application(request.scope) in ("/", "/index.html")
    )


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _too_large(request: Request) -> Response | None:
    head = len(request.scope["path"]) + len(request.scope["query_string"])
    if head + sum(len(name) + len(value) for name, value in request.scope["headers"]) > MAX_HEAD_BYTES:
        return problem(431, f"address and headers may have {MAX_HEAD_BYTES >> 10} kB")
    stated = request.headers.get("content-length", "")
    if path_in_application(request.scope) != UPLOAD_PATH and stated.isdecimal() and int(stated[:20]) > MAX_BODY_BYTES:
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


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
