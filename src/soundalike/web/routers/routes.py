"""What can be asked of the server: addresses, and what each takes and gives."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse

from soundalike.parts import MIX
from soundalike.web import schemas
from soundalike.web.api_description import page
from soundalike.web.services.feedback import Judging
from soundalike.web.services.file_manager import can_reveal, reveal
from soundalike.web.services.server_state import Session

BROWSERS_PLAY = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
}
"""Suffixes of files that are sent as they are; others are sent as WAV."""

A_WHILE = {"Cache-Control": "private, max-age=300"}
"""What hardly changes, and may be shown for so many seconds after it has."""

Second = Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False)]
Bound = Annotated[float | None, Query(ge=0, le=1e6, allow_inf_nan=False)]
LastSecond = Annotated[float | None, Query(ge=0, le=1e6, allow_inf_nan=False)]
Offset = Annotated[int, Query(ge=0, le=10**9)]
Limit = Annotated[int, Query(ge=1, le=500)]
Name = Annotated[str, Query(max_length=500)]
Kinds = Annotated[list[schemas.Kind], Query(max_length=3)]
Ids = Annotated[list[schemas.Id], Query(min_length=1, max_length=100)]


def add_routes(app: FastAPI, session: Session, judging: Judging, *, alone: bool) -> None:
    """All of them. alone: whether nobody but this machine can ask."""
    _library(app, session, judging, alone)
    _items(app, session, alone)
    _uploads(app, session)
    _favourites(app, session)
    _answers(app, session, judging)
    _search(app, session)


def _library(app: FastAPI, session: Session, judging: Judging, alone: bool) -> None:
    @app.get("/api/library")
    def library() -> schemas.LibraryOut:
        """What the library holds and was made with."""
        return session.describe(answers=judging.count(), reveal=alone and can_reveal())

    @app.get("/api/docs", response_class=HTMLResponse)
    def docs() -> Response:
        """This description, for people."""
        return HTMLResponse(page(app.openapi()))

    @app.get("/api/profiles")
    def profiles() -> schemas.ProfilesOut:
        """Weights learnt from listeners that fit this library's models: those shipped, and those in its own folder
        `listening/profiles`."""
        return session.profiles()

    @app.get("/api/library/state")
    def state() -> schemas.StateOut:
        """Whether the library has changed: another state than before."""
        return session.state()


def _items(app: FastAPI, session: Session, alone: bool) -> None:
    @app.get("/api/items", response_model=schemas.Items)
    def items(
        text: Annotated[str, Query(max_length=200)] = "",
        kind: Kinds = [],  # noqa: B006 - FastAPI copies it
        tempo_from: Bound = None,
        tempo_to: Bound = None,
        key: Annotated[str | None, Query(max_length=200)] = None,
        seconds_from: Bound = None,
        seconds_to: Bound = None,
        favourite: bool = False,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> Response:
        """A page of items, in the order of their paths; text: in path, title or artist; the others as the filters of a search."""
        filters = schemas.FilterFields(
            kinds=kind,
            tempo=None if tempo_from is tempo_to is None else (tempo_from, tempo_to),
            key=key,
            duration=(seconds_from, seconds_to),
            favourite=favourite,
        )
        return _json(session.items(text, filters, offset, limit))

    @app.get("/api/items/{item:path}/audio", response_class=FileResponse)
    def audio(item: str) -> Response:
        """The item's file, with Range requests; formats that browsers do not play come as WAV."""
        path = session.shelf.file_of(item)
        kind = BROWSERS_PLAY.get(path.suffix.lower())
        return FileResponse(path, media_type=kind) if kind else FileResponse(session.wav(item), media_type="audio/wav")

    @app.get("/api/items/{item:path}/peaks")
    def fine_peaks(item: str, response: Response) -> schemas.PeaksOut:
        """Fine peaks of the item's waveform, for a large picture."""
        response.headers.update(A_WHILE)
        return session.peaks(item)

    @app.get("/api/items/{item:path}/stems/{part}", response_class=Response)
    def item_stem(item: str, part: str, start: Second = 0.0, end: LastSecond = None) -> Response:
        """A stem of an item, or of its seconds from `start` to `end`, as WAV."""
        path = session.shelf.file_of(item)
        return _wav(session.stem(path, path.name, part, start, end))

    @app.post("/api/items/{item:path}/reveal", status_code=204)
    def show(item: str) -> None:
        """Show the item's file in this machine's file manager."""
        path = session.shelf.file_of(item)
        if not alone:
            raise HTTPException(403, "a file can be shown only on the machine that serves it, when nobody else can ask")
        reveal(path)

    # After the longer addresses: an id may hold slashes, and this one would take them all.
    @app.get("/api/items/{item:path}", response_model=schemas.ItemOut)
    def item_(item: str) -> Response:
        """One item."""
        return _json(session.item(item))

    @app.get("/api/peaks", response_model=schemas.PeaksOfItems)
    def peaks(item: Ids) -> Response:
        """The outlines of items' waveforms, for small pictures; null where there is none yet: ask again in a moment."""
        found = session.outlines(item)
        return _json(found, A_WHILE if None not in found.peaks.values() else {})


