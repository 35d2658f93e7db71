"""Extending a test by what its answers leave uncertain."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.listening.active_blocks import (
    BLOCK,
    BLOCK_CAP,
    active_progress,
    continue_active,
    extend_test,
    next_block,
)
from soundalike.listening.design import ActiveGoal, read_design
from soundalike.listening.schedule import trials
from tests.listening.made_up_design import answered, answered_again, made_up_design, written_test

GOAL = ActiveGoal("drums", "bass", 1.0)


def test_a_test_without_answers_knows_nothing_and_goes_on_at_random(tmp_path: Path) -> None:
    test = written_test(tmp_path, made_up_design(20, goal=GOAL))
    progress = active_progress(test.design, test.vectors, test.records)
    assert (progress.answers, progress.needed, progress.reached) == (0, None, False)
    assert "no answers yet" in str(progress)
    assert {one.origin for one in next_block(test.design, test.vectors, ())} == {"random"}


def test_a_block_has_chosen_and_random_triplets_that_are_new(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(20, goal=GOAL)), 1)
    block = next_block(test.design, test.vectors, test.records)
    assert [one.origin for one in block].count("random") == BLOCK * GOAL.random_share
    assert len(block) == BLOCK
    assert {one.block for one in block} == {1}
    asked = [(one.x, frozenset((one.a, one.b))) for one in (*test.design.triplets, *block)]
    assert len(set(asked)) == len(asked)
    songs = [
        song
        for one in block
        if one.origin == "active"
        for song in {test.design.by_id[name].item for name in (one.x, one.a, one.b)}
    ]
    assert max(songs.count(song) for song in songs) <= BLOCK_CAP
    assert block == next_block(test.design, test.vectors, test.records)


def test_chosen_triplets_narrow_the_interval_more_than_random_ones(tmp_path: Path) -> None:
    widths = []
    for goal in (GOAL, None):
        name = "with-goal" if goal else "without"
        test = answered(tmp_path, written_test(tmp_path, made_up_design(20, name=name, goal=goal)), 1)
        for _ in range(3):
            extend_test(test.folder, test.records)
            test = answered_again(tmp_path, name)
        design = made_up_design(20, goal=GOAL).extended(test.design.triplets[20:])
        widths.append(active_progress(design, test.vectors, test.records).width)
    assert widths[0] < 0.8 * widths[1]


def test_the_server_continues_until_the_goal_is_reached(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(20, goal=GOAL)), 1)
    longer = continue_active(test.folder, test.design, test.records)
    assert longer.blocks == 2
    assert read_design(test.folder) == longer
    assert trials(longer, 0)[: len(trials(test.design, 0))] == trials(test.design, 0)
    easy = made_up_design(20, goal=ActiveGoal("drums", "bass", 100.0))
    assert continue_active(test.folder, easy, test.records) == easy
    plain = made_up_design(20)
    assert continue_active(test.folder, plain, test.records) == plain


def test_two_listeners_who_finish_together_get_one_block(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(20, goal=GOAL)), 2)
    first = extend_test(test.folder, test.records, blocks=1)
    assert extend_test(test.folder, test.records, blocks=1) == first
    assert first.blocks == 2


def test_a_goal_about_a_part_that_is_never_heard_is_refused(tmp_path: Path) -> None:
    test = written_test(tmp_path, made_up_design(20, goal=ActiveGoal("piano")))
    with pytest.raises(InputError, match="'piano', which no excerpt"):
        active_progress(test.design, test.vectors, ())


def test_a_test_without_a_goal_has_no_progress(tmp_path: Path) -> None:
    test = written_test(tmp_path, made_up_design(20))
    with pytest.raises(InputError, match="has no goal"):
        active_progress(test.design, test.vectors, ())


def test_the_progress_says_how_many_more_answers(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(20, goal=GOAL)), 1)
    progress = active_progress(test.design, test.vectors, test.records)
    assert progress.needed is not None
    assert f"about {progress.needed.answers} more answers" in str(progress)
