"""The application of a listening test: the page and its API, under the same rules as the search page's server.

A listener is known by a personal link, so no further token is needed: all that is served without one is the page's own code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, JSONResponse, Response

from soundalike import __version__
from soundalike.web.exception_handlers import EXCEPTION_HANDLERS
from soundalike.web.listening_test.listener_routes import router
from soundalike.web.listening_test.trial_sessions import TrialSessions, UnknownListenerError
from soundalike.web.problems import PROBLEM_RESPONSES, problem
from soundalike.web.security.base_path import BasePath
from soundalike.web.security.guard import Guard
from soundalike.web.security.proxy import NO_PROXY, Proxy
from soundalike.web.static_pages import HeadRequests, PageFiles

PAGE = "listening_test"
"""The folder of the page in `static/`."""

SHARED = ("dom.js",)
"""Modules of the search page that this page uses too."""


def create_listening_app(folder: Path, *, host: str = "127.0.0.1", proxy: Proxy = NO_PROXY) -> FastAPI:
    """The application for the listening test in `folder`. host: the address that it listens on; proxy: the names and the path
    under which a reverse proxy publishes it.

    Raises LibraryError or InputError if the test cannot be served.
    """
    sessions = TrialSessions(folder)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        sessions.close()

    app = FastAPI(
        title=f"soundalike: listening test {sessions.name}",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=PROBLEM_RESPONSES,
        exception_handlers={**EXCEPTION_HANDLERS, UnknownListenerError: _unknown_listener},
        middleware=[
            Middleware(BasePath, base_path=proxy.base_path, is_own=_own_paths()),
            Middleware(Guard, host=host, token=None, names=proxy.names, personal_links=True),
            Middleware(HeadRequests),
            Middleware(GZipMiddleware, minimum_size=2_000),
        ],
        lifespan=lifespan,
    )
    app.state.sessions = sessions
    app.include_router(router)
    _add_page(app)
    return app


def _static() -> Path:
    return Path(str(resources.files("soundalike") / "web" / "static"))


def _add_page(app: FastAPI) -> None:
    static = _static()
    app.add_route("/", _sends(static / PAGE / "test_page.html"))
    for name in SHARED:
        app.add_route(f"/{name}", _sends(static / name))
    app.mount(f"/{PAGE}", PageFiles(directory=static / PAGE))


def _sends(path: Path) -> Callable[[Request], Awaitable[Response]]:
    """A route that sends a file of the page."""

    async def send(_: Request) -> Response:
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    return send


def _own_paths() -> Callable[[str], bool]:
    """Whether a path is one of the application."""
    files = {f"/{PAGE}/{path.name}" for path in (_static() / PAGE).iterdir()}
    own = {"/", *files, *(f"/{name}" for name in SHARED)}
    return lambda path: path in own or path.startswith("/api/")


async def _unknown_listener(_: Request, error: UnknownListenerError) -> JSONResponse:
    return problem(401, str(error))
