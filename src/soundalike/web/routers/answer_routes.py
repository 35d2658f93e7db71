"""/api/answers: listeners' answers about hits, from which weights can be fitted."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from soundalike.web import schemas
from soundalike.web.dependencies import Server

router = APIRouter(prefix="/api/answers")


@router.get("")
def answers(server: Server) -> schemas.AnswersOut:
    """The number of answers, and of triplets that they amount to."""
    return server.feedback.describe()


@router.post("", status_code=201)
def add_answer(server: Server, answer: schemas.AlikeIn | schemas.CloserIn) -> schemas.AnswerKept:
    """Store an answer: whether a hit is alike, or which of two hits is closer."""
    return server.feedback.add(answer)


@router.delete("/{answer}", status_code=204)
def withdraw_answer(server: Server, answer: str) -> None:
    """Withdraw an answer."""
    server.feedback.withdraw(answer)


@router.get("/export", response_class=FileResponse)
def export_answers(server: Server) -> Response:
    """A zip file with `answers.csv` and `clips/`, from which `soundalike fit` fits weights."""
    path = server.feedback.export(server.uploads.folder)
    return FileResponse(
        path, media_type="application/zip", filename="answers.zip", background=BackgroundTask(path.unlink, True)
    )
