from __future__ import annotations

import json
import multiprocessing
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soundalike.errors import InputError, LibraryError
from soundalike.listening.answers import AlikeAnswer, Answers, CloserAnswer, HeardClip

SONG = HeardClip("c0", 'music/it\'s "100%" — \u2028 song.flac', "i0", 10.0, 20.0)
A = HeardClip("c1", "music/a.wav", "i1", 0.0, 4.2)
B = HeardClip("c2:loop", "music/b.wav", "i2", 0.0, 3.1)
UPLOAD = HeardClip("c3", "dropped.mp3", None, 0.5, 1.25)
ALIKE = AlikeAnswer(SONG, {"drums": 1.0, "mix": -0.5}, A, True)
CLOSER = CloserAnswer(UPLOAD, None, A, B, "b", sure=False)


def old_file(folder: Path, *lines: dict[str, Any] | str) -> Path:
    """A file of answers as earlier versions wrote it."""
    place = folder / "listening" / "answers.jsonl"
    place.parent.mkdir(exist_ok=True)
    with place.open("a", encoding="utf-8") as file:
        for line in lines:
            file.write((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n")
    return place


def old_line(name: str, answer: AlikeAnswer | CloserAnswer) -> dict[str, Any]:
    return {"id": name, "at": "2025-01-02T03:04:05+00:00", **asdict(answer)}


def withdrawal(name: str) -> dict[str, Any]:
    return {"id": name, "at": "2025-01-02T03:05:00+00:00", "withdrawn": True}


def files(folder: Path) -> set[str]:
    return {
        path.name for path in (folder / "listening").iterdir() if "sqlite-" not in path.name and path.name != "lock"
    }


def test_answers_come_back_as_they_were_given(tmp_path: Path) -> None:
    one, other = Answers(tmp_path), Answers(tmp_path)
    assert one.all() == other.all() == {}
    assert not (tmp_path / "listening").exists()
    first, second = one.add(ALIKE), one.add(CLOSER)
    assert one.all() == other.all() == Answers(tmp_path).all() == {first: ALIKE, second: CLOSER}
    other.withdraw(first)
    assert one.all() == {second: CLOSER}
    assert one.count() == other.count() == 1
    with pytest.raises(InputError, match="already withdrawn"):
        one.withdraw(first)


def test_answers_of_an_old_file_are_read_where_they_are(tmp_path: Path) -> None:
    place = old_file(tmp_path, old_line("a", ALIKE), old_line("b", CLOSER), withdrawal("a"))
    before = place.read_bytes()
    assert Answers(tmp_path).all() == {"b": CLOSER}
    assert Answers(tmp_path).count() == 1
    assert place.read_bytes() == before
    assert files(tmp_path) == {"answers.jsonl"}


def test_an_old_file_is_taken_over_by_the_next_answer(tmp_path: Path) -> None:
    place = old_file(tmp_path, old_line("a", ALIKE), old_line("b", CLOSER), withdrawal("a"))
    before = place.read_bytes()
    answers = Answers(tmp_path)
    new = answers.add(ALIKE)
    assert list(answers.all().items()) == [("b", CLOSER), (new, ALIKE)]
    assert files(tmp_path) == {"answers.jsonl.imported", "answers.sqlite"}
    assert (tmp_path / "listening" / "answers.jsonl.imported").read_bytes() == before
    answers.withdraw("b")
    assert Answers(tmp_path).all() == {new: ALIKE}


def test_a_file_that_an_earlier_version_writes_again_is_taken_over_too(tmp_path: Path) -> None:
    old_file(tmp_path, old_line("a", ALIKE), old_line("b", ALIKE))
    answers = Answers(tmp_path)
    answers.withdraw("b")
    # As after a crash between the commit and the renaming: the same lines, and new ones.
    old_file(tmp_path, old_line("a", ALIKE), old_line("b", ALIKE), withdrawal("a"), old_line("c", CLOSER))
    assert answers.all() == {"c": CLOSER}
    answers.withdraw("c")
    assert answers.all() == {}
    assert files(tmp_path) == {"answers.jsonl.imported", "answers.jsonl.imported1", "answers.sqlite"}


def test_a_line_cut_short_costs_itself_alone(tmp_path: Path) -> None:
    line = json.dumps(old_line("b", CLOSER))
    old_file(tmp_path, old_line("a", ALIKE), line[: len(line) // 2], old_line("c", CLOSER))
    answers = Answers(tmp_path)
    assert answers.all() == {"a": ALIKE, "c": CLOSER}
    new = answers.add(CLOSER)
    assert answers.all() == {"a": ALIKE, "c": CLOSER, new: CLOSER}


@pytest.mark.parametrize(
    "line", ["3", "null", "{}", '{"id": "x"}', json.dumps({"id": "x", "weights": None, "reference": {}, "hit": 1})]
)
def test_lines_that_are_no_answers_are_left_alone(tmp_path: Path, line: str) -> None:
    old_file(tmp_path, line, old_line("a", ALIKE))
    answers = Answers(tmp_path)
    assert answers.all() == {"a": ALIKE}
    answers.withdraw("a")
    assert answers.all() == {}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["alike", "closer", "withdraw"])), max_size=20)
)
def test_nothing_of_an_old_file_is_lost(tmp_path: Path, steps: list[tuple[str, str]]) -> None:
    with TemporaryDirectory(dir=tmp_path) as name:
        folder = Path(name)
        expected: dict[str, AlikeAnswer | CloserAnswer] = {}
        lines = []
        used: set[str] = set()
        for answer_id, step in steps:
            if step == "withdraw":
                lines.append(withdrawal(answer_id))
                expected.pop(answer_id, None)
            elif answer_id not in used:
                used.add(answer_id)
                expected[answer_id] = ALIKE if step == "alike" else CLOSER
                lines.append(old_line(answer_id, expected[answer_id]))
        old_file(folder, *lines)
        answers = Answers(folder)
        assert answers.all() == expected
        new = answers.add(CLOSER)
        assert answers.all() == Answers(folder).all() == {**expected, new: CLOSER}


def test_a_database_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    answers.add(ALIKE)
    for place in (tmp_path / "listening").glob("answers.sqlite*"):
        place.unlink()
    assert answers.all() == {}
    second = answers.add(CLOSER)
    assert answers.all() == Answers(tmp_path).all() == {second: CLOSER}


def test_where_one_may_not_write_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="favourites and answers of gone cannot be written"):
        Answers(tmp_path / "gone").add(ALIKE)


def add_many(folder: Path, count: int) -> None:
    answers = Answers(folder)
    for _ in range(count):
        answers.add(ALIKE)


def test_several_processes_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    several = [context.Process(target=add_many, args=(tmp_path, 40)) for _ in "123"]
    for process in several:
        process.start()
    for process in several:
        process.join(60)
        assert process.exitcode == 0
    assert len(Answers(tmp_path).all()) == 120
