from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from soundalike.errors import AudioError, InputError
from soundalike.listening.answer_export import MAX_PAIRS, clip_name, triplet_rows, write_zip
from soundalike.listening.answers import AlikeAnswer, CloserAnswer, HeardClip
from soundalike.research.datasets.inst_sim_abx import read_answers

SONG = HeardClip("song", "m/song.flac", "s", 10.0, 20.0)
HITS = [HeardClip(f"c{n}", f"m/{n}.wav", f"i{n}", 0.0, 1.0 + n) for n in range(40)]


def alike(hit: HeardClip, yes: bool, reference: HeardClip = SONG) -> AlikeAnswer:
    return AlikeAnswer(reference, None, hit, yes)


def closer_of(row: object) -> tuple[HeardClip, HeardClip]:
    """(the closer one, the other)."""
    return (row.a, row.b) if row.grade[0] == "A" else (row.b, row.a)  # type: ignore[attr-defined]


def test_closer_answers_are_triplets_as_they_stand() -> None:
    a, b = HITS[:2]
    rows = triplet_rows(
        [CloserAnswer(SONG, None, a, b, "a", sure=True), CloserAnswer(SONG, None, a, b, "b", sure=False)]
    )
    assert [(row.reference, row.a, row.b, row.grade) for row in rows] == [(SONG, a, b, "A+"), (SONG, a, b, "B-")]


def test_each_pair_of_alike_and_not_alike_is_one_where_the_reference_is_the_same() -> None:
    other = HeardClip("song", "m/song.flac", "s", 20.0, 30.0)
    rows = triplet_rows(
        [alike(HITS[0], True), alike(HITS[1], True), alike(HITS[2], False), alike(HITS[3], False, other)]
    )
    assert {closer_of(row) for row in rows} == {(HITS[0], HITS[2]), (HITS[1], HITS[2])}
    assert {row.grade for row in rows} <= {"A-", "B-"}


def test_the_last_word_about_a_hit_counts() -> None:
    rows = triplet_rows([alike(HITS[0], False), alike(HITS[1], False), alike(HITS[0], True)])
    assert [closer_of(row) for row in rows] == [(HITS[0], HITS[1])]


def test_neither_letter_is_favoured_and_pairs_are_bounded() -> None:
    rows = triplet_rows([alike(hit, number < 20) for number, hit in enumerate(HITS)])
    assert len(rows) == MAX_PAIRS
    letters = [row.grade[0] for row in rows]
    assert 0.2 < letters.count("A") / len(letters) < 0.8
    assert all(closer_of(row)[0] in HITS[:20] for row in rows)


def test_the_reference_itself_makes_no_triplet() -> None:
    itself = HeardClip("song:loop", "elsewhere", None, 10.0, 20.0)
    assert triplet_rows([CloserAnswer(SONG, None, itself, HITS[0], "a", sure=True)]) == []


def test_the_zip_is_a_table_that_is_read_as_others_are(tmp_path: Path) -> None:
    answers = [alike(HITS[0], True), alike(HITS[1], False), CloserAnswer(SONG, None, HITS[2], HITS[0], "b", sure=True)]
    cut: list[str] = []

    def write(heard: HeardClip, out: Path) -> None:
        cut.append(clip_name(heard))
        if heard == HITS[1]:
            raise AudioError("1.wav is not there now")
        out.write_bytes(b"RIFF")

    left_out = write_zip(tmp_path / "a.zip", answers, write)
    assert left_out == {"m/1.wav 0-2 s": "1.wav is not there now"}
    assert len(cut) == len(set(cut)) == 4
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "out")
    assert "1.wav is not there now" in (tmp_path / "out" / "README.txt").read_text()
    read = read_answers(tmp_path / "out" / "answers.csv")
    (triplet,) = read.triplets
    assert (triplet.reference, triplet.a, triplet.b) == (clip_name(SONG), clip_name(HITS[2]), clip_name(HITS[0]))
    assert triplet.part == "mix"
    assert triplet.votes["total"] == (0, 0, 0, 1)
    assert {path.name for path in (tmp_path / "out" / "clips").iterdir()} == {*cut} - {clip_name(HITS[1])}


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 answers make no triplet yet; answer which of two"):
        write_zip(tmp_path / "a.zip", [alike(HITS[0], True)], lambda *_: None)

    def gone(*_: object) -> None:
        raise AudioError("it is gone")

    with pytest.raises(InputError, match="none of the 1 triplets has all its clips: it is gone"):
        write_zip(tmp_path / "a.zip", [alike(HITS[0], True), alike(HITS[1], False)], gone)
