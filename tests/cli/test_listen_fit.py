"""`soundalike listen` from answers to profiles: fit, report, status, more, export, import."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from soundalike.listening.design import ActiveGoal, read_design
from soundalike.listening.user_profiles import profiles_of
from soundalike.similarity.profiles import load_profile
from tests.cli.command_line import run
from tests.listening.made_up_design import answered, made_up_design, written_test


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one answered test, as a library has it."""
    folder = tmp_path_factory.mktemp("library")
    answered(folder, written_test(folder, made_up_design(40, goal=ActiveGoal("drums", "bass", 0.1))), 3)
    return folder


def test_fit_prints_weights_and_saves_a_profile_for_each_listener(home: Path) -> None:
    outcome = run("listen", "fit", "made-up", "--own", library=home)
    assert outcome.code == 0, outcome.stderr
    lines = outcome.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["bass", "drums", "mix"]
    assert [Path(line).stem for line in lines[3:]] == ["made-up", "made-up-L01", "made-up-L02", "made-up-L03"]
    profile = load_profile(lines[3])
    assert profile.weights["drums"] > profile.weights["bass"]
    names = {one.name for one in profiles_of(home)[0]}
    assert {"made-up", "made-up-L02"} <= names
    for expected in ("screening, fixed when", "reliability:", "drums - bass", "a single listener agrees"):
        assert expected in outcome.stderr


def test_a_test_without_enough_answers_is_an_error(tmp_path: Path) -> None:
    written_test(tmp_path, made_up_design(8))
    outcome = run("listen", "fit", "made-up", library=tmp_path)
    assert outcome.code == 2
    assert "0 overall answers are left" in outcome.stderr


def test_a_test_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    for command in ("fit", "report", "more", "export", "status"):
        outcome = run("listen", command, "none", library=tmp_path)
        assert outcome.code == 4
        assert "soundalike listen new none" in outcome.stderr


def test_report_writes_one_page(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra: report")
    outcome = run("listen", "report", "made-up", "--out", tmp_path / "report.html", library=home)
    assert outcome.code == 0, outcome.stderr
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("<svg") == 5
    refused = run("listen", "report", "made-up", "--out", tmp_path, library=home)
    assert refused.code == 2
    assert "is a folder" in refused.stderr


def test_status_shows_tests_listeners_and_the_goal(home: Path, tmp_path: Path) -> None:
    assert "no listening tests yet" in run("listen", "status", library=tmp_path).stdout
    assert "made-up: 40 triplets, overall; 144 answers of 3 listeners" in run("listen", "status", library=home).stdout
    one = run("listen", "status", "made-up", library=home).stdout
    assert "L02: 48 of 48 trials" in one
    assert "weight of drums - bass" in one
    assert "the goal is 0.1: tastes differ: about" in one


def test_more_adds_trials(tmp_path: Path) -> None:
    test = answered(tmp_path, written_test(tmp_path, made_up_design(12, goal=ActiveGoal("drums", "bass", 0.1))), 1)
    outcome = run("listen", "more", "made-up", "-n", "8", library=tmp_path)
    assert outcome.code == 0, outcome.stderr
    assert "8 triplets added, 2 of them at random; the test has 20 now" in outcome.stderr
    assert len(read_design(test.folder).triplets) == 20


def test_export_and_import_are_inverse(home: Path, tmp_path: Path) -> None:
    (home / "listening-tests" / "made-up" / "clips").mkdir(exist_ok=True)
    outcome = run("listen", "export", "made-up", "--out", tmp_path / "out", "--clips", library=home)
    assert outcome.code == 0, outcome.stderr
    assert sorted(place.name for place in (tmp_path / "out").iterdir()) == ["answers.csv", "answers.parquet", "clips"]
    assert "left out of answers.csv" in outcome.stderr
    with (tmp_path / "out" / "answers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    written_test(tmp_path, made_up_design(40))
    imported = run("listen", "import", "made-up", tmp_path / "out" / "answers.csv", library=tmp_path)
    assert imported.code == 0, imported.stderr
    assert imported.stdout == "L01\tL01\nL02\tL02\nL03\tL03\n"
    assert f"{len(rows)} answers added" in imported.stderr
    missing = run("listen", "import", "made-up", tmp_path / "none.csv", library=tmp_path)
    assert missing.code == 2


def test_a_saved_profile_can_be_searched_with_by_its_name(library: Path, song: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(library, tmp_path / "library"))
    answered(own, written_test(own, made_up_design(20)), 2)
    assert run("listen", "fit", "made-up", library=own).code == 0
    outcome = run("similar", song, "--profile", "made-up", "-n", "2", "--format", "json", library=own)
    assert outcome.code == 0, outcome.stderr
    profile = load_profile(str(own / "listening" / "profiles" / "made-up.json"))
    assert json.loads(outcome.stdout)["weights"] == pytest.approx(profile.weights)
    unknown = run("similar", song, "--profile", "nobody", library=own)
    assert unknown.code == 2
    assert "made-up" in unknown.stderr
