"""Records of answers as triplets with ballots."""

from __future__ import annotations

from dataclasses import replace

from soundalike.listening.answer_record import AnswerRecord, TrialAnswer
from soundalike.listening.answered_triplets import Repeats, answered_test
from tests.listening.made_up_design import made_up_design

DESIGN = made_up_design(8, 8, questions=("overall", "rhythm"))
FIRST, SECOND = DESIGN.triplets[:2]


def record(
    answer: TrialAnswer, triplet: str = FIRST.id, trial: str = "1", listener: str = "L01", **changes: object
) -> AnswerRecord:
    made = AnswerRecord(
        listener,
        trial,
        triplet,
        "overall",
        answer,
        False,
        False,
        None,
        1.0,
        1.0,
        1.0,
        3,
        "2026-01-01T00:00:00+00:00",
        9.0,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_answers_become_ballots_of_their_triplets() -> None:
    answered = answered_test(
        DESIGN,
        [record("A+"), record("B-", listener="L02", swapped=True), record("A-", SECOND.id, "2")],
        "overall",
    )
    assert [one.id for one in answered.designed] == [FIRST.id, SECOND.id]
    first = answered.triplets[0]
    assert (first.reference, first.a, first.b) == tuple(DESIGN.by_id[name].clip for name in (FIRST.x, FIRST.a, FIRST.b))
    assert first.tracks == tuple(DESIGN.by_id[name].item for name in (FIRST.x, FIRST.a, FIRST.b))
    assert first.kind == FIRST.kind
    assert first.counts() == (1, 0, 1, 0)
    assert [(one.listener, one.swapped, one.seconds) for one in first.ballots] == [
        ("L01", False, 9.0),
        ("L02", True, 9.0),
    ]
    assert answered.listeners == ("L01", "L02")


def test_each_question_has_its_own_answers() -> None:
    records = [record("A+"), record("B+", question="rhythm", trial="2")]
    assert answered_test(DESIGN, records, "overall").triplets[0].counts("total") == (1, 0, 0, 0)
    assert answered_test(DESIGN, records, "rhythm").triplets[0].counts("rhythm") == (0, 0, 0, 1)


def test_catch_trials_are_checks_and_no_votes() -> None:
    records = [
        record("A+", trial="1", catch=True),
        record("B-", trial="2", catch=True),
        record("cant_tell", trial="3", catch=True),
    ]
    answered = answered_test(DESIGN, records, "overall")
    assert answered.triplets == ()
    assert answered.checks == {"L01": (3, 1)}


def test_repeats_measure_reliability_and_do_not_vote() -> None:
    records = [
        record("A+", trial="1"),
        record("A-", trial="2", repeat_of="1", swapped=True),
        record("B-", SECOND.id, "3"),
        record("A-", SECOND.id, "4", repeat_of="3"),
        record("B+", trial="5", listener="L02", repeat_of="missing"),
    ]
    answered = answered_test(DESIGN, records, "overall")
    assert answered.repeats == {"L01": Repeats(2, 1, 0)}
    assert [one.counts() for one in answered.triplets] == [(1, 0, 0, 0), (0, 0, 1, 0)]


def test_who_cannot_tell_does_not_vote() -> None:
    answered = answered_test(DESIGN, [record("cant_tell"), record("A+", SECOND.id, "2")], "overall")
    assert [one.id for one in answered.designed] == [SECOND.id]
    assert answered.cant_tell == {"L01": 1}


def test_answers_about_triplets_that_the_design_lost_are_ignored() -> None:
    assert answered_test(DESIGN, [record("A+", "gone")], "overall").triplets == ()


def test_listeners_can_be_left_out() -> None:
    records = [record("A+"), record("B+", listener="L02"), record("A+", SECOND.id, "2", listener="L02", catch=True)]
    records += [record("A-", DESIGN.triplets[2].id, "3", listener="L02")]
    left = answered_test(DESIGN, records, "overall").without({"L02"})
    assert [one.counts() for one in left.triplets] == [(1, 0, 0, 0)]
    assert [one.id for one in left.designed] == [FIRST.id]
    assert left.checks == {}


def test_a_time_of_0_is_unknown() -> None:
    answered = answered_test(DESIGN, [record("A+", seconds=0.0)], "overall")
    assert answered.triplets[0].ballots[0].seconds is None
