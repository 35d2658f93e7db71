from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from soundalike.errors import InputError
from soundalike.research.datasets.inst_sim_abx import clip_name, read_answers, read_configurations, without_cut
from soundalike.synth.listeners import WEIGHTS, Listeners, Segment, likeness
from soundalike.synth.miniature_inst_sim_abx import write_inst_sim_abx
from soundalike.synth.miniature_slakh import FIRST_TRACK, MiniTrack
from soundalike.synth.specs import song_specs

TRACKS = tuple(
    MiniTrack(FIRST_TRACK + n, spec, spec.bars * 240 / spec.tempo + 1.5)
    for n, spec in enumerate(song_specs(1, 12, 30.0))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("abx")
    write_inst_sim_abx(place, TRACKS)
    return place


def test_the_table_has_the_released_columns_and_answers(folder: Path) -> None:
    with (folder / "inst_sim_abx_answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "",
        "ex_name",
        "subject_id",
        "reference",
        "sample_a",
        "sample_b",
        "answer_timbre",
        "answer_rhythm",
        "answer_melody",
        "answer_total",
        "choice_time",
    ]
    assert [row[""] for row in rows] == [str(n) for n in range(len(rows))]
    assert {row["ex_name"] for row in rows} == {"ex202404", "ex202407"}
    assert {row["answer_total"] for row in rows} == {"A+", "A-", "B+", "B-"}
    for name in ("timbre", "melody"):
        assert 0.05 < sum(row[f"answer_{name}"] == "NA" for row in rows) / len(rows) < 0.3
    assert "NA" not in {row["answer_total"] for row in rows}
    assert b"\r" not in (folder / "inst_sim_abx_answers.csv").read_bytes()
    assert all(row["ex_name"] == "ex202407" for row in rows if "/mix/" in row["reference"])
    shape = re.compile(
        r"set\d+/\d/(drums|bass|piano|guitar|residuals|mix)/[XABYC]_\d{4}-\d+\.wav|samples/dummy(X[12]|B1|A2)\.wav"
    )
    assert all(shape.fullmatch(row[name]) for row in rows for name in ("reference", "sample_a", "sample_b"))


def test_the_configurations_have_the_released_form(folder: Path) -> None:
    later = json.loads((folder / "dict_triplet_202407.json").read_text())
    earlier = json.loads((folder / "dict_triplet_202404.json").read_text())
    assert list(later["0"]["0"]["test1"]["mix"]) == ["X", "Y", "C"]
    assert list(later["0"]["0"]["test2"]["mix"]) == ["X", "A", "B"]
    values = later["0"]["0"]["test2"]["drums"]["A"]
    assert list(values) == ["ID", "seg", "filename", "sr", "index_s", "index_e"]
    assert values["index_s"] == values["seg"] * 219_136
    assert values["index_e"] == values["index_s"] + 219_136
    assert values["filename"] == f"A_{values['ID']}-{values['seg']}.wav"
    assert not any("mix" in test for sets in earlier.values() for one in sets.values() for test in one.values())
    assert earlier["0"]["0"]["test2"]["drums"] == later["0"]["0"]["test2"]["drums"]


def test_questions_are_of_the_kind_that_their_names_say(folder: Path) -> None:
    answers, cuts = read_answers(folder), read_configurations(folder)
    assert without_cut(answers.triplets, cuts) == []
    assert answers.checks.asked == 48
    assert answers.checks.right >= 45
    counts: dict[tuple[str, str], int] = {}
    both = 0
    asked = {(t.reference, t.a, t.b) for t in answers.triplets}
    for t in answers.triplets:
        roles = "".join(sorted(str(clip_name(name).role) for name in (t.a, t.b)))
        assert (roles == "AB") == (t.kind == "XAB")
        assert 2 <= sum(t.counts()) <= 12
        counts[t.part, t.kind] = counts.get((t.part, t.kind), 0) + 1
        both += (t.reference, t.b, t.a) in asked
        for name in (t.reference, t.a, t.b):
            track = TRACKS[int(cuts[name].track[-5:]) - FIRST_TRACK]
            assert cuts[name].start_seconds + cuts[name].seconds <= track.duration
            assert (
                t.part
                in Segment(track.spec, cuts[name].start_seconds, cuts[name].start_seconds + cuts[name].seconds).parts
            )
    assert counts["mix", "XAB"] == counts["mix", "XYC"] == 60
    assert counts["drums", "XAB"] == 20 < counts["drums", "XYC"]
    assert both > 0
    assert all(t.part != "mix" and t.kind == "XYC" for t in answers.triplets if (t.reference, t.b, t.a) in asked)


def test_xab_questions_have_a_number_of_their_own(tmp_path: Path) -> None:
    write_inst_sim_abx(tmp_path, TRACKS, mixes=2, parts=3, xab=9)
    later = json.loads((tmp_path / "dict_triplet_202407.json").read_text())
    samples = [sample for group in later.values() for sample in group.values()]
    for part in ("drums", "bass"):
        assert [sum(part in sample.get(test, {}) for sample in samples) for test in ("test1", "test2")] == [3, 9]
    assert [sum("mix" in sample.get(test, {}) for sample in samples) for test in ("test1", "test2")] == [2, 2]


@pytest.mark.long
def test_votes_carry_the_planted_weights(tmp_path: Path) -> None:
    # Without lapses, which draw all weights towards 0.
    write_inst_sim_abx(tmp_path, TRACKS, mixes=400, parts=1, listeners=Listeners(lapse=0.0))
    cuts = read_configurations(tmp_path)

    def segment(name: str) -> Segment:
        cut = cuts[name]
        spec = TRACKS[int(cut.track[-5:]) - FIRST_TRACK].spec
        return Segment(spec, cut.start_seconds, cut.start_seconds + cut.seconds)

    rows, labels, times = [], [], []
    for t in read_answers(tmp_path).triplets:
        if t.part == "mix":
            x, a, b = map(segment, (t.reference, t.a, t.b))
            row = [likeness(x, a, part)["total"] - likeness(x, b, part)["total"] for part in WEIGHTS]
            rows += [row, row]
            labels += [1, 0]
            times += [t.for_a(), t.for_b()]
    fitted = LogisticRegression(fit_intercept=False, C=1e4).fit(rows, labels, sample_weight=times).coef_[0]
    np.testing.assert_allclose(fitted, list(WEIGHTS.values()), atol=0.6)


def test_majorities_follow_what_was_played(folder: Path) -> None:
    cuts, listeners = read_configurations(folder), Listeners()

    def segment(name: str) -> Segment:
        cut = cuts[name]
        spec = TRACKS[int(cut.track[-5:]) - FIRST_TRACK].spec
        return Segment(spec, cut.start_seconds, cut.start_seconds + cut.seconds)

    mixes = [t for t in read_answers(folder).triplets if t.part == "mix" and t.label()]
    odds = np.array([listeners.log_odds(*map(segment, (t.reference, t.a, t.b)), "mix") for t in mixes])
    majority = np.array([t.label() for t in mixes])
    assert np.mean(np.sign(odds) == majority) > 0.85


def test_the_truth_is_kept_and_another_seed_asks_other_questions(folder: Path, tmp_path: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    assert truth == {"weights": WEIGHTS, "lapse": 0.02, "strength": 1.5}
    write_inst_sim_abx(tmp_path, TRACKS, seed=2)
    assert (tmp_path / "inst_sim_abx_answers.csv").read_bytes() != (folder / "inst_sim_abx_answers.csv").read_bytes()


def test_the_same_numbers_give_the_same_files(folder: Path, tmp_path: Path) -> None:
    write_inst_sim_abx(tmp_path, TRACKS)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_too_few_tracks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"3 tracks with .* are too few"):
        write_inst_sim_abx(tmp_path, TRACKS[:3])
    assert list(tmp_path.iterdir()) == []
