"""Answers as CSV in the format of Inst-Sim-ABX, and as Parquet."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from soundalike.errors import InputError
from soundalike.listening.answer_tables import CSV_COLUMNS, to_csv, write_parquet
from soundalike.listening.answered_triplets import AnsweredTest, answered_test
from soundalike.listening.open_test import OpenTest
from soundalike.preferences.triplets import Votes, merge_mirrored
from soundalike.research.datasets.inst_sim_abx import Answers, read_answers
from tests.listening.made_up_design import answered, made_up_design, written_test


@pytest.fixture(scope="module")
def test(tmp_path_factory: pytest.TempPathFactory) -> OpenTest:
    library = tmp_path_factory.mktemp("library")
    return answered(library, written_test(library, made_up_design(20, questions=("overall", "rhythm"))), 3)


def test_the_columns_are_those_of_inst_sim_abx_and_the_tracks(test_data: Path) -> None:
    with (test_data / "inst_sim_abx" / "inst_sim_abx_answers.csv").open(encoding="utf-8") as file:
        published = next(csv.reader(file))
    assert list(CSV_COLUMNS[: len(published)]) == published
    assert CSV_COLUMNS[len(published) :] == ("reference_track", "sample_a_track", "sample_b_track")


def test_our_reader_finds_the_same_votes_and_checks(test: OpenTest, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(to_csv(test.design, test.records).text, encoding="utf-8")
    read = read_answers(file)
    assert read.tracks_known
    overall, rhythm = (answered_test(test.design, test.records, question) for question in ("overall", "rhythm"))
    assert found_votes(read, overall) == [one.counts("total") for one in overall.triplets]
    assert {name: (one.asked, one.right) for name, one in read.listener_checks.items()} == dict(overall.checks)
    # A row needs an overall preference: a rhythm answer beside "can't tell" is in the Parquet file only.
    found, given = found_votes(read, rhythm), [one.counts("rhythm") for one in rhythm.triplets]
    assert 0.8 * np.sum(given) < np.sum(found) < np.sum(given)
    assert np.all(np.array(found) <= np.array(given))


def found_votes(read: Answers, expected: AnsweredTest) -> list[Votes]:
    """The votes read for each expected triplet, in its orientation."""
    merged = {}
    for one in merge_mirrored(read.triplets):
        merged[one.reference, one.a, one.b] = one
        merged[one.reference, one.b, one.a] = one.swapped()
    return [merged[one.reference, one.a, one.b].counts(expected.perspective) for one in expected.triplets]


def test_sample_a_is_the_candidate_that_was_shown_first(test: OpenTest) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(test.design, test.records).text)))
    known = test.design.by_id
    first = next(
        one for one in test.records if one.swapped and not one.catch and not one.repeat_of and one.answer == "A+"
    )
    triplet = test.design.triplet_by_id[first.triplet]
    (row,) = (
        row
        for row in rows
        if row["subject_id"] == first.listener
        and row["reference"] == known[triplet.x].clip
        and row["sample_a"] == known[triplet.b].clip
        and row["sample_b"] == known[triplet.a].clip
    )
    assert row["answer_total"] == "B+"
    assert row["sample_a_track"] == known[triplet.b].item
    assert row["choice_time"] == str(round(1000 * first.seconds))


def test_rows_without_an_overall_preference_are_counted(test: OpenTest) -> None:
    table = to_csv(test.design, test.records)
    cant_tell = sum(
        one.answer == "cant_tell" and one.question == "overall" and one.repeat_of is None for one in test.records
    )
    assert cant_tell > 0
    assert table.left_out == cant_tell
    assert table.rows + table.left_out == 3 * (20 + 2)


def test_a_test_without_overall_answers_has_no_csv() -> None:
    with pytest.raises(InputError, match="no answers yet"):
        to_csv(made_up_design(8), [])


def test_only_rhythm_answers_are_no_csv(test: OpenTest) -> None:
    with pytest.raises(InputError, match="Parquet file has all"):
        to_csv(test.design, [one for one in test.records if one.question == "rhythm"])


def test_parquet_has_every_answer(test: OpenTest, tmp_path: Path) -> None:
    place = tmp_path / "answers.parquet"
    write_parquet(place, test.design, test.records)
    rows = pq.read_table(place).to_pylist()
    assert len(rows) == len(test.records)
    assert Counter(row["answer"] for row in rows) == Counter(one.answer for one in test.records)
    for row, one in zip(rows, test.records, strict=True):
        triplet = test.design.triplet_by_id[one.triplet]
        assert (row["listener"], row["trial"], row["catch"], row["repeat_of"]) == (
            one.listener,
            one.trial,
            one.catch,
            one.repeat_of,
        )
        assert row["clip_a"] == test.design.by_id[triplet.x if one.catch else triplet.a].clip
        assert (row["kind"], row["origin"], row["block"]) == (triplet.kind, triplet.origin, 0)


def test_an_empty_parquet_file_has_the_columns(test: OpenTest, tmp_path: Path) -> None:
    write_parquet(tmp_path / "none.parquet", test.design, [])
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0
    write_parquet(tmp_path / "all.parquet", test.design, test.records)
    assert pq.read_schema(tmp_path / "none.parquet").names == pq.read_schema(tmp_path / "all.parquet").names


def test_repeats_are_left_out_of_the_csv(test: OpenTest) -> None:
    repeats = [one for one in test.records if one.repeat_of is not None]
    assert repeats
    without = [one for one in test.records if one.repeat_of is None]
    assert to_csv(test.design, test.records).text == to_csv(test.design, without).text
    moved = [*without, replace(repeats[0], answer="A+")]
    assert to_csv(test.design, moved).rows == to_csv(test.design, without).rows
