from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from soundalike.config import checkpoint_folder, checkpoints_folder, folder_variable
from soundalike.errors import CheckpointError, InputError
from soundalike.models.checkpoints import located, record
from soundalike.models.checkpoints.locate import find, locate
from soundalike.models.checkpoints.record import record_path
from soundalike.models.checkpoints.table import CHECKPOINTS
from tests.models.checkpoints.site import content, row_of, sha256

FILES = {"weights.pt": content(5_000, 1), "tokenizer.json": content(700, 2)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "toy"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_whole_checkpoint_is_located(folder: Path) -> None:
    found = locate(row_of(FILES), folder)
    assert found.name == "toy"
    assert found.paths == {name: folder / name for name in FILES}
    text = "".join(f"{name}\0{sha256(FILES[name])}\n" for name in ("tokenizer.json", "weights.pt"))
    assert found.digest == hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def test_the_digest_names_the_contents_of_every_file(folder: Path, tmp_path: Path) -> None:
    row = row_of(FILES, pins="none")
    digests = {locate(row, folder).digest}
    for name in FILES:
        other = tmp_path / f"other-{name}"
        other.mkdir()
        for each, data in FILES.items():
            (other / each).write_bytes(data + b"!" if each == name else data)
        digests.add(locate(row, other).digest)
    assert len(digests) == 3


def test_a_missing_file_says_how_to_get_it_and_where_to_put_it(folder: Path) -> None:
    (folder / "weights.pt").unlink()
    with pytest.raises(CheckpointError) as caught:
        locate(row_of(FILES), folder)
    words = str(caught.value)
    assert "`soundalike models fetch toy`, 5 kB" in words
    assert f"https://weights.invalid/weights.pt to {folder / 'weights.pt'}" in words
    assert "tokenizer.json" not in words
    assert "\n" not in words


def test_a_missing_folder_is_as_missing_files(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="are not here"):
        locate(row_of(FILES), tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="are not here"):
        locate(row_of(FILES), tmp_path / "file")


def test_a_begun_download_is_told(folder: Path) -> None:
    (folder / "weights.pt").rename(folder / "weights.pt.part")
    os.truncate(folder / "weights.pt.part", 2_500)
    assert find(row_of(FILES).files[0], folder).words == "50% fetched"
    with pytest.raises(CheckpointError, match="begun: it goes on where it stopped"):
        locate(row_of(FILES), folder)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (FILES["weights.pt"][:-1], "is cut short: it has 4,999 bytes where 5,000 are expected"),
        (FILES["weights.pt"] + b"!", "is too long: it has 5,001 bytes"),
        (
            FILES["weights.pt"][:-1] + b"!",
            f"is not weights.pt: its SHA-256 begins .* where {sha256(FILES['weights.pt'])[:12]}",
        ),
    ],
)
def test_another_file_is_refused(folder: Path, data: bytes, words: str) -> None:
    (folder / "weights.pt").write_bytes(data)
    with pytest.raises(
        CheckpointError, match=f"{folder / 'weights.pt'} {words}.*; to get it anew: `soundalike models"
    ) as caught:
        locate(row_of(FILES), folder)
    assert "\n" not in str(caught.value)
    assert not record_path(folder / "weights.pt").exists()


def test_a_folder_in_place_of_a_file(folder: Path) -> None:
    (folder / "weights.pt").unlink()
    (folder / "weights.pt").mkdir()
    with pytest.raises(CheckpointError, match="is a folder where a file is expected"):
        locate(row_of(FILES), folder)


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "weights.pt").unlink()
    (folder / "weights.pt").symlink_to(folder / "weights.pt")  # a loop
    with pytest.raises(CheckpointError, match=r"weights.pt cannot be read \(Too many levels"):
        locate(row_of(FILES), folder)


def test_the_first_digits_of_a_digest_are_enforced(folder: Path) -> None:
    locate(row_of(FILES, pins="prefix"), folder)
    with pytest.raises(CheckpointError, match=r"is not weights.pt"):
        locate(row_of({**FILES, "weights.pt": b"other"}, pins="prefix"), folder)


def test_what_is_not_pinned_is_enforced_from_the_first_look_on(folder: Path) -> None:
    row = row_of(FILES, pins="none")
    first = locate(row, folder).digest
    (folder / "weights.pt").write_bytes(b"other")
    with pytest.raises(CheckpointError, match=f"is not what was first seen here.*{record_path(folder / 'weights.pt')}"):
        locate(row, folder)
    record_path(folder / "weights.pt").unlink()
    assert locate(row, folder).digest != first


def test_an_unchanged_file_is_hashed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = row_of(FILES)
    first = locate(row, folder)
    record._hashed.cache_clear()  # as in another process

    def fail(*args: object) -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr(hashlib, "file_digest", fail)
    assert locate(row, folder) == first
    os.utime(folder / "weights.pt", ns=(1, 1))
    with pytest.raises(AssertionError, match="hashed again"):
        locate(row, folder)


def test_a_changed_file_of_the_same_size_is_noticed(folder: Path) -> None:
    locate(row_of(FILES), folder)
    stat = (folder / "weights.pt").stat()
    (folder / "weights.pt").write_bytes(content(5_000, 9))
    os.utime(folder / "weights.pt", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(CheckpointError, match=r"is not weights.pt"):
        locate(row_of(FILES), folder)


def test_a_folder_that_takes_no_record_will_do(folder: Path) -> None:
    for name in FILES:
        record_path(folder / name).mkdir()  # nothing can be put there, whoever runs this
    assert locate(row_of(FILES), folder) == locate(row_of(FILES), folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*FILES, *(f"{name}.verified.json" for name in FILES)]
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sha256": "abc", "size": 1, "mtime_ns": 1}', '{"size": 1}'])
def test_a_damaged_record_is_as_none(folder: Path, text: str) -> None:
    first = locate(row_of(FILES), folder)
    record_path(folder / "weights.pt").write_text(text)
    assert locate(row_of(FILES), folder) == first
    assert sha256(FILES["weights.pt"]) in record_path(folder / "weights.pt").read_text()


def test_a_record_does_not_outweigh_the_table(folder: Path) -> None:
    locate(row_of(FILES, pins="none"), folder)
    other = row_of({**FILES, "weights.pt": content(5_000, 3)})
    with pytest.raises(CheckpointError, match=r"is not weights.pt"):
        locate(other, folder)


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


def test_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKPOINTS, "toy", row_of(FILES))
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINT_TOY", str(folder))
    assert located("toy").paths["weights.pt"] == folder / "weights.pt"
    with pytest.raises(InputError, match="unknown checkpoint 'toi'; there are clap, "):
        located("toi")


def test_a_file_in_the_place_of_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDALIKE_CHECKPOINT_CLAP", str(folder / "weights.pt"))
    with pytest.raises(CheckpointError, match=r"CLAP=.*weights\.pt is a file; it names a folder.*fetch clap --from "):
        located("clap")
