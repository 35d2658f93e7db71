"""Which response an exception becomes: always problem+json with one readable line."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from soundalike.errors import SoundalikeError
from soundalike.web.problems import problem, problem_of
from soundalike.web.security.guard import SECURITY_HEADERS


def soundalike_error(_: Request, error: SoundalikeError) -> JSONResponse:
    """An error of this package, with its own message."""
    return problem_of(error)


def invalid_request(_: Request, error: RequestValidationError) -> JSONResponse:
    """The first value that does not fit the API's schema."""
    first = error.errors()[0]
    where = ".".join(str(place) for place in first["loc"] if place != "body")
    return problem(422, f"{where or 'the request'}: {first['msg']}")


def client_gone(_: Request, error: ClientDisconnect) -> JSONResponse:
    """A client that left before its request was complete: nobody reads the response, and nothing is logged."""
    return problem(400, "the request is incomplete: its connection was closed")


def http_error(_: Request, error: HTTPException) -> JSONResponse:
    """An HTTP error, such as an address that does not exist."""
    return problem(error.status_code, str(error.detail), error.headers)


def server_fault(_: Request, error: Exception) -> JSONResponse:
    """An unexpected exception: its type alone, since its message may contain paths; the log has the traceback."""
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    # This handler runs outside the guard, so it adds the guard's headers itself.
    message = f"the server failed ({type(error).__name__}); see its log for details"
    return problem(507 if full else 500, message, SECURITY_HEADERS)


EXCEPTION_HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Any]] = {
    SoundalikeError: soundalike_error,
    RequestValidationError: invalid_request,
    HTTPException: http_error,
    ClientDisconnect: client_gone,
    Exception: server_fault,
}
