"""`reproduce` and `fit` end to end, on a miniature of the data with planted truth, with the embedded default."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

from soundalike.audio import decode
from soundalike.cli import cli
from soundalike.errors import InputError, SoundalikeError
from soundalike.models.encoders import ENCODERS, EncoderRow
from soundalike.parts import MIX
from soundalike.preferences.estimators import METHODS
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.datasets.inst_sim_abx import read_answers, read_configurations
from soundalike.research.datasets.slakh import Slakh
from soundalike.research.reproduce import clip_jobs
from soundalike.research.reproduce.conditions import stems_named
from soundalike.research.reproduce.paper_tables import Plan, Tell, reproduce
from soundalike.research.reproduce.report import Report, to_json
from soundalike.research.reproduce.report_files import write_report
from soundalike.similarity.cosine import unit
from soundalike.similarity.profiles import Profile
from tests.research.reproduce.conftest import Miniature

QUICK = (METHODS["ols"], METHODS["ridge"])


def plan(miniature: Miniature, *stems: str, slakh: Path | None = None, answers: Path | None = None) -> Plan:
    chosen = tuple(stems_named(name) for name in stems or ("true-6",))
    return Plan(answers or miniature.answers, slakh or miniature.slakh, ("builtin",), chosen, QUICK, splits=10)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "vectors.sqlite"


@pytest.fixture(scope="module")
def report(miniature: Miniature, cache: Path) -> Report:
    return reproduce(plan(miniature, "true-4", "true-6", "builtin"), cache)


def figures(report: Report, table: str, **wanted: str) -> list[dict[str, Any]]:
    (found,) = [one for one in report.tables if one.name == table]
    return [
        record
        for record in found.records()
        if all(str(record[name]).startswith(value) for name, value in wanted.items())
    ]


def test_every_table_is_there_and_rests_on_all_triplets(report: Report, miniature: Miniature) -> None:
    assert [table.name for table in report.tables] == [
        "table-1",
        "weights-builtin",
        "table-4",
        "perspectives",
        "answers",
        "splits",
    ]
    assert report.problems == {}
    kept = {
        (r["section"], r["column"]): r["value"] for r in figures(report, "answers", row="kept") if r["row"] == "kept"
    }
    for record in figures(report, "table-1", row="agreement"):
        kind = record["section"].removeprefix("builtin, ")
        assert record["total"] == kept[kind, record["column"]]


def test_the_planted_listeners_are_understood(report: Report) -> None:
    """They go by drums and bass as they were played; the true stems must show it."""
    record, *_ = figures(report, "weights-builtin", section="The same splits, XYC", row="true stems, 6", column="ols")
    assert record["value"] > 85
    drums, *_ = figures(report, "table-1", section="builtin, XYC, agreement of 75%", row="agreement", column="drums")
    assert drums["value"] > 80


def test_the_mix_is_judged_alike_whatever_the_stems(report: Report) -> None:
    values = {
        record["value"]
        for record in figures(report, "weights-builtin", section="Agreement over", column="cosine of the mix")
    }
    assert len(values) == 1


def test_stems_of_the_builtin_separator_are_never_silent_so_no_gated_row_repeats_them(report: Report) -> None:
    rows = {record["row"] for record in figures(report, "weights-builtin", section="Agreement over")}
    assert "builtin" in rows
    assert not any(row.startswith("builtin, gated") for row in rows)


def test_again_from_the_cache_it_is_the_same(
    report: Report, miniature: Miniature, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VectorCache(cache) as opened:
        size = len(opened)

    def no_separation(*_: object) -> None:
        raise AssertionError("separated again")

    monkeypatch.setattr("soundalike.research.clips.clip_embedding.separated", no_separation)
    again = reproduce(plan(miniature, "true-4", "true-6", "builtin"), cache)
    assert to_json(again) == to_json(report)
    with VectorCache(cache) as opened:
        assert len(opened) == size


def test_an_interrupted_run_goes_on_where_it_was(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed, done = clip_jobs.ClipEmbedder.embed, []

    def interrupted(self: clip_jobs.ClipEmbedder, clip: Any) -> Any:
        if len(done) == 25:
            raise KeyboardInterrupt
        done.append(clip)
        return embed(self, clip)

    monkeypatch.setattr(clip_jobs.ClipEmbedder, "embed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reproduce(plan(miniature), tmp_path / "vectors.sqlite")
    with VectorCache(tmp_path / "vectors.sqlite") as opened:
        kept = len(opened)
    assert kept >= 8
    monkeypatch.undo()
    said: list[str] = []
    reproduce(plan(miniature), tmp_path / "vectors.sqlite", tell=Tell(said.append))
    assert f"the {kept} vectors in" in "\n".join(said)


def test_what_is_missing_or_damaged_is_named_and_counted(miniature: Miniature, cache: Path, tmp_path: Path) -> None:
    shutil.copytree(miniature.slakh, tmp_path / "slakh")
    gone, cut, stemless = (tmp_path / "slakh" / "test" / track.name for track in miniature.tracks[:3])
    shutil.rmtree(gone)
    mix = cut / "mix.flac"
    mix.write_bytes(mix.read_bytes()[: mix.stat().st_size // 2])
    next(iter((stemless / "stems").iterdir())).unlink()
    found = reproduce(plan(miniature, slakh=tmp_path / "slakh"), cache)
    assert gone.name in found.problems
    assert stemless.name in found.problems
    assert any("mix.flac" in reason for reason in found.problems.values())
    lacking, totals, kept = (
        {
            record["section"].removeprefix("builtin, "): record[name]
            for record in figures(found, table, row=row, column="mix")
            if record["row"] == row
        }
        for table, row, name in (
            ("table-1", "kept, but without audio", "value"),
            ("table-1", "agreement, Wilson", "total"),
            ("answers", "kept", "value"),
        )
    )
    assert sum(lacking.values()) > 0
    for section, number in kept.items():
        assert lacking.get(section, 0) + totals.get(section, 0) == number


def test_a_folder_of_other_tracks_is_refused_at_once(miniature: Miniature, tmp_path: Path) -> None:
    shutil.copytree(miniature.slakh / "test" / "Track01876", tmp_path / "slakh" / "Track00001")
    with pytest.raises(InputError, match=r"holds no usable track of these answers: Track\d+ is not under .*zenodo"):
        reproduce(plan(miniature, slakh=tmp_path / "slakh"), tmp_path / "vectors.sqlite")


def test_a_full_disk_ends_in_words_and_loses_nothing(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = VectorCache.put

    def bounded(self: VectorCache, entries: Any) -> None:
        if len(self) > 10:
            self._connection.execute("PRAGMA max_page_count = 1")
        put(self, entries)

    monkeypatch.setattr(VectorCache, "put", bounded)
    with pytest.raises(SoundalikeError, match=r"full; what it holds is kept.*run again"):
        reproduce(plan(miniature), tmp_path / "vectors.sqlite")
    with VectorCache(tmp_path / "vectors.sqlite") as opened:
        assert len(opened) > 10


def test_the_report_can_be_written(report: Report, tmp_path: Path) -> None:
    paths = write_report(report, tmp_path, html=True)
    with paths["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(json.loads(paths["json"].read_text())["figures"]) > 300
    page = paths["html"].read_text()
    assert page.count("<svg") == len(report.plots) == 1 + 3 + 1
    assert "True" not in page


class Loudness:
    """An encoder of one's own: levels in four quarters of the clip."""

    name, version, sample_rate, dimension, clip_seconds = "mine", "1", 8_000, 4, None

    def embed(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        rows = np.array([[np.abs(quarter).mean() for quarter in np.array_split(one, 4)] for one in waveforms])
        return np.asarray(unit(rows - rows.mean(axis=1, keepdims=True)))


def test_an_encoder_of_one_s_own_is_a_row_like_any_other(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENCODERS, "mine", EncoderRow(lambda runtime: Loudness(), "levels", "none"))
    mine = replace(plan(miniature), encoders=("mine",))
    names = [table.name for table in reproduce(mine, tmp_path / "vectors.sqlite").tables]
    assert "weights-mine" in names


def ask(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def test_answers_alone_need_no_audio(miniature: Miniature, tmp_path: Path) -> None:
    done = ask("reproduce", "--answers", miniature.answers, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "report.html").exists()
    assert "always the same track" in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--encoder", "nonsense"], "unknown encoder 'nonsense'; there are builtin, clap"),
        (["--stems", "true-5"], "unknown stems 'true-5'; there are true-4, true-6, builtin"),
        (["--method", "magic"], "unknown method 'magic'; there are ols, ridge"),
        (["--slakh", "nowhere"], "nowhere is no folder"),
        (["--precision", "fast"], "neither the encoder builtin nor the separator stems has the precision 'fast'"),
        (["--cut-off", "0.4"], "a cut-off of 0.4 is not possible"),
        (["--cut-off", "80"], "a cut-off of 80 is not possible"),
        (["--gate", "40"], "a gate of 40 dB is not possible; it is a level under the mix, such as -40"),
    ],
)
def test_wrong_arguments_are_named(miniature: Miniature, tmp_path: Path, arguments: list[str], words: str) -> None:
    given = arguments if "--encoder" in arguments else [*arguments, "--encoder", "builtin"]
    given = given if "--stems" in arguments else [*given, "--stems", "true-6"]
    given = given if "--slakh" in arguments else [*given, "--slakh", str(miniature.slakh)]
    done = ask("reproduce", "--answers", miniature.answers, "--out", tmp_path / "out", *given)
    assert isinstance(done.exception, InputError)
    assert words in str(done.exception)