def _uploads(app: FastAPI, session: Session) -> None:
    @app.post("/api/uploads")
    async def upload(request: Request, name: Name) -> schemas.UploadOut:
        """Take a file (the request's body) as a reference; `name` tells its format."""
        received = await session.uploads.receive(name, request.stream(), request.headers.get("content-length"))
        return await run_in_threadpool(session.look, received)

    @app.get("/api/uploads/{upload}/audio", response_class=FileResponse)
    def uploaded(upload: str) -> Response:
        """An upload's file, with Range requests."""
        path = session.uploads.get(upload).path
        return FileResponse(path, media_type=BROWSERS_PLAY.get(path.suffix, "application/octet-stream"))

    @app.get("/api/uploads/{upload}/stems/{part}", response_class=Response)
    def stem(upload: str, part: str, start: Second = 0.0, end: LastSecond = None) -> Response:
        """A stem of an upload, or of its seconds from `start` to `end`, as WAV."""
        found = session.uploads.get(upload)
        return _wav(session.stem(found.path, found.name, part, start, end))


def _favourites(app: FastAPI, session: Session) -> None:
    @app.get("/api/favourites", response_model=schemas.ItemsOut)
    def favourites() -> Response:
        """Favourites, in the order in which they were marked."""
        return _json(session.favourite_items())

    @app.put("/api/favourites/{item:path}", status_code=204)
    def mark(item: str) -> None:
        """Make an item a favourite."""
        session.favourites.mark(session.shelf.item(item))

    @app.delete("/api/favourites/{item:path}", status_code=204)
    def unmark(item: str) -> None:
        """Make an item a favourite no longer."""
        session.favourites.unmark(item)


def _answers(app: FastAPI, session: Session, judging: Judging) -> None:
    @app.get("/api/answers")
    def answers() -> schemas.AnswersOut:
        """How many answers there are, and what they make for fitting."""
        return judging.describe()

    @app.post("/api/answers", status_code=201)
    def answer(asked: schemas.AlikeIn | schemas.CloserIn) -> schemas.AnswerKept:
        """Keep an answer: whether a hit is alike, or which of two is closer."""
        return judging.add(asked)

    @app.delete("/api/answers/{answer}", status_code=204)
    def withdraw(answer: str) -> None:
        """Take an answer back."""
        judging.withdraw(answer)

    @app.get("/api/answers/export", response_class=FileResponse)
    def export() -> Response:
        """A zip file with `answers.csv` and `clips/`, to which `soundalike fit` fits weights."""
        place = judging.export(session.uploads.folder)
        return FileResponse(
            place, media_type="application/zip", filename="answers.zip", background=BackgroundTask(place.unlink, True)
        )


def _search(app: FastAPI, session: Session) -> None:
    @app.post("/api/search", response_model=schemas.Answer)
    def search(asked: schemas.Search) -> Response:
        """What sounds like an upload, an item or a text, under weights; `search.candidates`: that many, to
        order anew in the page."""
        return _json(session.search(asked))

    @app.get("/api/map", response_model=schemas.MapOut)
    def map_(part: schemas.PartName = MIX, kind: schemas.MapKind | None = None) -> Response:
        """A picture of the items of one kind or, by their mix, of all, those alike near each other; while it is being made: ask
        again. kind: all for the mix, else songs, unless it is given."""
        return _json(session.maps.get(session.shelf, part, kind or ("all" if part == MIX else "song")))


def _json(value: BaseModel | dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Values of ours as they are: what was made here need not be checked again."""
    return Response(to_json(value, inf_nan_mode="null"), media_type="application/json", headers=headers)


def _wav(data: bytes) -> Response:
    return Response(data, media_type="audio/wav", headers=A_WHILE)
