"""How responses are written: JSON without a second validation, audio, and how long browsers may cache them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json
from starlette.responses import FileResponse, Response

from soundalike.web.services.media import MEDIA_TYPES

CACHEABLE = {"Cache-Control": "private, max-age=300"}
"""Headers of responses that hardly ever change; a browser may show an old one for so many seconds."""


def json_response(value: BaseModel | dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """`value` as JSON. It is not validated again: the server made it."""
    return Response(to_json(value, inf_nan_mode="null"), media_type="application/json", headers=headers)


def file_response(path: Path) -> FileResponse:
    """The file, unchanged, with Range requests."""
    return FileResponse(path, media_type=MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"))


def wav_response(data: bytes) -> Response:
    """A WAV file in memory."""
    return Response(data, media_type="audio/wav", headers=CACHEABLE)
