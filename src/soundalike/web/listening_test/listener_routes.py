"""The routes of a listening test. Each request names its listener by the token of the personal link in `X-Listener`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import FileResponse

from soundalike.listening.answer_store import Listener
from soundalike.web.listening_test.listener_schemas import (
    AnswerIn,
    AnswerOut,
    HeadphonesIn,
    ProgressOut,
    SessionOut,
    Side,
)
from soundalike.web.listening_test.trial_sessions import TrialSessions
from soundalike.web.routers.responses import file_response

router = APIRouter(prefix="/api")

CLIP_HEADERS = {"Cache-Control": "private, max-age=3600"}
"""Clips of a test never change."""


async def _sessions_of(request: Request) -> TrialSessions:
    sessions: TrialSessions = request.app.state.sessions
    return sessions


Sessions = Annotated[TrialSessions, Depends(_sessions_of)]


def _listener_of(sessions: Sessions, x_listener: Annotated[str, Header(max_length=100)] = "") -> Listener:
    return sessions.listener(x_listener)


Who = Annotated[Listener, Depends(_listener_of)]


@router.get("/session")
def session(sessions: Sessions, listener: Who) -> SessionOut:
    """The texts of the test, and how far the listener is."""
    return sessions.session(listener)


@router.post("/session/consent", status_code=204)
def consent(sessions: Sessions, listener: Who) -> None:
    """Record that the listener has agreed to take part."""
    sessions.store.record_consent(listener.name)


@router.post("/session/headphones", status_code=204)
def headphones(sessions: Sessions, listener: Who, result: HeadphonesIn) -> None:
    """Record the result of a headphone check."""
    sessions.store.record_headphones(listener.name, result.correct, result.rounds)


@router.post("/session/practice", status_code=204)
def practice(sessions: Sessions, listener: Who) -> None:
    """Record that the listener has finished the practice trials."""
    sessions.store.record_practice(listener.name)


@router.get("/progress")
def progress(sessions: Sessions, listener: Who) -> ProgressOut:
    """How far the listener is, and the trial to answer now."""
    return sessions.progress(listener)


@router.post("/trials/{trial}/answer")
def answer(sessions: Sessions, listener: Who, trial: str, given: AnswerIn) -> AnswerOut:
    """Store an answer; when the response arrives it is on the disk. Repeating the request changes nothing."""
    return sessions.answer(listener, trial, given)


@router.get("/trials/{trial}/{side}", response_class=FileResponse)
def clip(sessions: Sessions, listener: Who, trial: str, side: Side) -> FileResponse:
    """The audio of X or of a candidate, at the loudness of the test."""
    response = file_response(sessions.clip(listener, trial, side))
    response.headers.update(CLIP_HEADERS)
    return response
