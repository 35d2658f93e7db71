"""Triplets, their votes and the rule by which they are kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundalike.errors import InputError
from soundalike.preferences.triplets import (
    Triplet,
    Votes,
    above_cut_off,
    add_votes,
    labels,
    merge_mirrored,
    vote_counts,
)

ANY = st.tuples(*[st.integers(0, 6)] * 4)


def triplet(votes: Votes, tracks: tuple[str, str, str] = ("1", "2", "3"), names: str = "XAB") -> Triplet:
    return Triplet(names[0], names[1], names[2], "mix", tracks, {"total": votes})


@pytest.mark.parametrize(
    ("tracks", "kind"),
    [
        (("1", "2", "3"), "XAB"),
        (("1", "2", "2"), "XAB"),
        (("1", "1", "2"), "XYC"),
        (("1", "2", "1"), "XYC"),
        (("1", "1", "1"), "XAB"),
    ],
)
def test_the_kind_tells_whether_one_candidate_is_of_the_references_track(
    tracks: tuple[str, str, str], kind: str
) -> None:
    assert triplet((1, 0, 0, 0), tracks).kind == kind


@pytest.mark.parametrize(
    ("votes", "share", "label"),
    [((3, 1, 1, 0), 0.8, 1), ((0, 1, 0, 4), 0.8, -1), ((1, 1, 2, 0), 0.5, 0), ((2, 0, 0, 0), 1.0, 1)],
)
def test_agreement_is_the_majoritys_share_whatever_the_strength(votes: Votes, share: float, label: int) -> None:
    assert triplet(votes).agreement() == pytest.approx(share)
    assert triplet(votes).label() == label


def test_a_perspective_that_nobody_judged_has_no_agreement() -> None:
    silent = triplet((3, 0, 0, 0))
    assert math.isnan(silent.agreement("rhythm"))
    assert silent.label("rhythm") == 0
    assert above_cut_off([silent], 0.5, "rhythm") == []


@given(ANY)
def test_turning_turns_the_answer_alone(votes: Votes) -> None:
    one = triplet(votes, ("1", "1", "2"))
    turned = one.swapped()
    assert turned.label() == -one.label()
    assert turned.kind == one.kind
    assert (turned.for_a(), turned.for_b()) == (one.for_b(), one.for_a())
    assert (turned.a, turned.b, turned.tracks) == (one.b, one.a, ("1", "2", "1"))
    assert turned.swapped() == one


def test_the_cut_off_itself_is_kept() -> None:
    at, under, tie = triplet((4, 0, 1, 0)), triplet((3, 0, 1, 0)), triplet((1, 1, 1, 1))
    assert above_cut_off([at, under, tie], 0.8) == [at]
    assert above_cut_off([at, under, tie], 0.5) == [at, under]  # a tie has no majority
    sevenths = triplet((7, 0, 3, 0))
    assert above_cut_off([sevenths], 0.7) == [sevenths]  # whatever the rounding of 7 / 10


@pytest.mark.parametrize("cut_off", [0.4, 1.1, 80.0, float("nan")])
def test_an_impossible_cut_off_is_refused(cut_off: float) -> None:
    with pytest.raises(InputError, match="cut-off"):
        above_cut_off([], cut_off)


def test_questions_asked_in_both_orders_are_one() -> None:
    first, other = triplet((3, 1, 0, 0)), triplet((0, 0, 2, 5)).swapped()
    apart = triplet((1, 0, 0, 0), names="YAB")
    back = triplet((0, 1, 2, 4), ("1", "3", "2"), names="XBA")  # B+ of the turned one speaks for A
    assert merge_mirrored([first, apart, back]) == [triplet((7, 3, 1, 0)), apart]
    assert merge_mirrored([first, apart]) == [first, apart]
    assert other.label() == 1


def test_votes_are_added_by_perspective() -> None:
    assert add_votes({"total": (1, 2, 3, 4)}, {"total": (1, 1, 1, 1), "melody": (0, 1, 0, 0)}) == {
        "total": (2, 3, 4, 5),
        "melody": (0, 1, 0, 0),
    }


def test_arrays_of_labels_and_votes() -> None:
    rows: list[Votes] = [(3, 0, 1, 0), (0, 0, 1, 0), (1, 0, 0, 1)]
    triplets = [triplet(votes) for votes in rows]
    assert labels(triplets).tolist() == [1, -1, 0]
    assert np.array_equal(vote_counts(triplets), rows)
    assert vote_counts([]).shape == (0, 4)
