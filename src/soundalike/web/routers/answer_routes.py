"""/api/answers: listeners' answers about hits, from which weights can be fitted."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from soundalike.web import schemas
from soundalike.web.dependencies import Services

router = APIRouter(prefix="/api/answers")


@router.get("")
def answers(services: Services) -> schemas.AnswersOut:
    """The number of answers, and of triplets that they amount to."""
    return services.feedback.describe()


@router.post("", status_code=201)
def add_answer(services: Services, answer: schemas.AlikeIn | schemas.CloserIn) -> schemas.AnswerKept:
    """Store an answer: whether a hit is alike, or which of two hits is closer."""
    return services.feedback.add(answer)


@router.delete("/{answer}", status_code=204)
def withdraw_answer(services: Services, answer: str) -> None:
    """Withdraw an answer."""
    services.feedback.withdraw(answer)


@router.get("/export", response_class=FileResponse)
def export_answers(services: Services) -> Response:
    """A zip file with `answers.csv` and `clips/`, from which `soundalike fit` fits weights."""
    path = services.feedback.export(services.session.uploads.folder)
    return FileResponse(
        path, media_type="application/zip", filename="answers.zip", background=BackgroundTask(path.unlink, True)
    )
