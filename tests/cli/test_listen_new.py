"""`soundalike listen new`: from options to a test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from soundalike.listening.design import ActiveGoal, folder_of_design, read_design
from tests.cli.command_line import run


@pytest.fixture(scope="module")
def own_library(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(library, tmp_path_factory.mktemp("own") / "library"))


def test_a_test_is_made_and_described(own_library: Path) -> None:
    outcome = run(
        "listen", "new", "mine", "-n", "8", "--questions", "rhythm,overall", "--active", "drums-bass", "--width", "0.7",
        "--screen", "checks>=0.5", "--seed", "4", library=own_library,
    )  # fmt: skip
    assert outcome.code == 0, outcome.stderr
    folder = folder_of_design(own_library, "mine")
    assert outcome.stdout == f"{folder}\n"
    design = read_design(folder)
    assert (design.questions, design.goal, design.seed) == (("overall", "rhythm"), ActiveGoal("drums", "bass", 0.7), 4)
    assert design.screening == ("checks>=0.5",)
    assert "8 triplets (6 XAB, 2 XYC) of 4 songs" in outcome.stderr
    assert "20 trials for each listener, about 11 minutes" in outcome.stderr
    assert "4 songs say little about other music" in outcome.stderr
    again = run("listen", "new", "mine", library=own_library)
    assert again.code == 4
    assert "already" in again.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--questions", "taste"), "unknown question 'taste'"),
        (("--questions", ","), "unknown question ''"),
        (("--active", "drums-bass-mix"), "not a part or a difference of two"),
        (("--active", "harp"), "unknown part 'harp'"),
        (("--active", "drums", "--width", "0"), "width of the goal is 0"),
        (("-n", "1000000"), "1,000,000 triplets were requested"),
        (("--active", "drums", "--stems", "all"), "must hear whole mixes"),
        (("--stems", "harp"), "unknown part 'harp'"),
        (("--screen", "luck>=1"), "not a screening rule"),
        (("--path", "no such song"), "0 usable songs"),
    ],
)
def test_options_that_are_not_possible_are_refused(own_library: Path, options: tuple[str, ...], message: str) -> None:
    outcome = run("listen", "new", "other", *options, library=own_library)
    assert outcome.code == 2
    assert message in outcome.stderr
    assert not folder_of_design(own_library, "other").exists()


def test_a_name_that_is_a_path_is_refused(own_library: Path) -> None:
    outcome = run("listen", "new", "../escape", library=own_library)
    assert outcome.code == 2
    assert "cannot be the name" in outcome.stderr
