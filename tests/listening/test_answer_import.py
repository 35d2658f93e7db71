"""Importing answers from a CSV file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from soundalike.errors import InputError
from soundalike.listening.answer_import import import_answers
from soundalike.listening.answer_tables import to_csv
from soundalike.listening.answered_triplets import answered_test
from soundalike.listening.open_test import OpenTest
from tests.listening.made_up_design import answered, made_up_design, written_test


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[OpenTest, Path]:
    library = tmp_path_factory.mktemp("library")
    test = answered(library, written_test(library, made_up_design(20, questions=("overall", "rhythm"))), 2)
    file = library / "answers.csv"
    file.write_text(to_csv(test.design, test.records).text, encoding="utf-8")
    return test, file


def same_test_elsewhere(test: OpenTest, library: Path) -> OpenTest:
    return written_test(library, test.design)


def test_answers_that_were_exported_come_back(exported: tuple[OpenTest, Path], tmp_path: Path) -> None:
    test, file = exported
    copy = same_test_elsewhere(test, tmp_path)
    imported = import_answers(copy.folder, copy.design, file)
    assert imported.listeners == {"L01": "L01", "L02": "L02"}
    again = OpenTest.open(tmp_path, test.design.name)
    before, after = (answered_test(test.design, records, "overall") for records in (test.records, again.records))
    assert [one.counts() for one in after.triplets] == [one.counts() for one in before.triplets]
    assert after.checks == before.checks
    sides = [
        Counter((b.listener, b.swapped, b.grades["total"]) for t in one.triplets for b in t.ballots)
        for one in (before, after)
    ]
    assert sides[0] == sides[1]
    assert imported.stored == len(again.records)


def test_importing_a_file_again_adds_nothing(exported: tuple[OpenTest, Path], tmp_path: Path) -> None:
    test, file = exported
    copy = same_test_elsewhere(test, tmp_path)
    first = import_answers(copy.folder, copy.design, file)
    second = import_answers(copy.folder, copy.design, file)
    assert (second.stored, second.known, second.listeners) == (0, first.stored, first.listeners)


def test_imported_listeners_do_not_mix_with_those_of_the_test(exported: tuple[OpenTest, Path]) -> None:
    test, file = exported
    imported = import_answers(test.folder, test.design, file)
    assert imported.listeners == {"L01": "L03", "L02": "L04"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mix/mix", "other/mix", "is not a clip of this test"),
        ("answer_total", "answer_all", "exactly one column 'answer_total'"),
        (",A+,", ",C,", "must be A\\+"),
    ],
)
def test_other_files_are_refused_and_nothing_is_imported(
    exported: tuple[OpenTest, Path], tmp_path: Path, old: str, new: str, message: str
) -> None:
    test, file = exported
    copy = same_test_elsewhere(test, tmp_path)
    damaged = tmp_path / "damaged.csv"
    damaged.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        import_answers(copy.folder, copy.design, damaged)
    assert OpenTest.open(tmp_path, test.design.name).records == ()


def test_a_triplet_that_the_test_does_not_ask_is_refused(exported: tuple[OpenTest, Path], tmp_path: Path) -> None:
    test, file = exported
    copy = same_test_elsewhere(test, tmp_path)
    header, row, *_ = file.read_text(encoding="utf-8").splitlines()
    cells = row.split(",")
    unused = next(one.clip for one in test.design.excerpts if one.clip not in cells)
    cells[4] = unused
    damaged = tmp_path / "damaged.csv"
    damaged.write_text(f"{header}\n{','.join(cells)}\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 2: the test does not compare"):
        import_answers(copy.folder, copy.design, damaged)


def test_a_header_alone_is_refused(exported: tuple[OpenTest, Path], tmp_path: Path) -> None:
    test, file = exported
    empty = tmp_path / "empty.csv"
    empty.write_text(file.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="contains no answers"):
        import_answers(test.folder, test.design, empty)
