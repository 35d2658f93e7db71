"""Users without a home folder (containers, services), folders that cannot be written, and names that begin with ~."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import soundalike
from soundalike import config
from soundalike.errors import InputError

NO_HOME = """
import os, pwd, sys
def unknown(user):
    raise KeyError(user)
pwd.getpwuid = unknown
folder = os.environ["READ_ONLY"]
really_open = open
def refuse(event, arguments):
    if event in ("open", "os.mkdir", "os.rename", "os.remove") and str(arguments[0]).startswith(folder):
        flags = arguments[2] if event == "open" else os.O_WRONLY
        if event != "open" or flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            print("writes into the installation:", arguments[0], file=sys.stderr)
            raise PermissionError(13, "read-only installation", str(arguments[0]))
sys.addaudithook(refuse)
sys.dont_write_bytecode = True
from soundalike.__main__ import main
main()
"""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "music" / "~kick.wav"
    path.parent.mkdir()
    noise = np.random.default_rng(0).normal(size=11_025) * np.exp(-np.arange(11_025) / 2_000) * 0.3
    soundfile.write(path, noise.clip(-1, 1), 22_050)
    return path


def without_home(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command line in `folder`, as a user without a home folder and with an installation that cannot be written."""
    package = str(Path(soundalike.__file__).parent)
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", NO_HOME, *map(str, arguments)],
        env={**kept, "READ_ONLY": package, "TMPDIR": str(folder / "tmp"), "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.long
def test_a_library_is_made_and_searched_without_home_in_a_read_only_installation(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    library = tmp_path / "library"
    made = without_home("index", sound.parent, "--library", library, "--jobs", 1, folder=tmp_path)
    assert made.returncode == 0, made.stderr
    found = without_home("similar", sound, "--library", library, "--include-self", folder=tmp_path)
    assert "~kick.wav" in found.stdout, found.stderr
    listed = without_home("models", folder=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert not [run.stderr for run in (made, found, listed) if "writes into the installation" in run.stderr]
    assert not (tmp_path / "~").exists()
    refused = without_home("status", folder=tmp_path)
    assert refused.returncode != 0
    assert "no home folder is known" in refused.stderr
    assert "SOUNDALIKE_LIBRARY" in refused.stderr
    assert not (tmp_path / "~").exists()


def test_names_that_begin_with_a_tilde_are_names_where_no_user_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.expanded("~nobody-of-this-name.wav") == Path("~nobody-of-this-name.wav")
    monkeypatch.setenv("HOME", "/home/of/mine")
    assert config.expanded("~/a.wav") == Path("/home/of/mine/a.wav")


def test_the_cache_is_a_folder_of_this_user_where_the_usual_one_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.delenv("SOUNDALIKE_CACHE", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "cache" / "soundalike"))
    assert config.cache_folder() == tmp_path / "cache" / "soundalike"
    for usual in (str(tmp_path / "a file" / "soundalike"), "~/.cache/soundalike"):
        monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, usual=usual, **__: usual)
        folder = config.cache_folder()
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o77 == 0
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(InputError, match="belongs to another user; set SOUNDALIKE_CACHE"):
        config.cache_folder()
