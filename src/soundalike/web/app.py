"""The HTTP API. `create_app` gives an ASGI application; it describes itself at /api/openapi.json and, for people, /api/docs.

Decoding happens in a worker process (`desk`), searching here; both by the code that the command line uses.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from soundalike import __version__
from soundalike.config import Runtime
from soundalike.errors import SoundalikeError
from soundalike.library.storage.location import Location
from soundalike.web.problems import PROBLEMS, of_error, problem
from soundalike.web.routers.routes import add_routes
from soundalike.web.security.guard import HEADERS, Guard, is_loopback
from soundalike.web.services.feedback import Judging
from soundalike.web.services.server_state import Session
from soundalike.web.services.uploads import Uploads

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

COMPRESSION = 3
"""Of 1.3 MB of candidates: 11 ms for 0.27 MB; the usual 9 takes 134 ms for 0.23 MB."""


def create_app(
    library: Location,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    runtime: Runtime | None = None,
    uploads: Uploads | None = None,
    ready: bool = False,
    cluster: Machines | None = None,
) -> FastAPI:
    """The application for the library at `library`. host: what is listened on; token: needed beyond loopback; ready: load the
    models when it starts, in the background, and not when they are first needed; cluster: a Ray cluster that searches.

    Raises LibraryError where there is no library.
    """
    session = Session(library, runtime or Runtime(), uploads or Uploads(), cluster)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if ready:
            session.get_ready()
        yield
        session.close()

    app = FastAPI(
        title="soundalike",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=PROBLEMS,
        lifespan=lifespan,
    )
    app.state.session, app.state.judging = session, Judging(session, library)
    app.add_middleware(GZipMiddleware, minimum_size=2_000, compresslevel=COMPRESSION)
    app.add_middleware(Guard, host=host, token=token)
    _explain_errors(app)
    add_routes(app, session, app.state.judging, alone=is_loopback(host))
    app.mount("/", StaticFiles(directory=str(resources.files("soundalike") / "web" / "static"), html=True))
    return app


def _explain_errors(app: FastAPI) -> None:
    @app.exception_handler(SoundalikeError)
    def ours(_: Request, error: SoundalikeError) -> JSONResponse:
        return of_error(error)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(place) for place in first["loc"] if place != "body")
        return problem(422, f"{where or 'the request'}: {first['msg']}")

    @app.exception_handler(Exception)
    def fault(_: Request, error: Exception) -> JSONResponse:
        # Outside the guard, so it carries the guard's headers itself; what happened goes to the log alone.
        words = f"the server failed ({type(error).__name__}); what happened is in its log"
        return problem(507 if isinstance(error, OSError) and error.errno == errno.ENOSPC else 500, words, HEADERS)

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), error.headers)
