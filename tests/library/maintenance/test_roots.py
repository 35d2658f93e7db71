from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.library.maintenance.roots import relocate, remove
from soundalike.library.storage.lock import writing
from soundalike.library.storage.manifest import read_manifest
from soundalike.library.storage.store import Library
from tests.made_up_library import LibraryFolder


@pytest.fixture
def full(library_folder: LibraryFolder) -> LibraryFolder:
    library_folder.write(a="song 3 1", sub__b="loop 2", sub__c="one-shot 3", copy="song 3 1")
    library_folder.index()
    library_folder.analysed()
    return library_folder


@pytest.mark.parametrize("by_name", [True, False])
def test_a_relocated_root_costs_nothing(full: LibraryFolder, tmp_path: Path, by_name: bool) -> None:
    before = full.items()
    full.music.rename(tmp_path / "moved")
    moved = relocate(full.path, "music" if by_name else str(full.music), tmp_path / "moved")
    assert (moved.root, moved.items, moved.there) == ("music", 4, 4)
    assert str(moved).endswith("4 of its 4 files are there")
    report = full.index()
    assert (report.unchanged, full.analysed(), full.items()) == (4, [], before)
    assert Library.open(full.path).absolute("music", "sub/b.wav") == tmp_path / "moved" / "sub" / "b.wav"


def test_relocate_refuses_unknown_roots_and_wrong_folders(full: LibraryFolder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="none of the 4 files"):
        relocate(full.path, "music", tmp_path / "empty")
    with pytest.raises(InputError, match="is not a folder"):
        relocate(full.path, "music", tmp_path / "nothing")
    with pytest.raises(InputError, match=r"not a root of this library; its roots are music \("):
        relocate(full.path, "musik", tmp_path / "empty")
    with pytest.raises(LibraryError, match="no library at"):
        relocate(tmp_path / "none", "music", tmp_path / "empty")
    assert not (tmp_path / "none").exists()
    shutil.copytree(full.music, tmp_path / "other")
    full.index(tmp_path / "other")
    with pytest.raises(InputError, match="root other"):
        relocate(full.path, "music", tmp_path / "other")
    assert read_manifest(full.path).roots["music"] == full.music


def test_removed_items_take_their_vectors_along_unless_another_needs_them(full: LibraryFolder) -> None:
    removed = remove(full.path, [full.file("a"), full.music / "sub"])
    assert (removed.items, removed.roots) == (3, ())
    full.check()
    assert set(full.items()) == {"copy"}
    library = Library.open(full.path)
    assert (library.windows(["start"]).num_rows, library.clips(["start"]).num_rows) == (3, 0)
    assert full.file("a").exists()  # the files are nobody's business here


def test_a_root_removed_whole_is_forgotten(full: LibraryFolder) -> None:
    full.write(broken="broken")
    assert len(full.index().skipped) == Library.open(full.path).skipped().num_rows == 1
    removed = remove(full.path, [full.music])
    assert (removed.items, removed.roots) == (4, ("music",))
    assert Library.open(full.path).skipped().num_rows == 0
    assert read_manifest(full.path).roots == {}
    assert Library.open(full.path).items().num_rows == 0
    assert full.index().found == 0


def test_missing_items_are_removed_on_request(full: LibraryFolder) -> None:
    full.file("sub/b").unlink()
    assert remove(full.path, missing=True).items == 0  # not looked for yet
    full.index()
    assert remove(full.path, missing=True).items == 1
    assert set(full.items()) == {"a", "sub/c", "copy"}


def test_remove_understands_paths_as_hits_show_them(full: LibraryFolder) -> None:
    assert remove(full.path, ["music/sub/b.wav"]).items == 1
    with pytest.raises(InputError, match="no item under"):
        remove(full.path, ["music/sub/b.wav"])
    with pytest.raises(InputError, match="is not in any root"):
        remove(full.path, ["elsewhere/b.wav"])
    assert len(full.items()) == 3


def test_what_is_here_is_not_taken_for_an_item_of_that_name(
    full: LibraryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "music" / "sub").mkdir(parents=True)
    (elsewhere / "music" / "sub" / "b.wav").write_bytes(b"another file")
    monkeypatch.chdir(elsewhere)
    with pytest.raises(InputError, match="is not in any root"):
        remove(full.path, ["music/sub/b.wav"])
    assert len(full.items()) == 4


def test_upkeep_is_writing(full: LibraryFolder) -> None:
    with writing(full.path):
        with pytest.raises(LibraryError, match="being written"):
            remove(full.path, [full.file("a")])
        with pytest.raises(LibraryError, match="being written"):
            relocate(full.path, "music", full.music)
