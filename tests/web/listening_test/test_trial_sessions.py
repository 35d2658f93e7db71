"""Active tests go on as long as their goal is not reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.listening.answer_store import Listener
from soundalike.listening.design import ActiveGoal, read_design
from soundalike.web.listening_test.listener_schemas import AnswerIn, ProgressOut
from soundalike.web.listening_test.trial_sessions import TrialSessions
from tests.listening.made_up_design import made_up_design, written_test

ANSWER = AnswerIn.model_validate(
    {"answer": "A-", "heard": {"x": 3.0, "a": 2.0, "b": 2.0}, "switches": 3, "seconds": 8.0}
)


def sessions(library: Path, goal: ActiveGoal | None) -> TrialSessions:
    design = made_up_design(6, 8, goal=goal)
    folder = written_test(library, design).folder
    for excerpt in design.excerpts:
        clip = folder / "clips" / excerpt.clip
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.touch()
    return TrialSessions(folder)


def answer_all(served: TrialSessions, listener: Listener, count: int) -> ProgressOut:
    """Answer `count` trials; returns the progress then."""
    progress = served.progress(listener)
    for _ in range(count):
        assert progress.trial is not None
        progress = served.answer(listener, progress.trial.id, ANSWER).progress
    return progress


def test_the_last_answer_brings_the_next_block(tmp_path: Path) -> None:
    served = sessions(tmp_path, ActiveGoal("drums", "bass", 0.01))
    (listener,) = served.store.invite()
    first = served.progress(listener).total
    assert answer_all(served, listener, first - 1).total == first
    progress = answer_all(served, listener, 1)
    assert progress.total > first
    assert progress.trial is not None
    assert progress.trial.id.startswith("1-overall")
    assert read_design(tmp_path / "listening-tests" / "made-up").blocks == 2
    served.close()


@pytest.mark.parametrize("goal", [None, ActiveGoal("drums", "bass", 1_000.0)])
def test_a_test_without_a_goal_or_with_a_reached_one_ends(tmp_path: Path, goal: ActiveGoal | None) -> None:
    served = sessions(tmp_path, goal)
    (listener,) = served.store.invite()
    progress = answer_all(served, listener, served.progress(listener).total)
    assert (progress.trial, progress.answered) == (None, progress.total)
    served.close()


def test_a_test_whose_vectors_are_lost_ends_without_an_error(tmp_path: Path) -> None:
    served = sessions(tmp_path, ActiveGoal("drums", "bass", 0.01))
    (tmp_path / "listening-tests" / "made-up" / "vectors.npz").unlink()
    (listener,) = served.store.invite()
    assert answer_all(served, listener, served.progress(listener).total).trial is None
    served.close()