def test_rows_without_audio_are_refused(miniature: Miniature, tmp_path: Path) -> None:
    done = ask("reproduce", "--answers", miniature.answers, "--encoder", "builtin", "--out", tmp_path / "out")
    assert "need audio: name the folder of Slakh2100 by --slakh" in str(done.exception)


def test_a_test_of_single_answers_claims_no_ceiling(own_test: Path, miniature: Miniature, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    mixes = [t for t in read_answers(miniature.answers).triplets if t.part == MIX]
    rows = [f"{t.reference},{t.a},{t.b},{rng.choice(['A', 'B'])}" for t in mixes]
    (tmp_path / "own.csv").write_text("\n".join(["reference,sample_a,sample_b,answer_total", *rows]) + "\n")
    done = ask("fit", tmp_path / "own.csv", "--audio", own_test, "--out", tmp_path / "mine.json", "--method", "ridge")
    assert done.exit_code == 0, done.output
    assert "what a perfect model would reach cannot be told" in done.output
    assert "not shown to be better" in done.output


@pytest.fixture(scope="module")
def own_test(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mix clips of the miniature as files, named as its answers name them."""
    folder = tmp_path_factory.mktemp("own")
    slakh, cuts = Slakh(miniature.slakh), read_configurations(miniature.answers)
    mixes = [t for t in read_answers(miniature.answers).triplets if t.part == MIX]
    for name in {name for t in mixes for name in (t.reference, t.a, t.b)}:
        path, cut = folder / name, cuts[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        found = decode.read(slakh.mixture(cut.track), cut.start_seconds, cut.seconds)
        soundfile.write(path, found.samples.T, found.sample_rate, subtype="FLOAT")
    return folder


def test_weights_of_one_s_own_test_serve_a_query(
    miniature: Miniature, own_test: Path, library: Path, music: Path, tmp_path: Path
) -> None:
    answers = miniature.answers / "inst_sim_abx_answers.csv"
    out = tmp_path / "mine.json"
    done = ask("fit", answers, "--audio", own_test, "--out", out, "--report", tmp_path / "report")
    assert done.exit_code == 0, done.output
    profile = Profile.from_json(json.loads(out.read_text()))
    assert (profile.name, profile.encoder, profile.separator) == ("mine", "builtin", "builtin")
    assert set(profile.intervals) == {"bass", "drums", "residuals", "mix"}
    for part, weight in profile.weights.items():
        low, high = profile.intervals[part]
        assert low < weight < high
    assert profile.agreement is not None
    assert profile.agreement > 0.7
    assert "XAB: these weights" in done.output
    assert "than the cosine of the mix" in done.output
    assert profile.clip_seconds == pytest.approx(4.969, abs=0.001)
    assert (tmp_path / "report" / "report.html").exists()
    song = sorted((music / "songs").iterdir())[0]
    hits = ask("similar", song, "-L", library, "--profile", out, "--format", "json")
    assert hits.exit_code == 0, hits.output
    assert "profile mine" in hits.output


def test_clips_that_are_not_there_are_named_and_the_others_used(
    miniature: Miniature, own_test: Path, tmp_path: Path
) -> None:
    shutil.copytree(own_test, tmp_path / "audio")
    for path in sorted((tmp_path / "audio").rglob("*.wav"))[:5]:
        path.unlink()
    answers = miniature.answers / "inst_sim_abx_answers.csv"
    done = ask("fit", answers, "--audio", tmp_path / "audio", "--out", tmp_path / "mine.json", "--method", "ridge")
    assert done.exit_code == 0, done.output
    assert "5 clips could not be used" in done.output
    assert "there is no file" in done.output


def test_a_test_without_audio_or_mixtures_is_refused(miniature: Miniature, tmp_path: Path) -> None:
    answers = miniature.answers / "inst_sim_abx_answers.csv"
    done = ask("fit", answers, "--audio", tmp_path / "nowhere", "--out", tmp_path / "mine.json")
    assert "is no folder" in str(done.exception)
    done = ask("fit", answers, "--audio", tmp_path, "--out", tmp_path / "mine.json")
    assert "no triplet's audio could be used: there is no file" in str(done.exception)
    (tmp_path / "own.csv").write_text(
        "reference,sample_a,sample_b,answer_total\ndrums/a.wav,drums/b.wav,drums/c.wav,A\n"
    )
    done = ask("fit", tmp_path / "own.csv", "--audio", tmp_path, "--out", tmp_path / "mine.json")
    assert "compare single parts" in str(done.exception)
    assert not (tmp_path / "mine.json").exists()
