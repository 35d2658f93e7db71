"""The HTTP API. `create_app` gives an ASGI application; /docs of the API is its OpenAPI description at /api/openapi.json.

Decoding happens in a worker process (`desk`), searching here; both by the code that the command line uses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from soundalike import __version__
from soundalike.errors import SoundalikeError
from soundalike.library.location import Location
from soundalike.runtime import Runtime
from soundalike.web import models
from soundalike.web.guard import Guard
from soundalike.web.problems import of_error, problem
from soundalike.web.session import Session
from soundalike.web.uploads import TooLargeError, Uploads

BROWSERS_PLAY = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
}
"""Suffixes of files that are sent as they are; others are sent as WAV."""


def create_app(
    library: Location,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    runtime: Runtime | None = None,
    uploads: Uploads | None = None,
) -> FastAPI:
    """The application for the library at `library`. host: what is listened on; token: needed beyond loopback.

    Raises LibraryError where there is no library.
    """
    session = Session(library, runtime or Runtime(), uploads or Uploads())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        session.close()

    app = FastAPI(
        title="soundalike",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.session = session
    app.add_middleware(GZipMiddleware, minimum_size=2_000)
    app.add_middleware(BaseHTTPMiddleware, dispatch=Guard(host, token))
    _explain_errors(app)
    _add_routes(app, session)
    app.mount("/", StaticFiles(directory=str(resources.files("soundalike") / "web" / "static"), html=True))
    return app


def _explain_errors(app: FastAPI) -> None:
    @app.exception_handler(SoundalikeError)
    def ours(_: Request, error: SoundalikeError) -> JSONResponse:
        return problem(413, str(error)) if isinstance(error, TooLargeError) else of_error(error)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(place) for place in first["loc"] if place != "body")
        return problem(422, f"{where or 'the request'}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail))


def _add_routes(app: FastAPI, session: Session) -> None:
    @app.get("/api/library")
    def library() -> models.LibraryOut:
        """What the library holds and was made with."""
        return session.describe()

    @app.get("/api/items")
    def items(
        text: Annotated[str, Query(max_length=200)] = "",
        kind: Annotated[list[str], Query(max_length=3)] = [],  # noqa: B006 - FastAPI copies it
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> models.Items:
        """A page of items, in the order of their paths."""
        from pydantic import ValidationError

        try:
            filters = models.FilterFields.model_validate({"kinds": kind})
        except ValidationError as error:
            raise RequestValidationError([{**one, "loc": ("query", "kind")} for one in error.errors()]) from None
        return session.items(text, filters, offset, limit)

    @app.get("/api/items/{item}/audio")
    def audio(item: str) -> Response:
        """The item's file, with Range requests; formats that browsers do not play come as WAV."""
        path = session.file_of(item)
        kind = BROWSERS_PLAY.get(path.suffix.lower())
        if kind is None:
            return Response(session.wav(item), media_type="audio/wav")
        return FileResponse(path, media_type=kind)

    @app.get("/api/items/{item}/peaks")
    def peaks(item: str) -> models.PeaksOut:
        """Peaks of the item's waveform."""
        return session.peaks(item)

    @app.post("/api/uploads")
    async def upload(request: Request, name: Annotated[str, Query(max_length=500)]) -> models.UploadOut:
        """Take a file (the request's body) as a reference; `name` tells its format."""
        from starlette.concurrency import run_in_threadpool

        received = await session.uploads.receive(name, request.stream())
        return await run_in_threadpool(session.look, received)

    @app.get("/api/uploads/{upload}/audio")
    def uploaded(upload: str) -> Response:
        """An upload's file, with Range requests."""
        path = session.uploads.get(upload).path
        return FileResponse(path, media_type=BROWSERS_PLAY.get(path.suffix, "application/octet-stream"))

    @app.get("/api/uploads/{upload}/stems/{part}")
    def stem(
        upload: str,
        part: str,
        start: Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)] = 0.0,
        end: Annotated[float | None, Query(ge=0, le=1e6, allow_inf_nan=False)] = None,
    ) -> Response:
        """A stem of an upload, or of the seconds from `start` to `end`, as WAV."""
        return Response(session.stem(session.uploads.get(upload), part, start, end), media_type="audio/wav")

    @app.post("/api/search")
    def search(asked: models.Search) -> models.Answer:
        """What sounds like an upload, an item or a text, under weights; `candidates`: that many, to order anew in the page."""
        return session.search(asked)
