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

from soundalike.errors import InputError, SoundalikeError
from soundalike.models.encoders import ENCODERS, EncoderRow
from soundalike.models.separators import SEPARATORS
from soundalike.preferences.estimators import METHODS
from soundalike.research.clips.clip_embedding import ClipEmbedder
from soundalike.research.clips.vector_cache import VectorCache
from soundalike.research.reproduce.clip_jobs import Callbacks
from soundalike.research.reproduce.conditions import get_stems
from soundalike.research.reproduce.pipeline import ReproduceOptions, reproduce
from soundalike.research.reproduce.report import Report, to_json
from soundalike.research.reproduce.report_files import write_report
from soundalike.similarity.cosine import unit
from tests.research.reproduce.conftest import Miniature
from tests.research.reproduce.made_up import run_command

QUICK = (METHODS["ols"], METHODS["ridge"])


def options(
    miniature: Miniature, *stems: str, slakh: Path | None = None, answers: Path | None = None
) -> ReproduceOptions:
    chosen = tuple(get_stems(name) for name in stems or ("true-6",))
    return ReproduceOptions(
        answers or miniature.answers, slakh or miniature.slakh, ("builtin",), chosen, QUICK, splits=10
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "vectors.sqlite"


@pytest.fixture(scope="module")
def report(miniature: Miniature, cache: Path) -> Report:
    return reproduce(options(miniature, "true-4", "true-6", "builtin"), cache)


def records(report: Report, table: str, **wanted: str) -> list[dict[str, Any]]:
    (found,) = [one for one in report.tables if one.name == table]
    return [
        record
        for record in found.records()
        if all(str(record[name]).startswith(value) for name, value in wanted.items())
    ]


@pytest.mark.long
def test_every_table_is_there_and_uses_all_triplets(report: Report, miniature: Miniature) -> None:
    assert [table.name for table in report.tables] == [
        "table-1",
        "weights-builtin",
        "tests",
        "table-4",
        "perspectives",
        "reconciliation",
        "answers",
        "sides",
        "splits",
    ]
    assert report.problems == {}
    kept = {
        (r["section"], r["column"]): r["value"] for r in records(report, "answers", row="kept") if r["row"] == "kept"
    }
    rows = [record for record in records(report, "table-1", row="agreement") if "Imamura" not in record["section"]]
    assert len(rows) >= 16
    for record in rows:
        kind = record["section"].removeprefix("builtin, ")
        assert record["total"] == kept[kind, record["column"]]


@pytest.mark.long
def test_the_planted_preferences_are_recovered(report: Report) -> None:
    """Listeners decide by drums and bass; true stems must show it."""
    record, *_ = records(report, "weights-builtin", section="The same splits, XYC", row="true stems, 6", column="ols")
    assert record["value"] > 85
    drums, *_ = records(report, "table-1", section="builtin, XYC, agreement of 75%", row="agreement", column="drums")
    assert drums["value"] > 80


@pytest.mark.long
def test_the_baseline_does_not_depend_on_the_stems(report: Report) -> None:
    values = {
        record["value"]
        for record in records(report, "weights-builtin", section="Agreement over", column="cosine of the mix")
    }
    assert len(values) == 1


@pytest.mark.long
def test_a_gated_row_that_would_repeat_the_ungated_one_is_left_out(
    report: Report, miniature: Miniature, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some clips have no drums for the separator; no part is 290 dB below its mixture, but vocals have a gate of their own."""
    monkeypatch.setitem(SEPARATORS, "builtin", replace(SEPARATORS["builtin"], gates={}))
    everything_passes = reproduce(replace(options(miniature, "builtin"), gate=-290.0), cache)
    for made, gated in ((report, {"builtin, gated at -40 dB"}), (everything_passes, set())):
        rows = {record["row"] for record in records(made, "weights-builtin", section="Agreement over")}
        assert "builtin" in rows
        assert {row for row in rows if row.startswith("builtin, gated")} == gated


@pytest.mark.long
def test_a_second_run_uses_the_cache_and_gives_the_same_report(
    report: Report, miniature: Miniature, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VectorCache(cache) as opened:
        size = len(opened)

    def no_separation(*_: object) -> None:
        raise AssertionError("separated again")

    monkeypatch.setattr("soundalike.research.clips.clip_embedding.separate_waveform", no_separation)
    again = reproduce(options(miniature, "true-4", "true-6", "builtin"), cache)
    assert to_json(again) == to_json(report)
    with VectorCache(cache) as opened:
        assert len(opened) == size


@pytest.mark.long
def test_an_interrupted_run_resumes(miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embed, done = ClipEmbedder.embed, []

    def interrupted(self: ClipEmbedder, clip: Any) -> Any:
        if len(done) == 25:
            raise KeyboardInterrupt
        done.append(clip)
        return embed(self, clip)

    monkeypatch.setattr(ClipEmbedder, "embed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reproduce(options(miniature), tmp_path / "vectors.sqlite")
    with VectorCache(tmp_path / "vectors.sqlite") as opened:
        kept = len(opened)
    assert kept >= 8
    monkeypatch.undo()
    messages: list[str] = []
    reproduce(options(miniature), tmp_path / "vectors.sqlite", callbacks=Callbacks(messages.append))
    assert f"the {kept} vectors cached in" in "\n".join(messages)


@pytest.mark.long
def test_missing_and_damaged_tracks_are_named_and_counted(miniature: Miniature, cache: Path, tmp_path: Path) -> None:
    shutil.copytree(miniature.slakh, tmp_path / "slakh")
    gone, cut, stemless = (tmp_path / "slakh" / "test" / track.name for track in miniature.tracks[:3])
    shutil.rmtree(gone)
    mix = cut / "mix.flac"
    mix.write_bytes(mix.read_bytes()[: mix.stat().st_size // 2])
    next(iter((stemless / "stems").iterdir())).unlink()
    found = reproduce(options(miniature, slakh=tmp_path / "slakh"), cache)
    assert gone.name in found.problems
    assert stemless.name in found.problems
    assert any("mix.flac" in reason for reason in found.problems.values())
    lacking, totals, kept = (
        {
            record["section"].removeprefix("builtin, "): record[name]
            for record in records(found, table, row=row, column="mix")
            if record["row"] == row
        }
        for table, row, name in (
            ("table-1", "kept, but without audio", "value"),
            ("table-1", "agreement", "total"),
            ("answers", "kept", "value"),
        )
    )
    assert sum(lacking.values()) > 0
    for section, number in kept.items():
        assert lacking.get(section, 0) + totals.get(section, 0) == number


def test_a_folder_without_the_tracks_is_refused(miniature: Miniature, tmp_path: Path) -> None:
    shutil.copytree(miniature.slakh / "test" / "Track01876", tmp_path / "slakh" / "Track00001")
    with pytest.raises(InputError, match=r"has no usable track of these answers: Track\d+ is not under .*zenodo"):
        reproduce(options(miniature, slakh=tmp_path / "slakh"), tmp_path / "vectors.sqlite")


def test_a_full_disk_is_reported_and_loses_nothing(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = VectorCache.put

    def bounded(self: VectorCache, entries: Any) -> None:
        if len(self) > 10:
            self._connection.execute("PRAGMA max_page_count = 1")
        put(self, entries)

    monkeypatch.setattr(VectorCache, "put", bounded)
    with pytest.raises(SoundalikeError, match=r"full; its vectors are kept.*run again"):
        reproduce(options(miniature), tmp_path / "vectors.sqlite")
    with VectorCache(tmp_path / "vectors.sqlite") as opened:
        assert len(opened) > 10


@pytest.mark.long
def test_the_report_can_be_written(report: Report, tmp_path: Path) -> None:
    paths = write_report(report, tmp_path, html=True)
    with paths["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(json.loads(paths["json"].read_text())["figures"]) > 300
    page = paths["html"].read_text()
    assert page.count("<svg") == len(report.plots) == 1 + 3 + 1
    assert "True" not in page


class Loudness:
    """A custom encoder: levels in four quarters of the clip."""

    name, version, sample_rate, dimension, clip_seconds = "mine", "1", 8_000, 4, None

    def embed(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        rows = np.array([[np.abs(quarter).mean() for quarter in np.array_split(one, 4)] for one in waveforms])
        return np.asarray(unit(rows - rows.mean(axis=1, keepdims=True)))


@pytest.mark.long
def test_a_custom_encoder_is_a_condition_like_any_other(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENCODERS, "mine", EncoderRow(lambda runtime: Loudness(), "levels", "none"))
    mine = replace(options(miniature), encoders=("mine",))
    names = [table.name for table in reproduce(mine, tmp_path / "vectors.sqlite").tables]
    assert "weights-mine" in names


def test_answers_alone_need_no_audio(miniature: Miniature, tmp_path: Path) -> None:
    done = run_command("reproduce", "--answers", miniature.answers, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "report.html").exists()
    assert "always the same track" in (tmp_path / "out" / "report.md").read_text()
    for line in (
        "## The paper's counts and the answers",
        "| XAB, the paper | 92 |",
        "a single listener",
        "--slakh FOLDER",
    ):
        assert line in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--encoder", "nonsense"], "unknown encoder 'nonsense'; choose from builtin, clap"),
        (["--stems", "true-5"], "unknown stems 'true-5'; choose from true-4, true-6, builtin"),
        (["--method", "magic"], "unknown method 'magic'; choose from ols, ridge"),
        (["--slakh", "nowhere"], "nowhere is not a folder"),
        (["--precision", "fast"], "neither the encoder builtin nor the separator stems has the precision 'fast'"),
        (["--cut-off", "0.4"], "the cut-off is 0.4; it must be"),
        (["--cut-off", "80"], "the cut-off is 80; it must be"),
        (["--gate", "40"], "the gate is 40 dB; it must be a level below the mix, such as -40"),
    ],
)
def test_invalid_arguments_are_named(miniature: Miniature, tmp_path: Path, arguments: list[str], message: str) -> None:
    given = arguments if "--encoder" in arguments else [*arguments, "--encoder", "builtin"]
    given = given if "--stems" in arguments else [*given, "--stems", "true-6"]
    given = given if "--slakh" in arguments else [*given, "--slakh", str(miniature.slakh)]
    done = run_command("reproduce", "--answers", miniature.answers, "--out", tmp_path / "out", *given)
    assert isinstance(done.exception, InputError)
    assert message in str(done.exception)


def test_conditions_without_audio_are_refused(miniature: Miniature, tmp_path: Path) -> None:
    done = run_command("reproduce", "--answers", miniature.answers, "--encoder", "builtin", "--out", tmp_path / "out")
    assert "need audio: give the folder of Slakh2100 with --slakh" in str(done.exception)
