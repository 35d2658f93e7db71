"""The command line as a whole: help pages, exit codes, errors, streams."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click import Group, Option

from soundalike.cli import COMMANDS, cli, main
from tests.cli.command_line import run


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_help_with_an_example(command: str) -> None:
    outcome = run(*([command] if command else []), "--help")
    assert outcome.code == 0
    assert "soundalike" in outcome.stdout.partition("Example")[2]
    assert not outcome.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help_text(name: str) -> None:
    context = cli.make_context("soundalike", [], resilient_parsing=True)
    command = cli.get_command(context, name)
    assert command is not None
    subcommands = (
        [command.get_command(context, each) for each in command.list_commands(context)]
        if isinstance(command, Group)
        else []
    )
    for each in subcommands or [command]:
        assert each is not None
        assert each.short_help
        options = [parameter for parameter in each.params if isinstance(parameter, Option)]
        assert options
        assert [option.name for option in options if not option.help] == []


def test_help_imports_no_heavy_module() -> None:
    code = (
        "import sys\nfrom soundalike.cli import cli\n"
        "try: cli.main(['similar', '--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'librosa', 'lance', 'lancedb', 'pyarrow', 'av', 'soundfile', 'rich'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["similar", "nowhere.ogg"], 2, "nowhere.ogg"),
        (["similar", "SONG", "--weights", "kick=1"], 2, "kick"),
        (["similar", "SONG", "--region", "9-3"], 2, "9-3"),
        (["similar", "SONG", "--tempo", "fast"], 2, "fast"),
        (["similar", "SONG", "--key", "H moll minor"], 2, "H moll minor"),
        (["similar", "SONG", "--kind", "album"], 2, "album"),
        (["similar", "SONG", "--no-such"], 2, "--no-such"),
        (["similar", "BROKEN"], 3, "broken.wav"),
        (["similar", "SONG", "--library", "/nonexistent/place"], 4, "/nonexistent/place"),
        (["index", "/nonexistent/folder"], 2, "/nonexistent/folder"),
        (["index", "SONG", "--windows", "-1"], 2, "--max-windows"),
        (["compare", "SONG", "BROKEN"], 3, "broken.wav"),
        (["compare", "SONG", "SONG", "--encoder", "vggish"], 2, "vggish"),
        (["export", "--parquet", "/nonexistent/out.parquet"], 2, "/nonexistent/out.parquet"),
        (["export", "--parquet", "/nonexistent/out.parquet"], 2, "there is no folder /nonexistent"),
        (["import", "BROKEN"], 2, "broken.wav"),
        (["import", "/nonexistent/in.parquet"], 2, "/nonexistent/in.parquet: no such file"),
        (["index", "SONG", "--library", "BROKEN"], 4, "broken.wav is not a folder"),
        (["relocate", "nothing", "/tmp"], 2, "nothing"),
        (["demo", "--folder", "BROKEN"], 2, "broken.wav"),
        (["nothing"], 2, "nothing"),
    ],
)
def test_an_error_names_the_value_and_sets_the_exit_code(
    library: Path, song: Path, tmp_path: Path, arguments: list[str], code: int, word: str
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF but no more")
    files = {"SONG": str(song), "BROKEN": str(broken)}
    outcome = run(*(files.get(argument, argument) for argument in arguments), library=library)
    assert outcome.code == code, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert word in outcome.stderr
    assert not outcome.stdout


def test_an_option_before_the_command_says_where_options_belong() -> None:
    outcome = run("--library", "music", "index", "samples")
    assert outcome.code == 2
    assert "no option '--library' before the command; options come after it: " in outcome.stderr
    assert " index --library" in outcome.stderr
    assert " COMMAND --quiet" in run("--quiet").stderr


def test_a_misspelled_command_gets_a_suggestion() -> None:
    assert "no such command 'simlar'; did you mean 'similar'?" in run("simlar", "song.ogg").stderr
    assert "did you mean 'index'?" in run("Index", "music").stderr
    assert "the commands are index, similar, serve" in run("xyzzy").stderr


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("interrupted; 3 files are done"), 130, "interrupted; 3 files are done"),
        (PermissionError(13, "Permission denied", "/locked"), 1, "Permission denied (/locked)"),
        (ZeroDivisionError("division by zero"), 70, "internal error: ZeroDivisionError: division by zero"),
    ],
)
def test_unexpected_errors_are_reported_without_a_traceback(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    outcome = run("status")
    assert outcome.code == code
    assert outcome.stderr.splitlines()[0] == f"soundalike: {message}"
    assert "Traceback" not in outcome.stderr


def test_an_unexpected_error_is_raised_for_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setenv("SOUNDALIKE_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main()


@pytest.mark.parametrize("form", ["json", "table"])
def test_a_reader_that_closes_the_pipe_is_no_error(form: str) -> None:
    command = f"{sys.executable} -m soundalike models --format {form} | head -c 1"
    process = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stderr
    assert len(process.stdout) == 1
    assert not process.stderr


def test_models_lists_licences_and_parts() -> None:
    import json

    models = json.loads(run("models", "--format", "json").stdout)
    assert models["encoders"]["builtin"]["licence"]
    assert models["separators"]["builtin"]["parts"] == ["bass", "drums", "vocals", "residuals"]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_what_goes_to_a_file_is_utf_8_whatever_the_machine_prefers(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    code = (
        "import sys; from soundalike import cli; sys.argv = ['soundalike', '--version']\n"
        "try: cli.main()\nexcept SystemExit: print('夜の風 █')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, timeout=60, check=True)
    assert done.stdout.decode("utf-8").splitlines()[-1] == "夜の風 █"


def test_a_root_keeps_its_name_where_its_folder_has_another_now(library: Path, music: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(library, tmp_path / "library")
    moved = shutil.copytree(music, tmp_path / "elsewhere")
    outcome = run("relocate", "music", moved, library=copy)
    assert outcome.code == 0, outcome.stderr
    assert "its name in the library stays music: that is what `--path music` finds" in outcome.stderr
    assert "stays" not in run("relocate", "music", music, library=copy).stderr
