"""The answers of a test as triplets with ballots, for the statistics in `soundalike.preferences`.

Catch trials become attention checks; repeats measure how reliable answers are and count nowhere else; `cant_tell` counts as no
answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from soundalike.listening.answer_record import AnswerRecord, TrialAnswer
from soundalike.listening.design import Design, DesignTriplet, Question
from soundalike.preferences.triplets import Ballot, Grade, Perspective, Triplet

PERSPECTIVE_OF: Mapping[Question, Perspective] = {
    "overall": "total",
    "timbre": "timbre",
    "rhythm": "rhythm",
    "melody": "melody",
}

CANT_TELL: TrialAnswer = "cant_tell"


@dataclass(frozen=True)
class Repeats:
    """Trials that were answered twice, sides exchanged. same: with the same preference; exactly: with the same grade too."""

    pairs: int
    same: int
    exactly: int


@dataclass(frozen=True)
class AnsweredTest:
    """The answers to one question.

    designed, triplets: the triplets with an answer, as designed and with their ballots, in the same order. checks: by listener,
    catch trials answered and answered correctly. cant_tell: by listener, trials without a preference. repeats: by listener.
    """

    question: Question
    designed: tuple[DesignTriplet, ...]
    triplets: tuple[Triplet, ...]
    checks: Mapping[str, tuple[int, int]]
    cant_tell: Mapping[str, int]
    repeats: Mapping[str, Repeats]

    @property
    def perspective(self) -> Perspective:
        """The perspective of the ballots."""
        return PERSPECTIVE_OF[self.question]

    @property
    def listeners(self) -> tuple[str, ...]:
        """Who has answered, by name."""
        return tuple(sorted({ballot.listener for triplet in self.triplets for ballot in triplet.ballots}))

    def without(self, listeners: Collection[str]) -> AnsweredTest:
        """The answers of all other listeners."""
        kept = {
            designed.id: triplet.with_ballots(ballots)
            for designed, triplet in zip(self.designed, self.triplets, strict=True)
            if (ballots := [ballot for ballot in triplet.ballots if ballot.listener not in listeners])
        }
        return replace(
            self,
            designed=tuple(one for one in self.designed if one.id in kept),
            triplets=tuple(kept.values()),
            checks={name: checks for name, checks in self.checks.items() if name not in listeners},
            cant_tell={name: count for name, count in self.cant_tell.items() if name not in listeners},
            repeats={name: repeats for name, repeats in self.repeats.items() if name not in listeners},
        )


def answered_test(design: Design, records: Sequence[AnswerRecord], question: Question) -> AnsweredTest:
    """The answers to `question`. Records of triplets that the design does not have are ignored."""
    known = design.triplet_by_id
    mine = [record for record in records if record.question == question and record.triplet in known]
    ballots: dict[str, list[Ballot]] = {}
    for record in mine:
        grade = grade_of(record)
        if grade is None or record.catch or record.repeat_of is not None:
            continue
        seconds = record.seconds or None  # 0: imported without a time
        ballot = Ballot({PERSPECTIVE_OF[question]: grade}, record.swapped, record.listener, design.name, seconds)
        ballots.setdefault(record.triplet, []).append(ballot)
    designed = tuple(triplet for triplet in design.triplets if triplet.id in ballots)
    return AnsweredTest(
        question,
        designed,
        tuple(judged_triplet(design, triplet).with_ballots(ballots[triplet.id]) for triplet in designed),
        _checks(mine),
        Counter(record.listener for record in mine if record.answer == CANT_TELL),
        _repeats(mine),
    )


def grade_of(record: AnswerRecord) -> Grade | None:
    """The grade of an answer; None for `cant_tell`."""
    answer = record.answer
    return None if answer == "cant_tell" else answer


def judged_triplet(design: Design, triplet: DesignTriplet) -> Triplet:
    """A triplet of the design as the statistics know it, without votes; clips are named by their files."""
    x, a, b = (design.by_id[name] for name in (triplet.x, triplet.a, triplet.b))
    return Triplet(x.clip, a.clip, b.clip, triplet.part, (x.item, a.item, b.item), {})


def _checks(records: Iterable[AnswerRecord]) -> dict[str, tuple[int, int]]:
    """In a catch trial A is the reference itself; who cannot tell there has not passed."""
    checks: dict[str, tuple[int, int]] = {}
    for record in records:
        if record.catch and record.repeat_of is None:
            asked, right = checks.get(record.listener, (0, 0))
            checks[record.listener] = asked + 1, right + record.answer.startswith("A")
    return checks


def _repeats(records: Sequence[AnswerRecord]) -> dict[str, Repeats]:
    first = {(record.listener, record.trial): record for record in records}
    repeats: dict[str, Repeats] = {}
    for record in records:
        before = None if record.repeat_of is None else first.get((record.listener, record.repeat_of))
        if before is None:
            continue
        known = repeats.get(record.listener, Repeats(0, 0, 0))
        repeats[record.listener] = Repeats(
            known.pairs + 1,
            known.same + (before.answer[0] == record.answer[0]),
            known.exactly + (before.answer == record.answer),
        )
    return repeats
