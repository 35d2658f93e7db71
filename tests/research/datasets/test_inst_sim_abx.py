"""Answers and cuts of Inst-Sim-ABX: small tables written here, and the released ones where they are."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import InputError
from soundalike.preferences.triplets import KINDS, PERSPECTIVES, Ballot, Triplet, above_cut_off, merge_mirrored
from soundalike.research.datasets.inst_sim_abx import (
    Answers,
    Checks,
    ClipName,
    clip_name,
    read_answers,
    read_configurations,
    without_cut,
)
from soundalike.research.datasets.slakh import ClipCut

HEADER = (
    ",ex_name,subject_id,reference,sample_a,sample_b,answer_timbre,answer_rhythm,answer_melody,answer_total,choice_time"
)
XYC = "set2/2/piano/X_1913-28.wav,set2/2/piano/C_1916-39.wav,set2/2/piano/Y_1913-8.wav"
XAB = "set2/1/bass/X_2086-27.wav,set2/1/bass/A_1954-46.wav,set2/1/bass/B_2037-38.wav"
CHECK_A = "samples/dummyX1.wav,samples/dummyX1.wav,samples/dummyB1.wav"
CHECK_B = "samples/dummyX2.wav,samples/dummyA2.wav,samples/dummyX2.wav"
ROWS = (
    f"0,ex202404,subject1,{XYC},B+,B+,B+,B+,36481",
    f"1,ex202404,subject2,{XAB},B-,NA,N/A,A-,45704",
    f"2,ex202407,subject3,{XYC},NA,A-,,B-,59801",
    f"3,ex202404,subject1,{CHECK_A},A+,A+,A+,A-,1",
    f"4,ex202404,subject2,{CHECK_A},A+,A+,A+,B+,1",
    f"5,ex202404,subject2,{CHECK_B},B+,B+,B+,B+,1",
    f"6,ex202404,subject1,{XAB},B-,B-,B-,A+,1",
)


def table(folder: Path, *rows: str, header: str = HEADER, name: str = "answers.csv") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return file


def own(folder: Path, *rows: str) -> Path:
    """A table of the columns that are needed, no others."""
    return table(folder, *rows, header="reference,sample_a,sample_b,answer_total")


class TestAnswers:
    def test_by_hand(self, tmp_path: Path) -> None:
        answers = read_answers(table(tmp_path, *ROWS))
        assert (answers.answers, answers.subjects, answers.checks) == (7, 3, Checks(asked=3, right=2))
        piano, bass = answers.triplets
        assert replace(piano, ballots=()) == Triplet(
            reference="set2/2/piano/X_1913-28.wav",
            a="set2/2/piano/C_1916-39.wav",
            b="set2/2/piano/Y_1913-8.wav",
            part="piano",
            tracks=("Track01913", "Track01916", "Track01913"),
            votes={"timbre": (0, 0, 0, 1), "rhythm": (0, 1, 0, 1), "melody": (0, 0, 0, 1), "total": (0, 0, 1, 1)},
        )
        assert (bass.part, bass.tracks) == ("bass", ("Track02086", "Track01954", "Track02037"))
        assert bass.votes == {
            "timbre": (0, 0, 2, 0),
            "rhythm": (0, 0, 1, 0),
            "melody": (0, 0, 1, 0),
            "total": (1, 1, 0, 0),
        }
        assert (piano.kind, bass.kind) == ("XYC", "XAB")

    def test_slots_matter_the_same_clips_turned_are_another_triplet(self, tmp_path: Path) -> None:
        found = read_answers(own(tmp_path, "x.wav,a.wav,b.wav,A+", "x.wav,b.wav,a.wav,A+")).triplets
        assert [(triplet.a, triplet.counts()) for triplet in found] == [
            ("a.wav", (1, 0, 0, 0)),
            ("b.wav", (1, 0, 0, 0)),
        ]

    @pytest.mark.parametrize("name", ["inst_sim_abx_answers.csv", "csvs/inst_sim_abx_answers.csv"])
    def test_a_folder_will_do(self, tmp_path: Path, name: str) -> None:
        assert read_answers(table(tmp_path, *ROWS, name=name)).answers == 7
        assert read_answers(tmp_path).answers == 7

    @pytest.mark.parametrize("write", [table, own])
    def test_marks_line_ends_and_blank_lines_of_editors_do_not_matter(
        self, tmp_path: Path, write: Callable[..., Path]
    ) -> None:
        file = write(tmp_path, *(ROWS if write is table else [f"{XAB},A+"]))
        expected = read_answers(file)
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n") + b"\r\n  \r\n\r\n")
        assert read_answers(file) == expected

    def test_quoted_cells_may_hold_commas(self, tmp_path: Path) -> None:
        (found,) = read_answers(own(tmp_path, '"Hello, again.wav",b.wav,c.wav,A+')).triplets
        assert found.reference == "Hello, again.wav"


class TestOwnTables:
    def test_four_columns_and_letters_are_enough(self, tmp_path: Path) -> None:
        answers = read_answers(own(tmp_path, "x.wav,a.wav,b.wav,A", "x.wav,a.wav,b.wav,B", "x.wav,a.wav,b.wav,B+"))
        assert (answers.answers, answers.subjects, answers.checks) == (3, 0, Checks(0, 0))
        (found,) = answers.triplets
        clips = ("x.wav", "a.wav", "b.wav")
        assert replace(found, ballots=()) == Triplet(*clips, "mix", clips, {"total": (0, 1, 1, 1)})
        assert found.kind == "XAB"

    def test_a_reference_among_the_candidates_is_a_check_whatever_its_name(self, tmp_path: Path) -> None:
        answers = read_answers(own(tmp_path, "x.wav,x.wav,b.wav,A", "x.wav,a.wav,x.wav,A", "x.wav,a.wav,b.wav,A"))
        assert (len(answers.triplets), answers.checks) == (1, Checks(asked=2, right=1))

    @pytest.mark.parametrize("name", ["songs/dummy song.wav", "crash test dummy.wav", "dummy/x.wav"])
    def test_a_dummy_in_a_title_is_no_check(self, tmp_path: Path, name: str) -> None:
        assert len(read_answers(own(tmp_path, f"{name},a.wav,b.wav,A")).triplets) == 1

    def test_parts_are_folders(self, tmp_path: Path) -> None:
        (found,) = read_answers(own(tmp_path, "mine/drums/x.wav,drums/a.wav,C:\\clips\\drums\\b.wav,B")).triplets
        assert found.part == "drums"


class TestTracks:
    def test_files_of_unknown_music_count_as_tracks_and_the_answers_say_so(self, tmp_path: Path) -> None:
        answers = read_answers(own(tmp_path, "x.wav,a.wav,b.wav,A"))
        assert answers.triplets[0].tracks == ("x.wav", "a.wav", "b.wav")
        assert not answers.tracks_known
        assert read_answers(table(tmp_path, *ROWS)).tracks_known

    def test_tracks_may_be_columns(self, tmp_path: Path) -> None:
        header = "reference,sample_a,sample_b,answer_total,reference_track,sample_a_track,sample_b_track"
        answers = read_answers(table(tmp_path, "x.wav,a.wav,b.wav,A,one,one,two", header=header))
        assert answers.triplets[0].tracks == ("one", "one", "two")
        assert answers.triplets[0].kind == "XYC"
        assert answers.tracks_known

    @pytest.mark.parametrize("pattern", ["^[^_]+", "(.+)_[0-9]+.wav"])
    def test_tracks_may_be_found_in_paths(self, tmp_path: Path, pattern: str) -> None:
        answers = read_answers(own(tmp_path, "blue_1.wav,blue_2.wav,red_1.wav,A"), pattern)
        assert answers.triplets[0].tracks == ("blue", "blue", "red")
        assert answers.tracks_known

    def test_a_pattern_that_matches_nothing_or_is_none_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="line 2: --track-pattern 'none' matches nothing in x"):
            read_answers(own(tmp_path, "x.wav,a.wav,b.wav,A"), "none")
        with pytest.raises(InputError, match="not a regular expression"):
            read_answers(own(tmp_path, "x.wav,a.wav,b.wav,A"), "(")


class TestBallots:
    def test_each_answer_is_kept_with_its_listener_and_time(self, tmp_path: Path) -> None:
        header = "subject_id;reference;sample_a;sample_b;answer_total;choice_time"
        answers = read_answers(table(tmp_path, "ann;x.wav;a.wav;b.wav;A+;1500,5", header=header))
        assert answers.triplets[0].ballots == (Ballot({"total": "A+"}, listener="ann", seconds=1.5005),)

    def test_a_time_that_is_no_number_is_refused(self, tmp_path: Path) -> None:
        header = "reference,sample_a,sample_b,answer_total,choice_time"
        with pytest.raises(InputError, match="line 2: choice_time is 'soon'; it must be a number of milliseconds"):
            read_answers(table(tmp_path, "x.wav,a.wav,b.wav,A+,soon", header=header))

    def test_checks_are_counted_by_listener(self, tmp_path: Path) -> None:
        header = "subject_id,reference,sample_a,sample_b,answer_total"
        rows = ["ann,x.wav,x.wav,b.wav,A", "ann,x.wav,a.wav,b.wav,A", "bob,x.wav,b.wav,x.wav,A"]
        checks = read_answers(table(tmp_path, *rows, header=header)).listener_checks
        assert checks == {"ann": Checks(1, 1), "bob": Checks(1, 0)}


class TestFilesOfSpreadsheetPrograms:
    LINES = ("Reference,sample_A,sample_b,answer_total", "Bär.wav,a.wav,b.wav,a+", "Bär.wav,a.wav,b.wav, B − ")

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    def test_any_separator_and_unicode_encoding(self, tmp_path: Path, separator: str, encoding: str) -> None:
        file = tmp_path / "answers.csv"
        file.write_bytes("\r\n".join(self.LINES).replace(",", separator).encode(encoding))
        (triplet,) = read_answers(file).triplets
        assert triplet.reference == "Bär.wav"
        assert triplet.counts() == (1, 0, 1, 0)

    def test_latin_1(self, tmp_path: Path) -> None:
        file = tmp_path / "answers.csv"
        file.write_bytes("\n".join(self.LINES[:2]).replace(",", ";").encode("latin-1"))
        assert read_answers(file).triplets[0].reference == "Bär.wav"

    def test_a_path_with_the_separator_needs_quotes(self, tmp_path: Path) -> None:
        assert read_answers(own(tmp_path, '"x, y.wav",a.wav,b.wav,A')).triplets[0].reference == "x, y.wav"
        with pytest.raises(InputError, match=r'line 2: 5 cells.*must be in "quotes"'):
            read_answers(own(tmp_path, "x, y.wav,a.wav,b.wav,A"))


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("x.wav,a.wav,b.wav,NA", r"line 3: answer_total is 'NA'; it must be A\+, A-, B-, B\+, A or B$"),
            ("x.wav,a.wav,b.wav,", "line 3: answer_total is ''"),
            ("x.wav,a.wav,b.wav,C+", r"line 3: answer_total is 'C\+'"),
            ("x.wav,a.wav,b.wav,A++", r"line 3: answer_total is 'A\+\+'"),
            ("x.wav,a.wav,b.wav", "line 3: 3 cells, but the header has 4 columns"),
            ("x.wav,a.wav,b.wav,A+,5", "line 3: 5 cells, but the header has 4 columns"),
            ("x.wav,,b.wav,A+", "line 3: a clip is missing"),
            ("x.wav,a.wav,a.wav,A+", "line 3: sample_a and sample_b are both a.wav"),
            ("x.wav,x.wav,x.wav,A+", "line 3: sample_a and sample_b are both x.wav"),
            ("x.wav,drums/a.wav,b.wav,A+", "line 3: compares mix with drums and mix"),
            ("x.wav,a.wav,drums/b.wav,A+", "line 3: compares mix with mix and drums"),
            (f"{XAB.split(',')[0]},a.wav,b.wav,A+", "line 3: compares bass with mix and mix"),
            (
                "samples/dummyX1.wav,samples/dummyA1.wav,samples/dummyB1.wav,A+",
                "line 3: samples/dummyX1.wav is an attention check",
            ),
        ],
    )
    def test_a_row_is_named(self, tmp_path: Path, row: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_answers(own(tmp_path, "x.wav,a.wav,b.wav,A+", row, "x.wav,a.wav,b.wav,A+"))

    def test_an_answer_from_a_perspective(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"line 2: answer_rhythm is 'C'; it must be .*, A or B, or NA for none"):
            read_answers(table(tmp_path, f"0,ex202404,subject1,{XAB},A+,C,A+,A+,36481"))

    @pytest.mark.parametrize(
        ("header", "message"),
        [
            (
                "reference,sample_a,sample_b",
                "one column 'answer_total' is needed, but the columns are reference, sample_a",
            ),
            ("reference|sample_a|sample_b|answer_total", "one column 'reference' is needed.*separated by commas, semi"),
            ("reference,sample_a,sample_b,answer_total,reference", "one column 'reference' is needed"),
            ("", "the columns are x.wav, a.wav"),
        ],
    )
    def test_columns(self, tmp_path: Path, header: str, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_answers(table(tmp_path, "x.wav,a.wav,b.wav,A+", header=header))

    def test_a_row_cut_off_at_the_end(self, tmp_path: Path) -> None:
        file = table(tmp_path, *ROWS)
        file.write_bytes(file.read_bytes()[:-10])
        with pytest.raises(InputError, match="line 8: 8 cells"):
            read_answers(file)

    def test_no_rows(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="contains no answers"):
            read_answers(own(tmp_path))

    def test_no_text(self, tmp_path: Path) -> None:
        file = tmp_path / "answers.csv"
        file.write_bytes(b"reference,\xff\xfe\x00")
        with pytest.raises(InputError, match=r"answers\.csv is not a text file; save the table as CSV in UTF-8"):
            read_answers(file)

    @pytest.mark.parametrize("place", ["", "nowhere", "nowhere.csv"])
    def test_where_to_get_them_is_said(self, tmp_path: Path, place: str) -> None:
        with pytest.raises(
            InputError,
            match=r"(contains no inst_sim_abx_answers|nowhere.* does not exist).*github\.com/zume06/Inst-Sim-ABX-Dataset",
        ):
            read_answers(tmp_path / place)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("set2/2/piano/X_1913-28.wav", ClipName("piano", "Track01913", 28, "X")),
        ("set79/3/mix/Y_1981-7.wav", ClipName("mix", "Track01981", 7, "Y")),
        ("data/set0/0/residuals/C_7-0.flac", ClipName("residuals", "Track00007", 0, "C")),
        ("set2/2/strings/X_1913-28.wav", ClipName("mix", "set2/2/strings/X_1913-28.wav", None, None)),
        ("drums/X_1913-28.wav", ClipName("drums", "drums/X_1913-28.wav", None, None)),
        ("set2/2/piano/Z_1913-28.wav", ClipName("piano", "set2/2/piano/Z_1913-28.wav", None, None)),
        ("set2/2/piano/X_1913.wav", ClipName("piano", "set2/2/piano/X_1913.wav", None, None)),
        ("song.wav", ClipName("mix", "song.wav", None, None)),
    ],
)
def test_clip_name(path: str, expected: ClipName) -> None:
    assert clip_name(path) == expected


CLIP = {"ID": 1913, "seg": 2, "filename": "X_1913-2.wav", "sr": 44_100, "index_s": 438_272, "index_e": 657_408}


def configuration(folder: Path, clip: Any, year: str = "202404", inner: str = "") -> Path:
    """A configuration of one clip, `set1/0/drums/X_1913-2.wav`."""
    file = folder / inner / f"dict_triplet_{year}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"1": {"0": {"test1": {"drums": {"X": clip}}}}}), encoding="utf-8")
    return file


class TestConfigurations:
    @pytest.mark.parametrize("inner", ["", "sample_configs"])
    @pytest.mark.parametrize("years", [("202404",), ("202407",), ("202404", "202407")])
    def test_by_hand(self, tmp_path: Path, inner: str, years: Sequence[str]) -> None:
        for year in years:
            configuration(tmp_path, CLIP, year, inner)
        found = read_configurations(tmp_path)
        assert found == {"set1/0/drums/X_1913-2.wav": ClipCut("Track01913", 438_272, 657_408, 44_100)}
        (cut,) = found.values()
        assert cut.start_seconds == pytest.approx(9.93814, abs=1e-5)
        assert cut.seconds == pytest.approx(4.96907, abs=1e-5)

    def test_both_files_count(self, tmp_path: Path) -> None:
        configuration(tmp_path, CLIP, "202404")
        configuration(tmp_path, {**CLIP, "ID": 1914, "filename": "Y_1914-2.wav"}, "202407")
        assert len(read_configurations(tmp_path)) == 2

    def test_two_cuts_of_a_clip_are_refused(self, tmp_path: Path) -> None:
        configuration(tmp_path, CLIP, "202404")
        configuration(tmp_path, {**CLIP, "index_s": 438_271}, "202407")
        with pytest.raises(
            InputError, match=r"202407\.json, 1/0/test1/drums/X: set1/0/drums/X_1913-2\.wav is .* one cut"
        ):
            read_configurations(tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            {"ID": None},
            {"ID": "1913"},
            {"index_s": -1},
            {"index_s": 657_408},
            {"index_e": 657_408.5},
            {"sr": 0},
            {"sr": True},
        ],
    )
    def test_numbers_that_are_none_are_refused(self, tmp_path: Path, change: Mapping[str, object]) -> None:
        configuration(tmp_path, {**CLIP, **change})
        with pytest.raises(
            InputError, match=r"202404\.json, 1/0/test1/drums/X: ID, index_s, index_e and sr are .*whole numbers"
        ):
            read_configurations(tmp_path)

    @pytest.mark.parametrize("change", [{"ID": 1914}, {"filename": "X.wav"}, {"filename": None}])
    def test_a_name_of_another_track_is_refused(self, tmp_path: Path, change: Mapping[str, object]) -> None:
        configuration(tmp_path, {**CLIP, **change})
        with pytest.raises(InputError, match="does not match the track"):
            read_configurations(tmp_path)

    @pytest.mark.parametrize("clip", [[], 3, None])
    def test_another_structure_is_refused(self, tmp_path: Path, clip: object) -> None:
        configuration(tmp_path, clip)
        with pytest.raises(InputError, match=r"1/0/test1/drums/X: .* is not a JSON object; the levels are set, sample"):
            read_configurations(tmp_path)

    def test_what_is_not_there_and_what_is_no_json_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"contains neither dict_triplet_202404\.json nor .*github\.com/zume06"):
            read_configurations(tmp_path)
        configuration(tmp_path, CLIP).write_text("{", encoding="utf-8")
        with pytest.raises(InputError, match=r"202404\.json: not JSON"):
            read_configurations(tmp_path)

    def test_clips_without_a_cut_are_named_once(self, tmp_path: Path) -> None:
        triplets = read_answers(own(tmp_path, "x.wav,a.wav,b.wav,A", "x.wav,b.wav,c.wav,A")).triplets
        assert without_cut(triplets, ["a.wav"]) == ["x.wav", "b.wav", "c.wav"]
        assert without_cut(triplets, ["a.wav", "b.wav", "c.wav", "x.wav"]) == []


@pytest.fixture(scope="module")
def released(test_data: Path) -> Path:
    folder = test_data / "inst_sim_abx"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: no released answers to test with")
    return folder


@pytest.fixture(scope="module")
def answers(released: Path) -> Answers:
    return read_answers(released)


@pytest.fixture(scope="module")
def cuts(released: Path) -> dict[str, ClipCut]:
    return read_configurations(released)


def sizes(triplets: Sequence[Triplet], kind: str) -> list[int]:
    """Triplets of a kind by part, in the order of the tables below."""
    counts = Counter(triplet.part for triplet in triplets if triplet.kind == kind)
    return [counts[part] for part in ("drums", "bass", "guitar", "piano", "residuals", "mix")]


def agrees(triplets: Sequence[Triplet]) -> int:
    """How often the majority chose the candidate of the reference's own track."""
    return sum((triplet.tracks[0] == triplet.tracks[1]) == (triplet.label() == 1) for triplet in triplets)


