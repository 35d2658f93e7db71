"""Small pages for people whose request is refused: the form for the token, and messages. Programs get problem+json instead."""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from soundalike.web.problems import problem
from soundalike.web.security.base_path import path_in_application

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; color-scheme: light dark; }
h1 { font-size: 1.2rem; } label { display: block; margin: 1.2rem 0 .3rem; }
input, button { font: inherit; min-height: 44px; padding: 0 .8rem; box-sizing: border-box; }
input, button { border-radius: 6px; border: 1px solid #8889; }
input { width: 100%; margin-bottom: .8rem; } [role=alert] { font-weight: 600; }
"""

_HEADERS = {
    # Without a referrer policy of its own, a browser would send `Origin: null` with the form.
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}


def wants_page(request: Request) -> bool:
    """Whether a person waits for the answer: the request opens a page in a browser."""
    if request.method not in ("GET", "HEAD") and not is_login(request):
        return False
    opens = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    return opens and "text/html" in request.headers.get("accept", "")


def is_login(request: Request) -> bool:
    """Whether a request is the form of `login_page`, filled in."""
    return request.method == "POST" and path_in_application(request.scope) == "/"


def refusal(request: Request, status: int, detail: str) -> Response:
    """A refusal as a page with a link to the start, or as a problem. detail: one readable line."""
    if not wants_page(request):
        return problem(status, detail)
    home = escape(f"{request.scope.get('root_path', '')}/")
    body = f'<h1>{escape(detail[:1].upper() + detail[1:])}.</h1><p><a href="{home}">Open the search page</a></p>'
    return _page(status, body)


def login_page(request: Request, *, wrong: bool = False) -> Response:
    """The form for the token. wrong: whether one was given that is not valid."""
    if not wants_page(request):
        return problem(
            401,
            "a token is required; open the address that `soundalike serve` printed, including its token, or send it as "
            "`Authorization: Bearer TOKEN`",
        )
    # Without an action the form goes to the address of the page, whose fragment, the state of the page, stays with it.
    home = path_in_application(request.scope) == "/"
    action = "" if home else f' action="{escape(request.scope.get("root_path", ""))}/"'
    alert = (
        '<p role="alert">This token is not valid here; a server that was started again has a new one.</p>'
        if wrong
        else ""
    )
    body = (
        "<h1>soundalike: this server needs its token</h1>"
        "<p>Open the address that <code>soundalike serve</code> printed in its terminal, or paste the token from it (the part "
        f"after <code>token=</code>).</p>{alert}"
        f'<form method="post"{action}>'
        '<label for="token">Token</label><input id="token" name="token" type="password" autocomplete="off" required autofocus>'
        "<button>Open</button></form>"
    )
    return _page(401, body)


def _page(status: int, body: str) -> Response:
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>soundalike</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
    )
    return HTMLResponse(f"{head}{body}</main></body></html>", status, _HEADERS)
