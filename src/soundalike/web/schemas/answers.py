"""The listener's answers about hits."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, Field, StrictBool, model_validator

from soundalike.web.schemas.fields import Id, Seconds, ShortText, Strict, Weight


class ReferenceIn(Strict):
    """What hits were compared with: an upload or an item, complete or a region of it (s)."""

    upload: Id | None = None
    item: Id | None = None
    region: tuple[Seconds, Seconds | None] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.upload is None) == (self.item is None):
            raise ValueError("give one of upload and item")
        if self.region is not None and self.region[1] is not None and self.region[1] <= self.region[0]:
            raise ValueError("the region ends before it begins")
        return self


class HitIn(Strict):
    """An item, and the seconds of it that the listener heard."""

    item: Id
    start: Seconds
    end: Seconds


class AlikeIn(Strict):
    """The answer whether a hit is alike."""

    reference: ReferenceIn
    weights: dict[ShortText, Weight] | None = Field(default=None, max_length=20)
    hit: HitIn
    alike: StrictBool


class CloserIn(Strict):
    """The answer which of two hits is closer. sure: whether the listener was sure."""

    reference: ReferenceIn
    weights: dict[ShortText, Weight] | None = Field(default=None, max_length=20)
    a: HitIn
    b: HitIn
    closer: Literal["a", "b"]
    sure: StrictBool


class AnswerKept(BaseModel):
    """id: used to withdraw the answer; count: the number of answers now."""

    id: str
    count: int


class AnswersOut(BaseModel):
    """count: answers that were not withdrawn; alike: those about a single hit; triplets: what they amount to for fitting."""

    count: int
    triplets: int
    alike: int
