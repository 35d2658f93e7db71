"""`soundalike index`, and the commands that change or copy a library."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from soundalike.library.indexing.library_update import make_empty_library
from tests.audio.conftest import RATE, make_signal, write_pyav, write_sndfile
from tests.cli.command_line import run


def test_a_library_is_indexed_exported_imported_and_reduced(music: Path, tmp_path: Path) -> None:
    place, out = tmp_path / "library", tmp_path / "vectors.parquet"
    first = run("index", music / "loops", music / "one-shots", library=place)
    assert first.code == 0, first.stderr
    assert "found 28 = indexed 28" in first.stderr
    again = run("index", library=place)
    assert again.code == 0, again.stderr
    assert "unchanged 28" in again.stderr
    status = json.loads(run("status", "--format", "json", library=place).stdout)
    assert sum(status["items"].values()) == 28
    assert run("export", "--parquet", out, library=place).code == 0
    other = tmp_path / "other"
    imported = run("import", out, library=other)
    assert imported.code == 0, imported.stderr
    reference = next((music / "loops").glob("*drums*"))
    original, copy = (
        json.loads(run("similar", reference, "--format", "json", library=where).stdout)["hits"]
        for where in (place, other)
    )
    assert len(original) == 10
    assert [hit["path"] for hit in original] == [hit["path"] for hit in copy]
    assert [hit["score"] for hit in original] == pytest.approx([hit["score"] for hit in copy], abs=2e-3)
    removed = run("remove", music / "loops", library=place)
    assert removed.code == 0, removed.stderr
    assert json.loads(run("status", "--format", "json", library=place).stdout)["items"] == {"one-shot": 20}


@pytest.mark.parametrize("option", ["--max-windows", "--windows"])
def test_the_number_of_windows_is_limited_under_both_names_of_the_option(
    option: str, song: Path, tmp_path: Path
) -> None:
    place = tmp_path / "library"
    outcome = run("index", song, "--parts", "mix", "--window", "5", option, "2", "--jobs", "1", library=place)
    assert outcome.code == 0, outcome.stderr
    assert json.loads(run("status", "--format", "json", library=place).stdout)["windows"] == 2


def test_ctrl_c_keeps_finished_files_and_the_next_run_continues(music: Path, tmp_path: Path) -> None:
    place = tmp_path / "library"
    process = subprocess.Popen(
        [sys.executable, "-m", "soundalike", "index", str(music), "--library", str(place), "--jobs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline and not (place / "library.json").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert "run it again to continue" in stderr
    assert "Traceback" not in stderr
    outcome = run("index", music, library=place)
    assert outcome.code == 0, outcome.stderr
    assert "found 32" in outcome.stderr


def test_files_of_other_kinds_are_counted_by_suffix(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    write_sndfile(folder / "a.wav", make_signal(seconds=0.5), RATE, "WAV", "PCM_16")
    write_pyav(folder / "b.mp4", make_signal(seconds=0.5), RATE, "aac", "mp4", "fltp", {})
    for name in ("c.rx2", "d.RX2", "e.nki", "LICENSE", "cover.jpg", "readme.txt", "truth.json"):
        (folder / name).write_bytes(b"none of our business")
    make_empty_library(folder / "other")
    outcome = run("index", folder, "--parts", "mix", "--jobs", "1", library=tmp_path / "library")
    assert outcome.code == 0, outcome.stderr
    assert "found 2 = indexed 2" in outcome.stderr
    assert outcome.stderr.count(str(folder / "other")) == 1
    assert f"left out, libraries of soundalike: {folder / 'other'}\n" in outcome.stderr
    assert "not known as audio by their suffix: 2 .rx2, 1 .nki\n" in outcome.stderr


def test_a_folder_whose_only_file_is_refused_says_why(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "song.wav").write_bytes(b"no audio at all")
    outcome = run("index", tmp_path / "pack", "--jobs", "1", library=tmp_path / "library")
    assert outcome.code == 3
    assert "song.wav: not audio that can be decoded" in outcome.stderr
    assert "1 of 1 files could not be used" in outcome.stderr


@pytest.mark.long
def test_an_album_is_divided_by_its_cue_sheet_unless_no_cue(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write_sndfile(folder / "album.flac", make_signal(RATE, 4.0), RATE, "FLAC", "PCM_16")
    sheet = 'FILE "album.flac" WAVE\nTRACK 1 AUDIO\nINDEX 1 0:0:0\nTRACK 2 AUDIO\nTITLE "Two"\nINDEX 1 0:2:0\n'
    (folder / "album.cue").write_text(sheet)
    place = tmp_path / "library"
    for option, expected in (("--cue", 2), ("--no-cue", 1), ("--quiet", 1), ("--cue", 2)):
        outcome = run("index", folder, option, "--parts", "mix", "--jobs", "1", library=place)
        assert outcome.code == 0, outcome.stderr
        assert f"found {expected} = " in outcome.stderr
        assert "left out" not in outcome.stderr
    found = run("similar", folder / "album.flac#02", "--format", "m3u8", library=place)
    assert found.code == 0, found.stderr
    assert found.stdout.splitlines()[2:] == [
        "#EXTVLCOPT:start-time=0.000",
        "#EXTVLCOPT:stop-time=2.000",
        str(folder / "album.flac"),
    ]


def test_excluded_folders_stay_out_and_remove_says_how(tmp_path: Path) -> None:
    folder, place = tmp_path / "pack", tmp_path / "library"
    for name in ("Backup", "Old takes", "in"):
        (folder / name).mkdir(parents=True)
        write_sndfile(folder / name / f"{name}.wav", make_signal(seconds=0.5), RATE, "WAV", "PCM_16")
    assert "found 3 = indexed 3" in run("index", folder, "--parts", "mix", "--jobs", "1", library=place).stderr
    assert "\nexcluded" not in run("status", library=place).stdout
    outcome = run("index", "--exclude", "backup", "--exclude", "*.tmp", library=place)
    assert outcome.code == 0, outcome.stderr
    assert "found 2 = indexed 0 + unchanged 2 + skipped 0 (1 removed as excluded)" in outcome.stderr

    named = run("index", folder / "Backup", library=place)
    assert named.code == 0, named.stderr
    assert f"left out, excluded by 'backup': {folder / 'Backup'}" in named.stderr
    assert "no audio files" not in named.stderr

    removed = run("remove", folder / "Old takes", library=place)
    assert removed.stderr.startswith("removed 1 item\n")
    assert removed.stderr.endswith("unless you exclude them: soundalike index --exclude '/Old takes'\n")
    assert "found 1 = " in run("index", "--exclude", "/Old takes", library=place).stderr
    assert "excluded  backup, *.tmp, /Old takes\n" in run("status", library=place).stdout
    status = json.loads(run("status", "--format", "json", library=place).stdout)
    assert (status["excluded"], status["items"]) == (["backup", "*.tmp", "/Old takes"], {"one-shot": 1})

    assert "found 2 = " in run("index", "--no-exclude", "--exclude", "Backup", library=place).stderr
    assert "excluded  Backup\n" in run("status", library=place).stdout
    mistyped = run("index", "--exclude", "Bakcup/", "--exclude", "backup", library=place).stderr
    assert mistyped.count("matches --exclude") == 1
    assert "no file or folder that was looked at matches --exclude 'Bakcup'; it is remembered all the same" in mistyped
    many = [folder / "in" / "in.wav", *(folder / "Old takes" for _ in range(20))]
    assert run("remove", *many, library=place).stderr.endswith("--exclude /in/in.wav --exclude '/Old takes'\n")
    wrong = run("index", "--exclude", "../Backup", library=place)
    assert (wrong.code, "'..' is not a name" in wrong.stderr) == (2, True)


def test_remove_does_not_list_many_patterns(tmp_path: Path) -> None:
    folder, place = tmp_path / "pack", tmp_path / "library"
    folder.mkdir()
    files = [folder / f"{number}.wav" for number in range(9)]
    for file in files:
        write_sndfile(file, make_signal(seconds=0.5), RATE, "WAV", "PCM_16")
    assert run("index", folder, "--parts", "mix", "--jobs", "1", library=place).code == 0
    outcome = run("remove", *files, library=place)
    assert outcome.stderr.splitlines()[0] == "removed 9 items"
    assert outcome.stderr.endswith("unless you exclude them: soundalike index --exclude PATTERN ...\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([""], "a path is empty; name a file or folder"),
        ([".", "--library", ""], "--library is empty"),
        ([".", "--parts", ""], "the list is empty; write PART,..., or leave the option out"),
        ([".", "--encoder", ""], "unknown encoder ''"),
        ([".", "--separator", ""], "unknown separator ''"),
        ([".", "--precision", ""], "unknown precision ''"),
    ],
)
def test_an_empty_value_does_not_mean_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    """As of a variable of a shell that is not set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.wav").write_bytes(b"not read")
    named = {} if "--library" in arguments else {"library": tmp_path / "library"}
    outcome = run("index", *arguments, **named)
    assert outcome.code == 2
    assert message in outcome.stderr
    assert [place.name for place in tmp_path.iterdir()] == ["a.wav"]
