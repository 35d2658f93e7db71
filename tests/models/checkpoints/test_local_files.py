from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.config import checkpoint_folder, checkpoints_folder, folder_variable
from soundalike.errors import CheckpointError, InputError
from soundalike.models.checkpoints import local_checkpoint, record
from soundalike.models.checkpoints.fetch import import_files
from soundalike.models.checkpoints.local_files import file_status, verify
from soundalike.models.checkpoints.record import record_path
from soundalike.models.checkpoints.table import CHECKPOINTS, Checkpoint
from tests.models.checkpoints.hub_server import REVISION, content, row_of, sha256

FILES = {"weights.pt": content(5_000, 1), "tokenizer.json": content(700, 2)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "toy"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def test_an_intact_checkpoint_is_verified(folder: Path) -> None:
    local = verify(row_of(FILES), folder)
    assert local.name == "toy"
    assert local.paths == {name: folder / name for name in FILES}
    text = "".join(f"{name}\0{sha256(FILES[name])}\n" for name in ("tokenizer.json", "weights.pt"))
    assert local.digest == hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def test_the_digest_names_the_contents_of_every_file(folder: Path, tmp_path: Path) -> None:
    row = row_of(FILES, pins="none")
    digests = {verify(row, folder).digest}
    for name in FILES:
        other = tmp_path / f"other-{name}"
        other.mkdir()
        for each, data in FILES.items():
            (other / each).write_bytes(data + b"!" if each == name else data)
        digests.add(verify(row, other).digest)
    assert len(digests) == 3


def test_the_message_for_a_missing_file_says_how_to_get_it(folder: Path) -> None:
    (folder / "weights.pt").unlink()
    with pytest.raises(CheckpointError) as caught:
        verify(row_of(FILES), folder)
    message = str(caught.value)
    assert "`soundalike models fetch toy` (5 kB)" in message
    assert f"https://huggingface.co/tests/toy/resolve/{REVISION}/weights.pt to {folder / 'weights.pt'}" in message
    assert "tokenizer.json" not in message
    assert "\n" not in message


def test_a_missing_folder_means_missing_files(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="are missing"):
        verify(row_of(FILES), tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="are missing"):
        verify(row_of(FILES), tmp_path / "file")


def test_a_partial_download_is_reported(folder: Path) -> None:
    (folder / "weights.pt").rename(folder / "weights.pt.part")
    os.truncate(folder / "weights.pt.part", 2_500)
    assert file_status(row_of(FILES).files[0], folder).message == "50% downloaded"
    with pytest.raises(CheckpointError, match="5 kB, continues where it stopped"):
        verify(row_of(FILES), folder)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (FILES["weights.pt"][:-1], "is truncated: it has 4,999 bytes, expected 5,000"),
        (FILES["weights.pt"] + b"!", "is too long: it has 5,001 bytes"),
        (
            FILES["weights.pt"][:-1] + b"!",
            f"is not weights.pt: its SHA-256 begins with .*, expected {sha256(FILES['weights.pt'])[:12]}",
        ),
    ],
)
def test_a_wrong_file_is_refused(folder: Path, data: bytes, message: str) -> None:
    (folder / "weights.pt").write_bytes(data)
    with pytest.raises(
        CheckpointError, match=f"{folder / 'weights.pt'} {message}.*; get it again with `soundalike models"
    ) as caught:
        verify(row_of(FILES), folder)
    assert "\n" not in str(caught.value)
    assert not record_path(folder / "weights.pt").exists()


def test_a_folder_in_place_of_a_file_is_reported(folder: Path) -> None:
    (folder / "weights.pt").unlink()
    (folder / "weights.pt").mkdir()
    with pytest.raises(CheckpointError, match="is a folder where a file is expected"):
        verify(row_of(FILES), folder)


def test_a_file_that_cannot_be_read_is_reported(folder: Path) -> None:
    (folder / "weights.pt").unlink()
    (folder / "weights.pt").symlink_to(folder / "weights.pt")  # a loop
    with pytest.raises(CheckpointError, match=r"weights.pt cannot be read \(Too many levels"):
        verify(row_of(FILES), folder)


def test_the_first_digits_of_a_digest_are_enforced(folder: Path) -> None:
    verify(row_of(FILES, pins="prefix"), folder)
    with pytest.raises(CheckpointError, match=r"is not weights.pt"):
        verify(row_of({**FILES, "weights.pt": b"other"}, pins="prefix"), folder)


def test_the_first_digest_of_an_unpinned_file_is_enforced(folder: Path) -> None:
    row = row_of(FILES, pins="none")
    first = verify(row, folder).digest
    (folder / "weights.pt").write_bytes(b"other")
    with pytest.raises(
        CheckpointError, match=f"is not the file that was first seen here.*{record_path(folder / 'weights.pt')}"
    ):
        verify(row, folder)
    record_path(folder / "weights.pt").unlink()
    assert verify(row, folder).digest != first


