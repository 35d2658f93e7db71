"""/api/items/{item}/audio, peaks, stems and /api/peaks: how items sound, and pictures of their waveforms."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.parameters import End, Ids, Start
from soundalike.web.routers.responses import CACHEABLE, MEDIA_TYPES, file_response, json_response, wav_response

router = APIRouter(prefix="/api")


@router.get("/items/{item:path}/audio", response_class=FileResponse)
def item_audio(server: Server, item: str) -> Response:
    """The item's file, with Range requests; formats that browsers cannot play are sent as WAV."""
    path = server.library.snapshot.file_of(item)
    return file_response(path if path.suffix.lower() in MEDIA_TYPES else server.media.wav(path))


@router.get("/items/{item:path}/peaks")
def item_peaks(server: Server, item: str, response: Response) -> schemas.PeaksOut:
    """Many peaks of the item's waveform, for a large picture."""
    response.headers.update(CACHEABLE)
    return server.media.peaks(item)


@router.get("/items/{item:path}/stems/{part}", response_class=Response)
def item_stem(server: Server, item: str, part: str, start: Start = 0.0, end: End = None) -> Response:
    """A stem of an item, or of its seconds from `start` to `end`, as WAV."""
    path = server.library.snapshot.file_of(item)
    return wav_response(server.media.stem(path, path.name, part, start, end))


@router.get("/peaks", response_model=schemas.PeaksOfItems)
def peaks(server: Server, item: Ids) -> Response:
    """Waveform overviews of items, for small pictures; null where there is none yet: ask again in a moment."""
    found = server.media.overviews(item)
    return json_response(found, CACHEABLE if None not in found.peaks.values() else {})
