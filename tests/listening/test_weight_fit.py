"""Weights from the answers of a whole test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from soundalike.errors import InputError
from soundalike.listening.open_test import OpenTest
from soundalike.listening.weight_fit import QuestionFit, fit_question
from tests.listening.made_up_design import WEIGHTS, answered, made_up_design, written_test


@pytest.fixture(scope="module")
def test(tmp_path_factory: pytest.TempPathFactory) -> OpenTest:
    """Four attentive listeners and one who guesses."""
    library = tmp_path_factory.mktemp("library")
    design = made_up_design(60, questions=("overall", "rhythm"))
    return answered(library, written_test(library, design), 5, guesser=True)


@pytest.fixture(scope="module")
def fitted(test: OpenTest) -> QuestionFit:
    return fit_question(test, "overall")


def test_who_guesses_is_left_out_by_the_rules_of_the_design(fitted: QuestionFit) -> None:
    assert dict(fitted.excluded) == {"L05": "checks >= 0.75"}
    assert fitted.listeners == ("L01", "L02", "L03", "L04")
    assert {ballot.listener for one in fitted.answered.triplets for ballot in one.ballots} == set(fitted.listeners)


def test_the_weights_are_the_planted_ones_within_their_errors(fitted: QuestionFit) -> None:
    planted = np.array([WEIGHTS[part] for part in fitted.parts])
    errors = np.sqrt(np.diag(fitted.fit.covariance))
    assert (np.abs(fitted.fit.weights - planted) < 3 * errors).all()
    assert errors.max() < 2


def test_held_out_agreement_is_that_of_weights_which_know_the_planted_order(fitted: QuestionFit) -> None:
    held_out = fitted.held_out
    assert held_out.tested.sum() > 30
    assert held_out.failed == 0
    planted = np.sign(fitted.data.features @ np.array([WEIGHTS[part] for part in fitted.parts])) == fitted.data.labels
    tested = held_out.tested
    assert held_out.correct[tested].mean() > held_out.baseline[tested].mean()
    assert abs(held_out.correct[tested].mean() - planted[tested].mean()) < 0.1


def test_only_random_triplets_are_predicted(tmp_path: Path) -> None:
    design = made_up_design(40)
    chosen = tuple(
        type(one)(one.id, one.kind, one.part, one.x, one.a, one.b, "active" if n % 2 else "random")
        for n, one in enumerate(design.triplets)
    )
    half = answered(tmp_path, written_test(tmp_path, made_up_design(40, triplets=chosen)), 2)
    held_out = fit_question(half, "overall").held_out
    origins = np.array([one.origin for one in fit_question(half, "overall").answered.designed])
    assert held_out.tested.any()
    assert not held_out.tested[origins == "active"].any()


def test_the_profile_belongs_to_the_models_and_the_clips_of_the_test(fitted: QuestionFit) -> None:
    profile = fitted.profile()
    assert (profile.name, profile.encoder, profile.separator, profile.clip_seconds) == (
        "made-up",
        "builtin",
        "builtin",
        10.0,
    )
    size = np.abs(fitted.fit.weights).sum()
    assert profile.weights == pytest.approx(dict(zip(fitted.parts, fitted.fit.weights / size, strict=True)))
    assert sum(map(abs, profile.weights.values())) == pytest.approx(1)
    assert set(profile.intervals) == set(fitted.parts)
    assert profile.intervals["drums"] == pytest.approx(fitted.fit.intervals()[fitted.parts.index("drums")] / size)
    assert f"{size:.3g} log-odds" in profile.notes
    assert profile.agreement == pytest.approx(fitted.held_out.correct[fitted.held_out.tested].mean())
    assert "4 listeners" in profile.data


def test_each_question_and_each_listener_has_a_profile(test: OpenTest, fitted: QuestionFit) -> None:
    assert fit_question(test, "rhythm").profile().name == "made-up-rhythm"
    own = fitted.own_profiles()
    assert [one.name for one in own] == [f"made-up-L0{n}" for n in range(1, 5)]
    mine = fitted.fit.own[2] / np.abs(fitted.fit.own[2]).sum()
    assert own[2].weights == pytest.approx(dict(zip(fitted.parts, mine, strict=True)))


def test_too_few_answers_and_other_questions_are_refused(tmp_path: Path) -> None:
    empty = written_test(tmp_path, made_up_design(8))
    with pytest.raises(InputError, match="0 overall answers are left after screening"):
        fit_question(empty, "overall")
    with pytest.raises(InputError, match="does not ask about melody"):
        fit_question(empty, "melody")


def test_stems_give_a_weight_to_each_part_alone(tmp_path: Path) -> None:
    from soundalike.listening.triplet_drawing import DrawOptions, draw_triplets
    from tests.listening.made_up_design import audible_everywhere, made_up_excerpts

    excerpts = made_up_excerpts(20, ("bass", "drums"))
    drawn = draw_triplets(excerpts, audible_everywhere(excerpts), DrawOptions(60), np.random.default_rng(0))
    design = made_up_design(
        name="stems", presentation="stems", excerpts=excerpts, triplets=drawn, weighted_parts=("bass", "drums")
    )
    fitted = fit_question(answered(tmp_path, written_test(tmp_path, design), 3), "overall")
    assert (np.count_nonzero(fitted.data.features, axis=1) == 1).all()
    assert fitted.fit.weights[1] > fitted.fit.weights[0]
    assert "one at a time" in fitted.profile().notes
