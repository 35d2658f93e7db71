"""Fetching without a network: what happens before a download, and importing. Downloads are in `test_hub.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from soundalike.errors import CheckpointError, InputError
from soundalike.models.checkpoints import hub
from soundalike.models.checkpoints.fetch import fetch, import_files
from soundalike.models.checkpoints.local_files import verify
from tests.models.checkpoints.hub_server import content, row_of

FILES = {"weights.pt": content(3_000_005), "tokenizer.json": content(700, 2)}
ROW = row_of(FILES)
COMPLETE = {*FILES, *(f"{name}.verified.json" for name in FILES)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "toy"


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    for name, data in FILES.items():
        (downloads / name).write_bytes(data)
    return downloads


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".fetch.lock"}


def test_without_huggingface_hub_nothing_is_downloaded(
    folder: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs huggingface_hub: pip install 'soundalike\[neural\]', or .*--from"):
        fetch(ROW, folder)
    import_files(ROW, folder, downloads)
    assert fetch(ROW, folder) == []


def test_two_processes_cannot_fetch_into_one_folder(folder: Path, downloads: Path) -> None:
    folder.mkdir(parents=True)
    with FileLock(folder / ".fetch.lock"):
        for call in (lambda: fetch(ROW, folder), lambda: import_files(ROW, folder, downloads)):
            with pytest.raises(CheckpointError, match="another process is downloading"):
                call()


def test_free_space_is_checked_first(folder: Path, downloads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "find_spec", lambda name: name)
    usage = shutil.disk_usage("/")._replace(free=2_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    for call in (lambda: fetch(ROW, folder), lambda: import_files(ROW, folder, downloads)):
        with pytest.raises(
            CheckpointError, match=r"has 2 MB free, but 3 MB are needed; make room, or set SOUNDALIKE_CH"
        ):
            call()
    assert names(folder) == set()


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"file/toy cannot be written \(.*\); set SOUNDALIKE_CHECKPOINTS"):
        fetch(ROW, tmp_path / "file" / "toy")
    (folder / "weights.pt").mkdir(parents=True)
    with pytest.raises(CheckpointError, match="is a folder where a file is expected; move it away"):
        fetch(ROW, folder)


def test_files_are_imported(downloads: Path, folder: Path) -> None:
    progress: dict[str, int] = {}
    new = import_files(ROW, folder, downloads, progress=lambda file, here, total: progress.update({file.name: here}))
    assert [file.name for file in new] == list(FILES)
    assert progress == {name: len(data) for name, data in FILES.items()}
    assert verify(ROW, folder).paths["weights.pt"].read_bytes() == FILES["weights.pt"]
    assert names(folder) == COMPLETE
    assert import_files(ROW, folder, downloads) == []


def test_files_are_imported_from_a_copy_of_the_checkpoint_folder(downloads: Path, folder: Path) -> None:
    downloads.rename(downloads.parent / "toy")
    import_files(ROW, folder, downloads.parent)
    verify(ROW, folder)


def test_a_single_file_is_imported(downloads: Path, folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"weights.pt does not have tokenizer.json of toy"):
        import_files(ROW, folder, downloads / "weights.pt")
    import_files(ROW, folder, downloads / "tokenizer.json")
    verify(ROW, folder)


@pytest.mark.parametrize("data", [FILES["weights.pt"][:-1] + b"!", FILES["weights.pt"][:-1], b""])
def test_a_wrong_file_is_not_imported(downloads: Path, folder: Path, data: bytes) -> None:
    (downloads / "weights.pt").write_bytes(data)
    with pytest.raises(
        CheckpointError, match=f"{downloads / 'weights.pt'} is not imported: it (is not weights.pt|has )"
    ) as caught:
        import_files(ROW, folder, downloads)
    assert "\n" not in str(caught.value)
    assert names(folder) == set()


def test_an_import_leaves_a_partial_download_alone(downloads: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "weights.pt.part").write_bytes(b"begun")
    shutil.copy(downloads / "tokenizer.json", folder)
    (downloads / "weights.pt").unlink()
    with pytest.raises(CheckpointError, match=r"does not have weights.pt"):
        import_files(ROW, folder, downloads)
    assert (folder / "weights.pt.part").read_bytes() == b"begun"
    with pytest.raises(CheckpointError, match="does not exist; give a file or folder"):
        import_files(ROW, folder, downloads / "nowhere")


def test_a_full_disk_stops_an_import(downloads: Path, folder: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    folder.mkdir(parents=True)
    (folder / "weights.pt.import").symlink_to(full)
    with pytest.raises(CheckpointError, match=r"cannot be copied to .* \(No space left on device\); make room"):
        import_files(ROW, folder, downloads)
