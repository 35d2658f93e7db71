"""The trials of a listener: passes, sides, catch trials and repeats."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from soundalike.errors import InputError
from soundalike.listening.design import Design, DesignTriplet, Excerpt
from soundalike.listening.schedule import MIN_DISTANCE, practice_trials, trials


def design(count: int = 40, **changes: object) -> Design:
    excerpts = tuple(
        Excerpt(f"e{n}", f"song{n}", f"song{n}.wav", "mix", 0.0, 10.0, f"mix/e{n}.flac") for n in range(count + 2)
    )
    triplets = tuple(DesignTriplet(f"t{n}", "XAB", "mix", f"e{n}", f"e{n + 1}", f"e{n + 2}") for n in range(count))
    fields: dict[str, object] = {
        "name": "test",
        "seed": 7,
        "questions": ("overall",),
        "presentation": "mix",
        "encoder": "builtin",
        "separator": "builtin",
        "weighted_parts": ("bass", "drums", "mix"),
        "loudness": -23.0,
        "excerpts": excerpts,
        "triplets": triplets,
    }
    return Design(**{**fields, **changes})  # type: ignore[arg-type]


def test_every_triplet_is_asked_once_a_pass_beside_catch_trials_and_repeats() -> None:
    asked = trials(design(), 0)
    plain = [trial for trial in asked if not trial.catch and trial.repeat_of is None]
    assert Counter(trial.triplet for trial in plain) == Counter(f"t{n}" for n in range(40))
    assert sum(trial.catch for trial in asked) == 4
    assert sum(trial.repeat_of is not None for trial in asked) == 4
    assert len(asked) == 48
    assert len({trial.id for trial in asked}) == 48


def test_the_schedule_is_a_function_of_seed_and_listener() -> None:
    assert trials(design(), 3) == trials(design(), 3)
    assert trials(design(), 3) != trials(design(), 5)
    assert trials(design(), 3) != trials(design(seed=8), 3)


@pytest.mark.parametrize("listener", range(6))
def test_sides_are_balanced_for_each_listener(listener: int) -> None:
    asked = [trial for trial in trials(design(), listener) if trial.repeat_of is None]
    for catch in (False, True):
        swapped = [trial.swapped for trial in asked if trial.catch == catch]
        assert abs(2 * sum(swapped) - len(swapped)) <= 1


def test_two_listeners_in_a_row_get_opposite_sides_in_the_same_order() -> None:
    first, second = trials(design(), 4), trials(design(), 5)
    assert [trial.triplet for trial in first] == [trial.triplet for trial in second]
    assert all(one.swapped != other.swapped for one, other in zip(first, second, strict=True))


def test_left_and_right_are_the_clips_of_a_and_b() -> None:
    one_design = design()
    for trial in trials(one_design, 1):
        clips = {name: one_design.by_id[getattr(trial, name)].clip for name in "xab"}
        assert trial.x_clip == clips["x"]
        assert (trial.left_clip, trial.right_clip)[:: -1 if trial.swapped else 1] == (clips["a"], clips["b"])


def test_the_candidate_a_of_a_catch_trial_is_the_reference() -> None:
    caught = [trial for trial in trials(design(), 0) if trial.catch]
    assert caught
    assert all(trial.a == trial.x != trial.b for trial in caught)


@pytest.mark.parametrize("listener", range(20))
def test_a_repeat_follows_its_trial_with_exchanged_sides(listener: int) -> None:
    asked = trials(design(), listener)
    places = {trial.id: n for n, trial in enumerate(asked)}
    repeats = [trial for trial in asked if trial.repeat_of is not None]
    assert repeats
    for trial in repeats:
        first = asked[places[trial.repeat_of or ""]]
        assert (first.triplet, first.question, first.repeat_of) == (trial.triplet, trial.question, None)
        assert first.swapped != trial.swapped
        assert (first.left_clip, first.right_clip) == (trial.right_clip, trial.left_clip)
        assert places[trial.id] - places[first.id] >= MIN_DISTANCE


def test_questions_come_in_separate_passes_overall_first_each_in_its_own_order() -> None:
    asked = trials(design(questions=("overall", "timbre", "rhythm")), 0)
    passes = [list(dict.fromkeys(t.question for t in asked if t.pass_number == number)) for number in range(3)]
    assert passes == [["overall"], ["timbre"], ["rhythm"]]
    assert [trial.pass_number for trial in asked] == sorted(trial.pass_number for trial in asked)
    orders = [[t.triplet for t in asked if t.pass_number == n and not t.catch and not t.repeat_of] for n in range(3)]
    assert orders[0] != orders[1] != orders[2]


def test_an_extension_adds_trials_and_changes_none() -> None:
    first = design()
    more = tuple(replace(one, id=f"more-{one.id}", block=1, origin="active") for one in first.triplets[:10])
    before, after = trials(first, 2), trials(first.extended(more), 2)
    assert after[: len(before)] == before
    assert {trial.triplet for trial in after[len(before) :]} == {one.id for one in more}
    assert len({trial.id for trial in after}) == len(after)


def test_a_test_of_one_triplet_has_trials_too() -> None:
    asked = trials(design(1), 0)
    assert [trial.catch for trial in asked].count(False) == 1


def test_practice_trials_have_a_known_answer_on_either_side() -> None:
    practice = practice_trials(design())
    assert [trial.catch for trial in practice] == [True, True]
    assert [trial.left_clip == trial.x_clip for trial in practice] == [True, False]
    assert [trial.right_clip == trial.x_clip for trial in practice] == [False, True]


def test_a_negative_listener_is_refused() -> None:
    with pytest.raises(InputError, match="-1"):
        trials(design(), -1)
