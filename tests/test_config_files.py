"""How files are replaced, and where caches are."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from soundalike import config
from soundalike.config import TemporaryFolder, cache_folder, replace_file, replacing


def test_a_file_is_replaced_at_the_end_of_the_block(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".npz"
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_text_is_replaced(tmp_path: Path) -> None:
    replace_file(tmp_path / "a", "one")
    replace_file(tmp_path / "a", "two")
    assert (tmp_path / "a").read_text() == "two"


def test_one_variable_moves_all_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which temporary folders are made, here and in processes started from here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(config, "IN_MEMORY", tmp_path / "no such folder")
    return tmp_path


def backdate(folder: Path) -> None:
    os.utime(folder, (0, 0))


KILLED = """
import os, signal
from soundalike.config import TemporaryFolder
folder = TemporaryFolder()
(folder.path / "upload.wav").write_bytes(b"some audio")
print(folder.path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_temporary_folder_is_deleted_at_the_end(temporary: Path) -> None:
    with TemporaryFolder() as folder:
        (folder / "a").write_text("text")
        assert folder.parent.parent == temporary
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_the_folder_of_a_killed_process_is_deleted_by_the_next_one(temporary: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60, check=False)
    left = Path(done.stdout.strip())
    assert (left / "upload.wav").exists()
    with TemporaryFolder():
        assert left.exists()  # so young a folder may belong to a process that has not locked it yet
    backdate(left.parent)
    with TemporaryFolder():
        assert not left.parent.exists()


def test_the_folder_of_a_living_process_stays(temporary: Path) -> None:
    with TemporaryFolder() as first:
        backdate(first.parent)
        with TemporaryFolder():
            assert first.exists()


def test_folders_of_others_stay(temporary: Path) -> None:
    other, unlocked = temporary / "other", temporary / "soundalike-notes"
    for folder in (other, unlocked):
        folder.mkdir()
        (folder / "a").write_text("mine")
        backdate(folder)
    (temporary / "soundalike-file").write_text("mine")
    backdate(temporary / "soundalike-file")
    (temporary / "soundalike-link").symlink_to(other)
    with TemporaryFolder():
        pass
    names = {path.name for path in temporary.iterdir()}
    assert names == {"other", "soundalike-notes", "soundalike-file", "soundalike-link"}
    assert (other / "a").read_text() == "mine"


def test_a_folder_in_memory_is_there_if_it_can_be(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryFolder(in_memory=True) as folder:
        assert folder.parent.parent == temporary
    memory = temporary / "memory"
    memory.mkdir()
    monkeypatch.setattr(config, "IN_MEMORY", memory)
    with TemporaryFolder(in_memory=True) as folder:
        assert folder.parent.parent == memory
    assert list(memory.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_folder_in_memory_of_a_killed_process_is_deleted_by_the_next_one(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=60, check=False)
    left = Path(done.stdout.strip()).parent
    backdate(left)
    monkeypatch.setattr(config, "IN_MEMORY", temporary)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary.parent))
    with TemporaryFolder():
        assert not left.exists()
