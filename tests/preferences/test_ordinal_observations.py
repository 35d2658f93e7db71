"""Single answers as rows of an ordinal model."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.preferences.ordinal_observations import observations_of
from soundalike.preferences.triplets import Ballot, Triplet

TRIPLETS = (
    Triplet("x", "a", "b", "mix", ("1", "2", "3"), {}).with_ballots(
        [
            Ballot({"total": "A+"}, False, "ann"),
            Ballot({"total": "B-"}, True, "bob"),
            Ballot({"rhythm": "A-"}, False, "ann"),
        ]
    ),
    Triplet("x", "a", "c", "mix", ("1", "2", "4"), {}).with_ballots([Ballot({"total": "B+"}, True, "ann")]),
)
FEATURES = np.array([[0.3, 0.0], [-0.4, 0.0]])


def test_each_ballot_of_the_perspective_is_a_row() -> None:
    rows = observations_of(FEATURES, TRIPLETS, "total", ("ann", "bob"))
    assert rows.triplet.tolist() == [0, 0, 1]
    assert rows.listener.tolist() == [0, 1, 0]
    assert rows.grade.tolist() == [0, 2, 3]
    assert rows.side.tolist() == [1, -1, -1]
    assert rows.for_a.tolist() == [True, False, False]
    assert rows.votes.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_listeners_who_are_not_named_are_left_out() -> None:
    assert observations_of(FEATURES, TRIPLETS, "total", ("bob",)).grade.tolist() == [2]
    with pytest.raises(InputError, match="no answer"):
        observations_of(FEATURES, TRIPLETS, "melody", ("ann", "bob"))


def test_the_scale_is_the_root_mean_square_over_answers_and_0_for_absent_parts() -> None:
    rows = observations_of(FEATURES, TRIPLETS, "total", ("ann", "bob"))
    assert rows.scale == pytest.approx([np.sqrt((0.09 + 0.09 + 0.16) / 3), 0])


def test_a_selection_keeps_the_numbers_of_triplets_and_listeners() -> None:
    rows = observations_of(FEATURES, TRIPLETS, "total", ("ann", "bob")).take(np.array([False, True, True]))
    assert (len(rows), rows.triplet.tolist(), rows.listener.tolist(), rows.listeners) == (2, [0, 1], [1, 0], 2)
