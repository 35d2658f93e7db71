"""The HTTP API and the page. `create_app` returns an ASGI application; it describes itself at /api/openapi.json and, for
people, at /api/docs.

Files are decoded and analysed in worker processes (`media_workers`); searches run in this process. Both use the code of the
command line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from soundalike import __version__
from soundalike.config import Runtime
from soundalike.library.storage.location import Location
from soundalike.web.exception_handlers import EXCEPTION_HANDLERS
from soundalike.web.problems import PROBLEM_RESPONSES
from soundalike.web.routers import ROUTERS
from soundalike.web.security.base_path import BasePath
from soundalike.web.security.guard import Guard, check_token
from soundalike.web.security.hosts import is_loopback
from soundalike.web.security.proxy import NO_PROXY, Proxy
from soundalike.web.services.server_state import ServerState
from soundalike.web.services.uploads import Uploads
from soundalike.web.static_pages import HeadRequests, PageFiles

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

COMPRESSION_LEVEL = 3
"""1.3 MB of candidates: 11 ms for 0.27 MB; the default, 9, takes 134 ms for 0.23 MB."""


def create_app(
    library: Location,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    ticket: str | None = None,
    proxy: Proxy = NO_PROXY,
    runtime: Runtime | None = None,
    uploads: Uploads | None = None,
    preload: bool = False,
    cluster: Machines | None = None,
) -> FastAPI:
    """The application for the library at `library`.

    host: the address it listens on; token: that clients need, required beyond loopback and behind a proxy; ticket: stands for
    the token in the first address that contains it; proxy: the names and the path under which a reverse proxy publishes it;
    preload: load the models in the background at start, rather than when they are first needed; cluster: a Ray cluster that
    searches.

    Raises LibraryError if there is no library, InputError for a token that is too short or missing.
    """
    check_token(token, host, proxy.names)
    server = ServerState.open(
        library,
        runtime or Runtime(),
        uploads or Uploads(),
        cluster=cluster,
        local_only=is_loopback(host) and not proxy.names,
    )
    static = Path(str(resources.files("soundalike") / "web" / "static"))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if preload:
            server.library.preload()
        yield
        server.close()

    app = FastAPI(
        title="soundalike",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEM_RESPONSES,
        exception_handlers=EXCEPTION_HANDLERS,
        middleware=[
            Middleware(BasePath, base_path=proxy.base_path, is_own=_own_paths(static)),
            Middleware(Guard, host=host, token=token, names=proxy.names, ticket=ticket),
            Middleware(HeadRequests),
            Middleware(GZipMiddleware, minimum_size=2_000, compresslevel=COMPRESSION_LEVEL),
        ],
        lifespan=lifespan,
    )
    app.state.server = server
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/", PageFiles(directory=static, html=True))
    return app


def _own_paths(static: Path) -> Callable[[str], bool]:
    """Whether a path (`/api/search`, `/app.js`) is one of the application."""
    files = {f"/{path.relative_to(static).as_posix()}" for path in static.rglob("*") if path.is_file()}
    return lambda path: path == "/" or path in files or path.startswith("/api/")
