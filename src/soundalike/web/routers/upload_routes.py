"""/api/uploads: files that are sent to be used as a reference."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.parameters import End, FileName, Start
from soundalike.web.routers.responses import file_response, wav_response

router = APIRouter(prefix="/api/uploads")


@router.post("")
async def upload(server: Server, request: Request, name: FileName) -> schemas.UploadOut:
    """Upload a file (the request's body) as a reference; the suffix of `name` states its format."""
    received = await server.uploads.receive(name, request.stream(), request.headers.get("content-length"))
    return await run_in_threadpool(server.media.describe_upload, received)


@router.get("/{upload}/audio", response_class=FileResponse)
def upload_audio(server: Server, upload: str) -> Response:
    """An upload's file, with Range requests."""
    return file_response(server.uploads.get(upload).path)


@router.get("/{upload}/stems/{part}", response_class=Response)
def upload_stem(server: Server, upload: str, part: str, start: Start = 0.0, end: End = None) -> Response:
    """A stem of an upload, or of its seconds from `start` to `end`, as WAV."""
    return wav_response(server.media.upload_stem(upload, part, start, end))
