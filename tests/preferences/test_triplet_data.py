"""TripletData triplets: what is kept, taken and linked."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.preferences.triplet_data import TripletData
from soundalike.preferences.triplets import Triplet, Votes


def question(name: str, votes: Votes, *tracks: str) -> Triplet:
    return Triplet(name, name + "a", name + "b", "mix", (tracks[0], tracks[1], tracks[2]), {"total": votes})


TRIPLETS = [
    question("p", (4, 1, 0, 0), "1", "2", "3"),
    question("q", (1, 1, 2, 0), "3", "4", "5"),  # a tie
    question("r", (0, 0, 0, 0), "1", "1", "2"),  # nobody answered
    question("s", (0, 1, 1, 1), "6", "6", "7"),
]
FEATURES = np.arange(8.0).reshape(4, 2)


def test_ties_stay_for_the_votes_and_unanswered_ones_go() -> None:
    found = TripletData.from_triplets(FEATURES, TRIPLETS, 0.8)
    assert len(found) == 3
    assert found.parts == 2
    assert found.features.tolist() == [[0, 1], [2, 3], [6, 7]]
    assert found.kept.tolist() == [True, False, False]
    assert found.labels.tolist() == [1, 0, -1]
    assert found.for_a.tolist() == [5, 2, 1]
    assert found.total.tolist() == [5, 4, 3]
    assert found.tracks[2] == {"6", "7"}
    assert TripletData.from_triplets(FEATURES, TRIPLETS, 0.6).kept.tolist() == [True, False, True]


def test_a_perspective_without_answers_is_empty() -> None:
    assert len(TripletData.from_triplets(FEATURES, TRIPLETS, 0.8, "melody")) == 0


def test_taking_by_mask_by_index_and_nothing() -> None:
    found = TripletData.from_triplets(FEATURES, TRIPLETS, 0.8)
    by_mask, by_index = found.take([True, False, True]), found.take([0, 2])
    for one in (by_mask, by_index):
        assert one.features.tolist() == [[0, 1], [6, 7]]
        assert one.votes.tolist() == [[4, 1, 0, 0], [0, 1, 1, 1]]
        assert one.tracks == (found.tracks[0], found.tracks[2])
        assert one.kept.tolist() == [True, False]
    assert len(found.take([])) == 0


def test_those_that_share_a_track() -> None:
    found = TripletData.from_triplets(FEATURES, TRIPLETS, 0.8)
    assert found.shares_track([0]).tolist() == [True, True, False]
    assert found.shares_track([2]).tolist() == [False, False, True]
    assert found.shares_track([1, 2]).tolist() == [True, True, True]
    assert found.shares_track([]).tolist() == [False, False, False]


@pytest.mark.parametrize(
    ("features", "votes", "kept", "word"),
    [
        (np.zeros((3, 2)), np.zeros((2, 4)), [True, True], "features"),
        (np.zeros(2), np.zeros((2, 4)), [True, True], "features"),
        (np.zeros((2, 2)), np.zeros((2, 3)), [True, True], "votes"),
        (np.full((2, 2), np.nan), np.zeros((2, 4)), [True, True], "NaN"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    features: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    votes: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    kept: list[bool],
    word: str,
) -> None:
    with pytest.raises(InputError, match=word):
        TripletData(features, votes.astype(np.int64), (frozenset("1"), frozenset("2")), np.array(kept))
