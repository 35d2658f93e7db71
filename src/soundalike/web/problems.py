"""Errors as problem+json (RFC 9457), in the words of the command line."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse

from soundalike.errors import AudioError, CheckpointError, InputError, LibraryError, SoundalikeError
from soundalike.web.desk import BusyError

STATUS: dict[type[SoundalikeError], int] = {
    InputError: 422,
    AudioError: 415,
    LibraryError: 409,
    CheckpointError: 503,
    BusyError: 503,
}


def problem(status: int, detail: str) -> JSONResponse:
    """A problem in one readable line."""
    values = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(values, status, media_type="application/problem+json")


def of_error(error: SoundalikeError) -> JSONResponse:
    """The problem that an error of ours is."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    return problem(status, str(error))
