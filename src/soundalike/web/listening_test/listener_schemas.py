"""What the page of a listening test sends and receives, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from soundalike.listening.answer_record import TrialAnswer
from soundalike.listening.design import Question

Side = Literal["x", "a", "b"]

Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class SectionOut(BaseModel):
    """A page's heading and its text in Markdown."""

    heading: str
    text: str


class TextsOut(BaseModel):
    """The texts of the test, from its `instructions.md`."""

    title: str
    language: str
    sections: dict[str, SectionOut]
    labels: dict[str, str]


class TrialOut(BaseModel):
    """A trial as it is shown. id: also the address of its audio, `api/trials/{id}/x` and so on; number: in its pass, from 1."""

    id: str
    question: Question
    pass_number: int
    number: int
    count: int


class PracticeOut(BaseModel):
    """A practice trial; same: the candidate that is the same recording as X."""

    id: str
    same: Literal["a", "b"]


class ProgressOut(BaseModel):
    """How far a listener is. trial: the one to answer now, None at the end; ahead: the one after it, to load its audio."""

    answered: int
    total: int
    trial: TrialOut | None
    ahead: TrialOut | None


class SessionOut(BaseModel):
    """All that the page needs to begin or to go on. headphones: correct answers and rounds of the last check, or None."""

    listener: str
    texts: TextsOut
    consented: bool
    headphones: tuple[int, int] | None
    practised: bool
    practice: list[PracticeOut]
    progress: ProgressOut


class HeadphonesIn(BaseModel):
    """The result of a headphone check; no rounds for a listener who uses loudspeakers."""

    model_config = ConfigDict(extra="forbid")

    correct: int = Field(ge=0, le=100)
    rounds: int = Field(ge=0, le=100)


class HeardIn(BaseModel):
    """Seconds that X and the candidates shown as A and B were heard."""

    model_config = ConfigDict(extra="forbid")

    x: Seconds
    a: Seconds
    b: Seconds


class AnswerIn(BaseModel):
    """An answer about the candidates as they were shown. seconds: from the appearance of the trial."""

    model_config = ConfigDict(extra="forbid")

    answer: TrialAnswer
    heard: HeardIn
    switches: int = Field(ge=0, le=1_000_000)
    seconds: Seconds


class AnswerOut(BaseModel):
    """stored: False if the trial was answered before, in which case the earlier answer stays."""

    stored: bool
    progress: ProgressOut
