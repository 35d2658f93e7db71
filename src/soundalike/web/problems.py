"""Errors as problem+json (RFC 9457), in the words of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse

from soundalike.errors import AudioError, CheckpointError, InputError, LibraryError, SoundalikeError
from soundalike.web.services.media_workers import BusyError
from soundalike.web.services.uploads import NoSpaceError, TooLargeError

STATUS: dict[type[SoundalikeError], int] = {
    TooLargeError: 413,
    InputError: 422,
    AudioError: 415,
    LibraryError: 409,
    CheckpointError: 503,
    BusyError: 503,
    NoSpaceError: 507,
}


KIND = "application/problem+json"


class Problem(BaseModel):
    """What went wrong: status as of HTTP, detail in one readable line."""

    type: str
    title: str
    status: int
    detail: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem", "content": {KIND: {"schema": Problem.model_json_schema()}}}
}
"""How every route describes its errors."""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem in one readable line."""
    values = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(values, status, headers, media_type=KIND)


def of_error(error: SoundalikeError) -> JSONResponse:
    """The problem that an error of ours is."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    return problem(status, str(error))
