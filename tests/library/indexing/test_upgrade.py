from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing import upgrade as upgrading
from soundalike.library.storage.manifest import read_manifest
from soundalike.library.storage.store import Library, Tables
from tests.made_up_library import LibraryFolder
from tests.made_up_rows import RECIPE

ENCODER = replace(RECIPE, encoder_version="2")
SEPARATOR = replace(RECIPE, separator_version="2")
FACTS = replace(RECIPE, facts_version="another")


@pytest.fixture
def full(library_folder: LibraryFolder) -> LibraryFolder:
    library_folder.write(a="song 3 1", sub__b="loop 2", sub__c="one-shot 3", copy="song 3 1", bad="broken")
    library_folder.index()
    library_folder.analysed()
    return library_folder


def _timeless(items: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**row, "indexed_at": None} for name, row in items.items()}


@pytest.mark.parametrize(
    ("recipe", "redone"),
    [
        (ENCODER, {"a.wav", "b.wav", "c.wav", "bad.wav"}),
        (SEPARATOR, {"a.wav", "bad.wav"}),
        (replace(RECIPE, window=5.0, hop=5.0), {"a.wav", "bad.wav"}),
        (FACTS, {"a.wav", "b.wav", "c.wav", "copy.wav", "bad.wav"}),
    ],
)
def test_an_upgrade_redoes_what_the_recipe_changes(full: LibraryFolder, recipe: Any, redone: set[str]) -> None:
    before = full.items()
    report = full.index(recipe=recipe, upgrade=True)
    assert set(full.analysed()) == redone
    assert (report.found, len(report.skipped), report.dropped, report.new) == (5, 1, 0, 0)
    manifest = read_manifest(full.path)
    assert (manifest.generation, manifest.recipe) == (2, recipe)
    assert _timeless(full.items()) == _timeless(before)
    assert [place.name for place in full.path.glob("generation-*")] == ["generation-2"]
    assert full.index(recipe=recipe).unchanged == 4


def test_ids_and_the_users_kinds_outlive_an_upgrade(full: LibraryFolder) -> None:
    full.file("a").rename(full.file("b"))
    full.index()
    full.index(full.file("sub/b"), kind="one-shot")
    before = full.items()
    full.index(recipe=ENCODER, upgrade=True)
    assert _timeless(full.items()) == _timeless(before)


def test_an_upgrade_does_not_ignore_a_kind(full: LibraryFolder) -> None:
    before = full.items()
    with pytest.raises(
        InputError, match=r"--kind loop concerns single files.*then `soundalike index PATH --kind loop`"
    ):
        full.index(full.file("a"), recipe=ENCODER, upgrade=True, kind="loop")
    assert read_manifest(full.path).generation == 1
    assert full.items() == before
    full.index(full.file("a"), upgrade=True, kind="loop")  # there is nothing to renew
    assert full.items()["a"]["kind"] == "loop"


def test_the_old_generation_serves_until_the_swap(full: LibraryFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = full.items()

    def fail(*_: object) -> None:
        raise LibraryError("No space left on device")

    monkeypatch.setattr(Tables, "upsert", fail)
    with pytest.raises(LibraryError, match="No space left"):
        full.index(recipe=SEPARATOR, upgrade=True)
    assert read_manifest(full.path).generation == 1
    assert full.items() == before
    monkeypatch.undo()


def test_an_interrupted_upgrade_is_continued(full: LibraryFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LibraryError("killed before the swap")

    with monkeypatch.context() as patch:
        patch.setattr(upgrading, "write_manifest", fail)
        with pytest.raises(LibraryError, match="before the swap"):
            full.index(recipe=ENCODER, upgrade=True)
    assert full.analysed()
    full.check()  # the old one serves
    full.index(recipe=ENCODER, upgrade=True)
    assert full.analysed() == []
    # an upgrade to yet another recipe does not continue it
    with monkeypatch.context() as patch:
        patch.setattr(upgrading, "write_manifest", fail)
        with pytest.raises(LibraryError, match="before the swap"):
            full.index(recipe=replace(ENCODER, encoder_version="3"), upgrade=True)
    full.analysed()
    full.index(recipe=replace(ENCODER, encoder_version="4"), upgrade=True)
    assert set(full.analysed()) == {"a.wav", "b.wav", "c.wav", "bad.wav"}


def test_items_whose_files_are_gone_are_left_behind_and_counted(full: LibraryFolder) -> None:
    full.file("a").unlink()
    full.file("copy").unlink()
    full.file("sub/b").unlink()
    full.index()
    report = full.index(recipe=SEPARATOR, upgrade=True)
    assert report.dropped == 2  # the songs; the loop's vectors hold, it stays on record
    assert {name: row["status"] for name, row in full.items().items()} == {"sub/b": "missing", "sub/c": "present"}


def test_an_upgrade_with_a_root_out_of_reach_is_refused(full: LibraryFolder, tmp_path: Path) -> None:
    full.music.rename(tmp_path / "away")
    with pytest.raises(LibraryError, match=r"root music .* out of reach"):
        full.index(recipe=ENCODER, upgrade=True)
    assert read_manifest(full.path).generation == 1


def test_an_upgrade_to_the_same_recipe_is_a_plain_run(full: LibraryFolder) -> None:
    assert full.index(upgrade=True).unchanged == 4
    assert read_manifest(full.path).generation == 1


def test_what_a_swap_left_behind_goes_with_the_next_run(full: LibraryFolder) -> None:
    shutil.copytree(full.path / "generation-1", full.path / "generation-0")
    full.index()
    assert not (full.path / "generation-0").exists()
    assert Library.open(full.path).items().num_rows == 4
