from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.listening.answers import AlikeAnswer, Answers, CloserAnswer, HeardClip

SONG = HeardClip("c0", 'music/it\'s "100%" — \u2028 song.flac', "i0", 10.0, 20.0)
A = HeardClip("c1", "music/a.wav", "i1", 0.0, 4.2)
B = HeardClip("c2:loop", "music/b.wav", "i2", 0.0, 3.1)
UPLOAD = HeardClip("c3", "dropped.mp3", None, 0.5, 1.25)
ALIKE = AlikeAnswer(SONG, {"drums": 1.0, "mix": -0.5}, A, True)
CLOSER = CloserAnswer(UPLOAD, None, A, B, "b", sure=False)


def line_count(folder: Path) -> int:
    return len((folder / "listening" / "answers.jsonl").read_bytes().splitlines())


def test_answers_come_back_as_they_were_given(tmp_path: Path) -> None:
    one, other = Answers(tmp_path), Answers(tmp_path)
    assert one.all() == other.all() == {}
    first, second = one.add(ALIKE), one.add(CLOSER)
    assert one.all() == other.all() == Answers(tmp_path).all() == {first: ALIKE, second: CLOSER}
    other.withdraw(first)
    assert one.all() == {second: CLOSER}
    assert line_count(tmp_path) == 3
    with pytest.raises(InputError, match="already withdrawn"):
        one.withdraw(first)


def test_a_line_cut_short_costs_itself_alone(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    first = answers.add(ALIKE)
    place = tmp_path / "listening" / "answers.jsonl"
    whole = place.read_bytes()
    place.write_bytes(whole + whole[: len(whole) // 2])
    assert answers.all() == {first: ALIKE}
    second = answers.add(CLOSER)
    assert answers.all() == Answers(tmp_path).all() == {first: ALIKE, second: CLOSER}


@pytest.mark.parametrize(
    "line", ["3", "null", "{}", '{"id": "x"}', json.dumps({"id": "x", "weights": None, "reference": {}, "hit": 1})]
)
def test_lines_that_are_no_answers_are_left_alone(tmp_path: Path, line: str) -> None:
    answers = Answers(tmp_path)
    first = answers.add(ALIKE)
    place = tmp_path / "listening" / "answers.jsonl"
    place.write_text(line + "\n" + place.read_text())
    assert Answers(tmp_path).all() == {first: ALIKE}
    assert answers.all() == {first: ALIKE}


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    answers = Answers(tmp_path)
    answers.add(ALIKE)
    assert len(answers.all()) == 1
    (tmp_path / "listening" / "answers.jsonl").unlink()
    assert answers.all() == {}
    second = answers.add(CLOSER)
    assert answers.all() == {second: CLOSER}


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
    assert len(Answers(tmp_path).all()) == line_count(tmp_path) == 120
