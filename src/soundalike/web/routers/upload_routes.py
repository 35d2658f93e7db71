"""/api/uploads: files that are sent to be used as a reference."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.parameters import End, FileName, Part, Points, Start
from soundalike.web.routers.responses import CACHEABLE, file_response, json_response, wav_response
from soundalike.web.services.query_cache import ReferenceKey

router = APIRouter(prefix="/api/uploads")


@router.post("")
async def upload(server: Server, request: Request, name: FileName) -> schemas.UploadOut:
    """Upload a file (the request's body) as a reference; the suffix of `name` states its format."""
    received = await server.uploads.receive(name, request.stream(), request.headers.get("content-length"))
    return await run_in_threadpool(server.media.describe_upload, received)


@router.get("/{upload}")
def describe_upload(server: Server, upload: str) -> schemas.UploadOut:
    """An upload that the server still has."""
    return server.media.describe_upload(server.uploads.get(upload))


@router.get("/{upload}/audio", response_class=FileResponse)
def upload_audio(server: Server, upload: str) -> Response:
    """An upload's file, with Range requests; formats that browsers cannot play are sent as WAV."""
    return file_response(server.media.playable(server.uploads.get(upload).path))


@router.get("/{upload}/waveform", response_model=schemas.OverviewOut)
def upload_waveform(server: Server, upload: str, points: Points = 12_000) -> Response:
    """A waveform overview of an upload with many points, for a picture that can be enlarged."""
    found = server.uploads.get(upload)
    return json_response(server.media.fine_overview(found.path, found.name, points), CACHEABLE)


@router.get("/{upload}/excerpt", response_class=Response)
def upload_excerpt(server: Server, upload: str, start: Start = 0.0, end: End = None) -> Response:
    """The seconds from `start` to `end` of an upload, as WAV."""
    found = server.uploads.get(upload)
    return wav_response(server.media.excerpt(found.path, found.name, start, end))


@router.get("/{upload}/onsets", response_model=schemas.OnsetsOut)
def upload_onsets(server: Server, upload: str, part: Part = "drums", start: Start = 0.0, end: End = None) -> Response:
    """The onsets in a part of an upload, or of its seconds from `start` to `end`, in groups of similar ones."""
    region = None if start == 0 and end is None else (start, end)
    return json_response(server.searches.onsets(ReferenceKey(upload, None, region, part=part)))


@router.get("/{upload}/stems/{part}", response_class=Response)
def upload_stem(server: Server, upload: str, part: str, start: Start = 0.0, end: End = None) -> Response:
    """A stem of an upload, or of its seconds from `start` to `end`, as WAV."""
    return wav_response(server.media.upload_stem(upload, part, start, end))
