"""`soundalike compare`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from soundalike.cli import result_formats
from tests.cli.command_line import run

BOTH = ("--region-a", "0:05-0:15", "--region-b", "0:05-0:15")


def test_the_score_is_the_sum_of_the_contributions(music: Path) -> None:
    one, other = sorted((music / "songs").iterdir())[:2]
    outcome = run("compare", one, other, "--region-a", "0:00-0:10", "--region-b", "0:05-0:15", "--format", "json")
    assert outcome.code == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    assert [part["part"] for part in result["parts"]] == ["bass", "drums", "vocals", "residuals", "mix"]
    assert result["score"] == pytest.approx(sum(part["contribution"] for part in result["parts"]), abs=1e-5)


def test_a_song_is_most_similar_to_itself_in_the_same_seconds(song: Path) -> None:
    result = json.loads(run("compare", song, song, *BOTH, "--format", "json").stdout)
    assert result["score"] == pytest.approx(4.0, abs=1e-3)
    assert result["seconds_a"] == result["seconds_b"]


def test_the_table_shows_every_part_and_the_seconds(song: Path) -> None:
    outcome = run("compare", song, song, "--region-a", "0:00-0:10", "--region-b", "0:00-0:10", "--weights", "drums=1")
    assert outcome.code == 0, outcome.stderr
    rows = {line.split()[0]: line.split()[1:] for line in outcome.stdout.splitlines() if "+" in line}
    assert list(rows) == ["bass", "drums", "residuals", "mix"]
    assert rows["drums"][:2] == ["1", "+1.000"]
    assert rows["bass"][:2] == ["0", "+0.000"]
    assert "score 1.000, at the most similar pair of windows:" in outcome.stderr
    assert f"A 0:00.0-0:10.0  {song.name}" in outcome.stderr


@pytest.mark.parametrize(
    ("columns", "last"), [(200, "best in B"), (100, "best cosine"), (80, "best cosine"), (60, "cosine")]
)
def test_nothing_is_cut_in_a_narrow_terminal(
    song: Path, columns: int, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_formats, "stdout_console", lambda: Console(width=columns, highlight=False))
    outcome = run("compare", song, song, "--region-a", "0:00-0:10", "--region-b", "0:00-0:10")
    assert outcome.code == 0, outcome.stderr
    lines = [line.rstrip() for line in outcome.stdout.splitlines()]
    assert max(map(len, lines)) <= columns
    assert "…" not in outcome.stdout
    assert next(line for line in lines if "part" in line).endswith(last)
    assert sum("+" in line for line in lines) == 4


def test_a_loop_is_compared_by_its_mix_alone(song: Path, music: Path) -> None:
    loop = sorted((music / "loops").iterdir())[0]
    outcome = run("compare", song, loop, "--region-a", "0:00-0:10")
    assert outcome.code == 0, outcome.stderr
    assert "only mix is compared: loops and one-shots are embedded whole" in outcome.stderr
