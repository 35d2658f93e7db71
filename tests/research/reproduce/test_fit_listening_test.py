"""`soundalike fit` end to end, on the clips and answers of a miniature listening test."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from soundalike import config
from soundalike.audio import decode
from soundalike.parts import MIX
from soundalike.research.datasets.inst_sim_abx import read_answers, read_configurations
from soundalike.research.datasets.slakh import Slakh
from soundalike.similarity.profiles import Profile
from tests.research.reproduce.conftest import Miniature
from tests.research.reproduce.made_up import run_command


@pytest.fixture(scope="module")
def clips(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mix clips of the miniature as files, named as in its answers."""
    folder = tmp_path_factory.mktemp("own")
    slakh, cuts = Slakh(miniature.slakh), read_configurations(miniature.answers)
    mixes = [t for t in read_answers(miniature.answers).triplets if t.part == MIX]
    for name in {name for t in mixes for name in (t.reference, t.a, t.b)}:
        path, cut = folder / name, cuts[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        found = decode.read(slakh.mixture(cut.track), cut.start_seconds, cut.seconds)
        soundfile.write(path, found.samples.T, found.sample_rate, subtype="FLOAT")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors of the clips: each is embedded once for all tests."""
    return tmp_path_factory.mktemp("cache") / "vectors.sqlite"


@pytest.mark.long
def test_single_answers_give_no_noise_ceiling(clips: Path, cache: Path, miniature: Miniature, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    mixes = [t for t in read_answers(miniature.answers).triplets if t.part == MIX]
    rows = [f"{t.reference},{t.a},{t.b},{rng.choice(['A', 'B'])}" for t in mixes]
    (tmp_path / "own.csv").write_text("\n".join(["reference,sample_a,sample_b,answer_total", *rows]) + "\n")
    done = run_command(
        *("fit", tmp_path / "own.csv", "--audio", clips, "--out", tmp_path / "mine.json"),
        *("--cache", cache, "--method", "ridge"),
    )
    assert done.exit_code == 0, done.output
    assert "noise ceiling unknown" in done.output
    assert "a single listener: unknown" in done.output
    assert "not shown to be better" in done.output


@pytest.mark.long
def test_the_fitted_profile_can_be_used_in_a_search(
    miniature: Miniature, clips: Path, cache: Path, library: Path, music: Path, tmp_path: Path
) -> None:
    answers = miniature.answers / "inst_sim_abx_answers.csv"
    out = tmp_path / "mine.json"
    done = run_command(
        "fit", answers, "--audio", clips, "--out", out, "--cache", cache, "--report", tmp_path / "report"
    )
    assert done.exit_code == 0, done.output
    profile = Profile.from_json(json.loads(out.read_text()))
    assert (profile.name, profile.encoder, profile.separator) == ("mine", "builtin", "builtin")
    assert set(profile.intervals) == {"bass", "drums", "vocals", "residuals", "mix"}
    for part, weight in profile.weights.items():
        low, high = profile.intervals[part]
        assert low < weight < high
    assert profile.agreement is not None
    assert profile.agreement > 0.7
    assert "share no track with it" in done.output
    assert "XAB: these weights" in done.output
    assert "than the cosine of the mix" in done.output
    assert "a single listener agrees with the majority of the others" in done.output
    assert "sample_a was chosen in" in done.output
    assert "The clips come from 6 tracks only" in done.output
    assert profile.clip_seconds == pytest.approx(4.969, abs=0.001)
    assert "The clips last 4.97 s (median), less than a window of a song (10 s)" in done.output
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    for title in ("Listeners", "Preference for the side shown first", "Primary test", "a single listener"):
        assert title in page
    song = sorted((music / "songs").iterdir())[0]
    hits = run_command("similar", song, "-L", library, "--profile", out, "--format", "json")
    assert hits.exit_code == 0, hits.output
    assert "profile mine" in hits.output


@pytest.mark.long
def test_missing_clips_are_named_and_the_others_used(miniature: Miniature, clips: Path, tmp_path: Path) -> None:
    shutil.copytree(clips, tmp_path / "audio")
    for path in sorted((tmp_path / "audio").rglob("*.wav"))[:5]:
        path.unlink()
    answers = miniature.answers / "inst_sim_abx_answers.csv"
    done = run_command(
        "fit", answers, "--audio", tmp_path / "audio", "--out", tmp_path / "mine.json", "--method", "ridge"
    )
    assert done.exit_code == 0, done.output
    assert "5 clips could not be used" in done.output
    assert "there is no file" in done.output


def test_a_missing_extra_is_reported_before_the_clips_are_embedded(
    miniature: Miniature, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(config.EXTRAS, "report", ("not_installed_anywhere",))
    answers = miniature.answers / "inst_sim_abx_answers.csv"
    done = run_command("fit", answers, "--audio", clips, "--out", tmp_path / "mine.json")
    assert "`soundalike fit` needs not_installed_anywhere; install it: pip install 'soundalike[report]'" in str(
        done.exception
    )
    assert not list(tmp_path.iterdir())


def test_answers_without_audio_or_mixes_are_refused(miniature: Miniature, tmp_path: Path) -> None:
    answers = miniature.answers / "inst_sim_abx_answers.csv"
    done = run_command("fit", answers, "--audio", tmp_path / "nowhere", "--out", tmp_path / "mine.json")
    assert "is not a folder" in str(done.exception)
    done = run_command("fit", answers, "--audio", tmp_path, "--out", tmp_path / "mine.json")
    assert "no triplet's audio could be used: there is no file" in str(done.exception)
    (tmp_path / "own.csv").write_text(
        "reference,sample_a,sample_b,answer_total\ndrums/a.wav,drums/b.wav,drums/c.wav,A\n"
    )
    done = run_command("fit", tmp_path / "own.csv", "--audio", tmp_path, "--out", tmp_path / "mine.json")
    assert "compare single parts" in str(done.exception)
    assert not (tmp_path / "mine.json").exists()


@pytest.fixture
def plain_answers(miniature: Miniature, clips: Path, tmp_path: Path) -> tuple[Path, Path, list[str]]:
    """The answers as A or B about files with names of their own: table, folder of the clips, rows."""
    table = (miniature.answers / "inst_sim_abx_answers.csv").read_text().splitlines()
    names: dict[str, str] = {}
    rows = []
    for line in table[1:]:
        cells = line.split(",")
        if "/mix/" not in cells[3]:
            continue
        x, a, b = (names.setdefault(cell, f"{len(names)}.wav") for cell in cells[3:6])
        rows.append(f"{cells[2]},{x},{a},{b},{cells[9][0]}")
    (tmp_path / "clips").mkdir()
    for source, name in names.items():
        shutil.copy(clips / source, tmp_path / "clips" / name)
    return tmp_path / "answers.csv", tmp_path / "clips", rows


@pytest.mark.long
def test_plain_letters_with_the_winner_first_are_fitted(
    plain_answers: tuple[Path, Path, list[str]], cache: Path, tmp_path: Path
) -> None:
    """No strength, no known tracks, and sample_a is always the preferred one, under the default method."""
    table, audio, rows = plain_answers
    first = []
    for row in rows:
        listener, x, a, b, grade = row.split(",")
        first.append(f"{listener},{x},{a},{b},A" if grade == "A" else f"{listener},{x},{b},{a},A")
    table.write_text("\n".join(["subject_id,reference,sample_a,sample_b,answer_total", *first]) + "\n")
    done = run_command("fit", table, "--audio", audio, "--out", tmp_path / "mine.json", "--cache", cache)
    assert done.exit_code == 0, done.output
    assert "fitted with logistic-cv, which ignores it, in place of ordinal-cv" in done.output
    assert "triplets were asked in both orders; their answers are merged" in done.output
    assert "share no file with it" in done.output
    assert "share no track" not in done.output
    assert "--track-pattern" in done.output
    assert "no side bias was estimated" in done.output
    assert json.loads((tmp_path / "mine.json").read_text())["method"].startswith("logistic-cv")


@pytest.mark.long
def test_screening_rules_are_printed_and_applied(
    plain_answers: tuple[Path, Path, list[str]], cache: Path, tmp_path: Path
) -> None:
    table, audio, rows = plain_answers
    table.write_text("\n".join(["subject_id,reference,sample_a,sample_b,answer_total", *rows]) + "\n")
    arguments = (
        *("fit", table, "--audio", audio, "--out", tmp_path / "mine.json"),
        *("--cache", cache, "--method", "ridge"),
    )
    done = run_command(*arguments, "--screen", "agreement>=0.6")
    assert done.exit_code == 0, done.output
    assert "screening by agreement >= 0.6 excludes" in done.output
    done = run_command(*arguments, "--screen", "mood>=1")
    assert "is not a screening rule" in str(done.exception)
