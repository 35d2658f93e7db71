"""`soundalike demo`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from soundalike import config
from soundalike.cli import demo_run
from soundalike.synth import music_library
from soundalike.synth.truth import Truth
from tests.cli.command_line import run


@pytest.mark.long
def test_the_demo_searches_three_times_and_counts_the_right_hits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = music_library.write_library

    def write_less(folder: Path, options: music_library.MusicOptions) -> Truth:
        return write(folder, replace(options, songs=4, loops=8, one_shots=6, length=22.0))

    monkeypatch.setattr(music_library, "write_library", write_less)
    outcome = run("demo", "--folder", tmp_path / "demo")
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout.count("matched") == 3
    assert outcome.stderr.count("$ soundalike similar") == 6
    assert outcome.stderr.count("ground truth: ") == 3
    again = run("demo", "--folder", tmp_path / "demo")
    assert again.code == 0, again.stderr
    assert "indexed 0 + unchanged" in again.stderr
    assert again.stdout == outcome.stdout
    assert "To search in your browser:\n$ soundalike serve --library library\n" in outcome.stderr


def test_the_demo_says_how_to_install_the_page_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(config.EXTRAS, "web", ("not_installed_anywhere",))
    demo_run.print_next_steps(Path("soundalike-demo"))
    assert "install the page first: pip install 'soundalike[web]'\n$ soundalike serve" in capsys.readouterr().err


@pytest.mark.parametrize("found", [None, "/usr/bin/soundalike"])
def test_the_demo_says_how_a_shell_finds_the_command(
    found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "activate").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr("shutil.which", lambda _: found)
    demo_run.print_next_steps(Path("soundalike-demo"))
    before = "" if found else "source .venv/bin/activate; "
    assert f"To run these commands yourself, first: {before}cd soundalike-demo\n" in capsys.readouterr().err


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    outcome = run("demo", "--folder", tmp_path)
    assert outcome.code == 2
    assert "is not empty and holds no earlier demo; choose another folder with --folder" in outcome.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
