"""An answer of a listening test: what the store returns, and what the export and the fit read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

TrialAnswer = Literal["A+", "A-", "B-", "B+", "cant_tell"]
"""A+: A is clearly closer to X; A-: rather A; `cant_tell` says nothing about either."""

TRIAL_ANSWERS: tuple[TrialAnswer, ...] = get_args(TrialAnswer)


@dataclass(frozen=True)
class AnswerRecord:
    """One listener's answer to one trial.

    listener: pseudonym; trial, triplet, question: as in the trial (`soundalike.listening.schedule.Trial`).
    answer: about A and B of the trial, not about the sides on which they were shown. swapped: whether B was shown first (left).
    catch: in a catch trial A is X itself, so an answer for A is correct. repeat_of: id of the trial that this one repeats.
    listened_x, listened_a, listened_b: seconds that each clip was heard; switches: number of changes between clips.
    answered_at: ISO 8601 in UTC; seconds: from the appearance of the trial to the answer.
    """

    listener: str
    trial: str
    triplet: str
    question: str
    answer: TrialAnswer
    swapped: bool
    catch: bool
    repeat_of: str | None
    listened_x: float
    listened_a: float
    listened_b: float
    switches: int
    answered_at: str
    seconds: float
