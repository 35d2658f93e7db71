"""What a fit says."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.listening.answered_triplets import Repeats
from soundalike.listening.fit_messages import (
    agreement_lines,
    answer_lines,
    caveat_lines,
    consistent_share,
    difference_lines,
    reliability_line,
    screening_lines,
    weight_lines,
)
from soundalike.listening.weight_fit import QuestionFit, fit_question
from tests.listening.made_up_design import answered, made_up_design, written_test


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> QuestionFit:
    library = tmp_path_factory.mktemp("library")
    return fit_question(answered(library, written_test(library, made_up_design()), 4, guesser=True), "overall")


def test_the_rules_of_screening_and_their_effect_are_printed(fitted: QuestionFit) -> None:
    (line,) = screening_lines(fitted)
    assert "checks>=0.75, seconds>=3: 1 of 4 listeners left out (L04: checks >= 0.75)" in line


def test_answers_reliability_and_side_are_reported(fitted: QuestionFit) -> None:
    answers, reliability, side = answer_lines(fitted)
    assert f"{len(fitted.observations)} overall answers of 3 listeners about 60 triplets" in answers
    assert "of 18 repeated trials got the same preference" in reliability
    assert "shown first was chosen in" in side


def test_every_part_has_its_weight_and_interval(fitted: QuestionFit) -> None:
    lines = weight_lines(fitted)
    assert [line.split()[0] for line in lines] == ["bass", "drums", "mix"]
    assert all("[" in line for line in lines)


def test_agreement_stands_beside_the_baseline_a_listener_and_the_ceiling(fitted: QuestionFit) -> None:
    text = "\n".join(agreement_lines(fitted))
    for expected in ("XAB: these weights", "XYC: these weights", "all: these weights", "the cosine of the mix"):
        assert expected in text
    assert "a single listener agrees with the majority of the others in" in text
    assert "noise ceiling: a perfect model" in text
    assert "own weights predict" in text


def test_the_difference_of_drums_and_bass_says_how_many_more_answers(fitted: QuestionFit) -> None:
    (line,) = difference_lines(fitted)
    assert line.startswith("drums - bass: ")
    assert "more answers until it is 1 wide" in line or "narrow enough" in line


def test_few_songs_are_a_caveat(fitted: QuestionFit) -> None:
    assert "24 songs say little about other music" in caveat_lines(fitted)[0]


def test_one_listener_has_neither_a_human_row_nor_a_ceiling(tmp_path: Path) -> None:
    alone = fit_question(answered(tmp_path, written_test(tmp_path, made_up_design()), 1), "overall")
    text = "\n".join((*agreement_lines(alone), *caveat_lines(alone)))
    assert "a single listener: unknown" in text
    assert "noise ceiling unknown" in text
    assert "own weights predict" not in text
    assert "one listener: the weights are that listener's" in text
    assert "answers of 1 listener about" in answer_lines(alone)[0]


def test_reliability_without_repeats_is_unknown() -> None:
    assert "unknown" in reliability_line([])
    assert "3 of 4 repeated trials" in reliability_line([Repeats(2, 2, 1), Repeats(2, 1, 0)])


@pytest.mark.parametrize(("p", "same"), [(1.0, 1.0), (0.9, 0.82), (0.5, 0.5)])
def test_the_share_of_usual_answers_follows_from_that_of_equal_pairs(p: float, same: float) -> None:
    assert p**2 + (1 - p) ** 2 == pytest.approx(same)
    assert consistent_share(same) == pytest.approx(p)


def test_fewer_equal_pairs_than_by_chance_are_chance() -> None:
    assert consistent_share(0.3) == 0.5
