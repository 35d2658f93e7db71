"""/api/items/{item}/audio, peaks, stems and /api/peaks: how items sound, and pictures of their waveforms."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import FileResponse, Response

from soundalike.web import schemas
from soundalike.web.dependencies import Server
from soundalike.web.routers.parameters import End, Ids, Part, Points, Start
from soundalike.web.routers.responses import CACHEABLE, file_response, json_response, wav_response
from soundalike.web.services.query_cache import ReferenceKey

router = APIRouter(prefix="/api")


@router.get("/items/{item:path}/audio", response_class=FileResponse)
def item_audio(server: Server, item: str) -> Response:
    """The item's file, with Range requests; formats that browsers cannot play, and tracks of a file, are sent as WAV."""
    return file_response(server.media.playable(server.library.snapshot.file_of(item)))


@router.get("/items/{item:path}/peaks")
def item_peaks(server: Server, item: str, response: Response) -> schemas.PeaksOut:
    """Many peaks of the item's waveform, for a large picture."""
    response.headers.update(CACHEABLE)
    return server.media.peaks(item)


@router.get("/items/{item:path}/waveform", response_model=schemas.OverviewOut)
def item_waveform(server: Server, item: str, points: Points = 12_000) -> Response:
    """A waveform overview of the item with many points, for a picture that can be enlarged."""
    path = server.library.snapshot.file_of(item)
    return json_response(server.media.fine_overview(path, path.name, points), CACHEABLE)


@router.get("/items/{item:path}/excerpt", response_class=Response)
def item_excerpt(server: Server, item: str, start: Start = 0.0, end: End = None) -> Response:
    """The seconds from `start` to `end` of an item, as WAV."""
    path = server.library.snapshot.file_of(item)
    return wav_response(server.media.excerpt(path, path.name, start, end))


@router.get("/items/{item:path}/onsets", response_model=schemas.OnsetsOut)
def item_onsets(server: Server, item: str, part: Part = "drums", start: Start = 0.0, end: End = None) -> Response:
    """The onsets in a part of an item, or of its seconds from `start` to `end`, in groups of similar ones."""
    region = None if start == 0 and end is None else (start, end)
    return json_response(server.searches.onsets(ReferenceKey(None, item, region, part=part)))


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
