"""Errors as problem+json (RFC 9457), with the messages of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse

from soundalike.errors import AudioError, CheckpointError, InputError, LibraryError, NotFoundError, SoundalikeError
from soundalike.web.services.media_workers import BusyError
from soundalike.web.services.uploads import NoSpaceError, TooLargeError

STATUS_CODES: dict[type[SoundalikeError], int] = {
    TooLargeError: 413,
    NotFoundError: 404,
    InputError: 422,
    AudioError: 415,
    LibraryError: 409,
    CheckpointError: 503,
    BusyError: 503,
    NoSpaceError: 507,
}
"""The first class that fits counts."""

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong. status: the HTTP status code; detail: one readable line."""

    type: str
    title: str
    status: int
    detail: str


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem", "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
}
"""The description of errors, the same for every route."""


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem response. detail: one readable line."""
    values = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(values, status, headers, media_type=MEDIA_TYPE)


def problem_of(error: SoundalikeError) -> JSONResponse:
    """The problem response for an error of this package."""
    status = next((code for kind, code in STATUS_CODES.items() if isinstance(error, kind)), 500)
    return problem(status, str(error))