class TestReleased:
    def test_how_many_there_are(self, answers: Answers) -> None:
        assert (answers.answers, answers.subjects, len(answers.triplets)) == (28_095, 281, 3_794)
        assert answers.checks == Checks(asked=1_197, right=1_194)

    def test_no_answer_is_lost(self, released: Path, answers: Answers) -> None:
        with (released / "inst_sim_abx_answers.csv").open(newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if "dummy" not in row["reference"]]
        for perspective in PERSPECTIVES:
            given = Counter(row[f"answer_{perspective}"] for row in rows)
            found = [sum(votes) for votes in zip(*(t.counts(perspective) for t in answers.triplets), strict=True)]
            assert found == [given["A+"], given["A-"], given["B-"], given["B+"]]

    @pytest.mark.parametrize(
        ("kind", "cut_off", "expected"),
        [
            ("XAB", 0.75, [130, 129, 120, 127, 126, 146]),
            ("XYC", 0.75, [384, 363, 374, 386, 362, 214]),
            ("XAB", 0.80, [92, 95, 90, 83, 95, 127]),
            ("XYC", 0.80, [376, 342, 361, 376, 351, 204]),
        ],
    )
    def test_the_sets_behind_the_paper_s_first_table(
        self, answers: Answers, kind: str, cut_off: float, expected: list[int]
    ) -> None:
        assert sizes(above_cut_off(answers.triplets, cut_off), kind) == expected

    @pytest.mark.parametrize(
        ("kind", "cut_off", "expected"),
        [
            ("XAB", 0.5, [240] * 6),
            ("XYC", 0.5, [240] * 6),
            ("XAB", 0.75, [130, 129, 120, 127, 126, 146]),
            ("XYC", 0.75, [216, 202, 216, 217, 206, 214]),
            ("XAB", 0.80, [92, 95, 90, 83, 95, 127]),
            ("XYC", 0.80, [212, 180, 209, 210, 192, 204]),
        ],
    )
    def test_each_question_once(self, answers: Answers, kind: str, cut_off: float, expected: list[int]) -> None:
        once = merge_mirrored(answers.triplets)
        assert sizes(above_cut_off(once, cut_off) if cut_off > 0.5 else once, kind) == expected

    def test_part_triplets_were_shown_in_both_orders(self, answers: Answers) -> None:
        shown = {(triplet.reference, triplet.a, triplet.b) for triplet in answers.triplets}
        twice = [triplet for triplet in answers.triplets if (triplet.reference, triplet.b, triplet.a) in shown]
        assert len(twice) == 2 * 914
        assert {(triplet.kind, triplet.part == "mix") for triplet in twice} == {("XYC", False)}
        assert sizes(answers.triplets, "XYC") == [422, 426, 418, 430, 418, 240]

    def test_the_331_triplets_of_the_weighted_model(self, answers: Answers) -> None:
        mixes = [triplet for triplet in above_cut_off(answers.triplets, 0.8) if triplet.part == "mix"]
        labels = {kind: Counter(triplet.label() for triplet in mixes if triplet.kind == kind) for kind in KINDS}
        assert labels == {"XAB": {1: 69, -1: 58}, "XYC": {1: 107, -1: 97}}
        assert agrees([triplet for triplet in mixes if triplet.kind == "XYC"]) == 198
        assert len({track for triplet in mixes for track in triplet.tracks}) == 132

    def test_kinds_are_those_of_the_file_names(self, answers: Answers) -> None:
        for triplet in answers.triplets:
            roles = [clip_name(path).role for path in (triplet.reference, triplet.a, triplet.b)]
            assert roles[0] == "X"
            assert sorted(map(str, roles[1:])) == (["A", "B"] if triplet.kind == "XAB" else ["C", "Y"])

    def test_cuts_are_of_the_clips(self, answers: Answers, cuts: dict[str, ClipCut]) -> None:
        assert without_cut(answers.triplets, cuts) == []
        assert len(cuts) == 9_600
        assert {(cut.end - cut.start, cut.sample_rate) for cut in cuts.values()} == {(219_136, 44_100)}
        clips = {clip for triplet in answers.triplets for clip in (triplet.reference, triplet.a, triplet.b)}
        assert len(clips) == 7_200
        assert len({(clip_name(clip).part, cuts[clip]) for clip in clips}) == 6_363
        assert len({cuts[clip].track for clip in clips}) == 133
        assert all(cuts[clip].track == clip_name(clip).track for clip in clips)
