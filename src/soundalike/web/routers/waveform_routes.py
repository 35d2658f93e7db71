"""/api/items/{item}/audio, peaks, stems and /api/peaks: how items sound, and pictures of their waveforms."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from soundalike.web import schemas
from soundalike.web.dependencies import Services
from soundalike.web.routers.parameters import End, Ids, Start
from soundalike.web.routers.responses import CACHEABLE, MEDIA_TYPES, file_response, json_response, wav_response

router = APIRouter(prefix="/api")


@router.get("/items/{item:path}/audio", response_class=FileResponse)
def item_audio(services: Services, item: str) -> Response:
    """The item's file, with Range requests; formats that browsers cannot play are sent as WAV."""
    path = services.session.shelf.file_of(item)
    return file_response(path if path.suffix.lower() in MEDIA_TYPES else services.session.wav(item))


@router.get("/items/{item:path}/peaks")
def item_peaks(services: Services, item: str, response: Response) -> schemas.PeaksOut:
    """Many peaks of the item's waveform, for a large picture."""
    response.headers.update(CACHEABLE)
    return services.session.peaks(item)


@router.get("/items/{item:path}/stems/{part}", response_class=Response)
def item_stem(services: Services, item: str, part: str, start: Start = 0.0, end: End = None) -> Response:
    """A stem of an item, or of its seconds from `start` to `end`, as WAV."""
    path = services.session.shelf.file_of(item)
    return wav_response(services.session.stem(path, path.name, part, start, end))


@router.get("/peaks", response_model=schemas.PeaksOfItems)
def peaks(services: Services, item: Ids) -> Response:
    """Waveform overviews of items, for small pictures; null where there is none yet: ask again in a moment."""
    found = services.session.outlines(item)
    return json_response(found, CACHEABLE if None not in found.peaks.values() else {})
