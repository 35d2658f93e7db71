"""Listeners: agreement with each other, side bias, repeated answers and screening."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.parts import MIX
from soundalike.preferences.listeners import (
    count_repeated,
    drop_repeated,
    human_agreement,
    parse_rule,
    same_track_chosen,
    screened_out,
    side_bias,
    summarise_listeners,
    without_listeners,
)
from soundalike.preferences.triplets import Ballot, Grade, Triplet, merge_mirrored
from soundalike.research.datasets.inst_sim_abx import read_answers


def asked(number: int, answers: Sequence[tuple[str, Grade]], tracks: tuple[str, str, str] | None = None) -> Triplet:
    own = tracks or (f"{number}x", f"{number}a", f"{number}b")
    triplet = Triplet(f"x{number}", f"a{number}", f"b{number}", MIX, own, {})
    return triplet.with_ballots(Ballot({"total": grade}, listener=name, seconds=2.0) for name, grade in answers)


def test_a_single_listener_is_compared_with_the_majority_of_the_others() -> None:
    """Four of five for A: each of the four has 3 of 4 with them (.75), the fifth has 4 of 4 against."""
    triplet = asked(0, [("1", "A+"), ("2", "A-"), ("3", "A+"), ("4", "A-"), ("5", "B-")])
    assert (human_agreement([triplet], 0.8).count, human_agreement([triplet], 0.8).total) == (0, 1)
    assert (human_agreement([triplet], 0.75).count, human_agreement([triplet], 0.75).total) == (4, 5)


def test_a_single_answer_has_nobody_to_agree_with() -> None:
    share = human_agreement([asked(0, [("1", "A+")])], 0.8)
    assert share.total == 0
    assert math.isnan(share.value)


@pytest.mark.long
@pytest.mark.parametrize(("kind", "count", "total"), [("XAB", 543, 680), ("XYC", 1086, 1145)])
def test_single_listeners_of_the_released_mixes(test_data: Path, kind: str, count: int, total: int) -> None:
    """79.9 and 94.8 %."""
    folder = test_data / "inst_sim_abx"
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}")
    triplets = [t for t in read_answers(folder).triplets if t.part == MIX and t.kind == kind]
    share = human_agreement(triplets, 0.8)
    assert (share.count, share.total) == (count, total)
    assert share.interval.low < share.value < share.interval.high


@pytest.mark.long
def test_the_released_answers_prefer_the_side_shown_first(test_data: Path) -> None:
    folder = test_data / "inst_sim_abx"
    if not folder.is_dir():
        pytest.skip(f"there is no folder {folder}")
    triplets = read_answers(folder).triplets
    bias = side_bias(triplets)
    assert bias.first.value == pytest.approx(0.534, abs=0.0005)
    assert bias.z > 5
    shown_first, shown_second = (same_track_chosen(triplets, shown_first=first) for first in (True, False))
    assert shown_first.value == pytest.approx(0.916, abs=0.0005)
    assert shown_second.value == pytest.approx(0.869, abs=0.0005)


def test_the_side_is_that_shown_whatever_is_called_a() -> None:
    """Everybody chooses the first; half of the answers come from the mirrored triplet."""
    straight = asked(0, [("1", "A+"), ("2", "A+")], ("t", "t", "u"))
    mirrored = Triplet("x0", "b0", "a0", MIX, ("t", "u", "t"), {})
    mirrored = mirrored.with_ballots([Ballot({"total": "A+"}, listener="3"), Ballot({"total": "A+"}, listener="4")])
    (merged,) = merge_mirrored([straight, mirrored])
    assert merged.counts() == (2, 0, 0, 2)
    assert side_bias([merged]).first.value == 1
    assert same_track_chosen([merged], shown_first=True).value == 1
    assert same_track_chosen([merged], shown_first=False).value == 0


def test_repeated_answers_of_one_listener_count_once() -> None:
    triplet = asked(0, [("1", "A+"), ("1", "B+"), ("2", "A-"), ("", "B-"), ("", "B-")])
    assert count_repeated([triplet]) == 1
    (once,) = drop_repeated([triplet])
    assert once.counts() == (1, 1, 2, 0)
    assert count_repeated([once]) == 0


def test_summaries_by_hand() -> None:
    triplets = [
        asked(0, [("ann", "A+"), ("bob", "A-"), ("cat", "B-")]),
        asked(1, [("ann", "B+"), ("bob", "A-"), ("cat", "B-")]),
    ]
    ann, bob, cat = summarise_listeners(triplets, {"ann": (4, 3)})
    assert (ann.listener, ann.answers, ann.checks, ann.checks_right) == ("ann", 2, 4, 3)
    assert math.isnan(ann.agreement)  # the two others never agree with each other
    assert bob.agreement == 0.0  # in the first triplet the others tie
    assert cat.agreement == 0.0
    assert (ann.first, bob.first, cat.first) == (0.5, 1.0, 0.0)
    assert ann.seconds == 2.0


def test_screening_by_rules() -> None:
    triplets = [asked(0, [("ann", "A+"), ("bob", "A-")]), asked(1, [("ann", "A+")])]
    summaries = summarise_listeners(triplets, {"ann": (10, 8), "bob": (10, 10)})
    excluded = screened_out(summaries, [parse_rule("checks >= 0.9"), parse_rule("answers>=2")])
    assert excluded == {"ann": "checks >= 0.9", "bob": "answers >= 2"}
    assert screened_out(summaries, [parse_rule("seconds<=1")]) == {"ann": "seconds <= 1", "bob": "seconds <= 1"}
    (left,) = without_listeners(triplets, ["ann"])
    assert left.counts() == (0, 1, 0, 0)


@pytest.mark.parametrize("text", ["checks", "checks>0.9", "mood>=1", "checks>=1.2.3", "checks>="])
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a screening rule; write a measure \(answers, agreement, checks"):
        parse_rule(text)