def test_an_unchanged_file_is_hashed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of(FILES)
    first = verify(row, folder)
    record._hash.cache_clear()  # as in another process

    def fail(*args: object) -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr(hashlib, "file_digest", fail)
    assert verify(row, folder) == first
    os.utime(folder / "weights.pt", ns=(1, 1))
    with pytest.raises(AssertionError, match="hashed again"):
        verify(row, folder)


@pytest.fixture
def row_with_alternative() -> Checkpoint:
    row = row_of(FILES)
    weights = replace(row.files[0], name="model.safetensors", size=None, sha256=sha256(b"the same weights"))
    return replace(row, files=(replace(row.files[0], alternative=weights), *row.files[1:]))


def test_an_alternative_file_is_accepted(folder: Path, row_with_alternative: Checkpoint) -> None:
    first = verify(row_with_alternative, folder)
    assert first == verify(row_of(FILES), folder)  # the usual file comes first
    (folder / "model.safetensors").write_bytes(b"the same weights")
    assert verify(row_with_alternative, folder) == first
    (folder / "weights.pt").unlink()
    second = verify(row_with_alternative, folder)
    assert second.paths == {"weights.pt": folder / "model.safetensors", "tokenizer.json": folder / "tokenizer.json"}
    assert second.digest != first.digest
    (folder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(CheckpointError, match=r"is not model.safetensors"):
        verify(row_with_alternative, folder)


def test_an_alternative_file_is_imported(tmp_path: Path, row_with_alternative: Checkpoint) -> None:
    downloads, folder = tmp_path / "downloads", tmp_path / "checkpoint"
    downloads.mkdir()
    (downloads / "model.safetensors").write_bytes(b"the same weights")
    (downloads / "tokenizer.json").write_bytes(FILES["tokenizer.json"])
    new = import_files(row_with_alternative, folder, downloads)
    assert [file.name for file in new] == ["model.safetensors", "tokenizer.json"]
    assert verify(row_with_alternative, folder).paths["weights.pt"] == folder / "model.safetensors"


def test_a_changed_file_of_the_same_size_is_noticed(folder: Path) -> None:
    verify(row_of(FILES), folder)
    stat = (folder / "weights.pt").stat()
    (folder / "weights.pt").write_bytes(content(5_000, 9))
    os.utime(folder / "weights.pt", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(CheckpointError, match=r"is not weights.pt"):
        verify(row_of(FILES), folder)


def test_a_folder_that_takes_no_record_will_do(folder: Path) -> None:
    for name in FILES:
        record_path(folder / name).mkdir()  # nothing can be put there, whoever runs this
    assert verify(row_of(FILES), folder) == verify(row_of(FILES), folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*FILES, *(f"{name}.verified.json" for name in FILES)]
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sha256": "abc", "size": 1, "mtime_ns": 1}', '{"size": 1}'])
def test_a_damaged_record_is_ignored(folder: Path, text: str) -> None:
    first = verify(row_of(FILES), folder)
    record_path(folder / "weights.pt").write_text(text)
    assert verify(row_of(FILES), folder) == first
    assert sha256(FILES["weights.pt"]) in record_path(folder / "weights.pt").read_text()


def test_the_table_outweighs_a_record(folder: Path) -> None:
    verify(row_of(FILES, pins="none"), folder)
    other = row_of({**FILES, "weights.pt": content(5_000, 3)})
    with pytest.raises(CheckpointError, match=r"is not weights.pt"):
        verify(other, folder)


def test_folders_follow_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINTS", str(tmp_path / "all"))
    monkeypatch.delenv("SOUNDALIKE_CHECKPOINT_CLAP_MUSIC", raising=False)
    assert checkpoint_folder("clap-music") == tmp_path / "all" / "clap-music"
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINT_CLAP_MUSIC", str(tmp_path / "one"))
    assert folder_variable("clap-music") == "SOUNDALIKE_CHECKPOINT_CLAP_MUSIC"
    assert checkpoint_folder("clap-music") == tmp_path / "one"
    assert checkpoint_folder("clap") == tmp_path / "all" / "clap"
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINTS", "~/weights")
    assert checkpoints_folder() == Path.home() / "weights"


def test_a_checkpoint_is_found_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKPOINTS, "toy", row_of(FILES))
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINT_TOY", str(folder))
    assert local_checkpoint("toy").paths["weights.pt"] == folder / "weights.pt"
    with pytest.raises(InputError, match="unknown checkpoint 'toi'; choose one of clap, "):
        local_checkpoint("toi")


def test_a_variable_that_names_a_file_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINT_CLAP", str(folder / "weights.pt"))
    with pytest.raises(CheckpointError, match=r"CLAP=.*weights\.pt is a file; it must be a folder.*fetch clap --from "):
        local_checkpoint("clap")
