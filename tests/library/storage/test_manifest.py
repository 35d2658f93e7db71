from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.library.storage.manifest import FILE_NAME, Manifest, read_manifest, write_manifest
from tests.made_up_rows import RECIPE


def test_a_manifest_reads_as_it_was_written(tmp_path: Path) -> None:
    roots = {"songs": Path("/music/songs"), "ärger": Path("/music/ä")}
    manifest = Manifest(RECIPE, roots, generation=3, cue_sheets=False, excluded=("Größe", "/Old"))
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    assert [place.name for place in tmp_path.iterdir()] == [FILE_NAME]  # no temporary file stays


def test_rules_that_are_not_set_are_not_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, Manifest(RECIPE, {}))
    assert {"cue_sheets", "excluded"}.isdisjoint(json.loads((tmp_path / FILE_NAME).read_text()))
    assert (read_manifest(tmp_path).cue_sheets, read_manifest(tmp_path).excluded) == (True, ())


def test_a_missing_library_is_reported_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"no library at .* make one with"):
        read_manifest(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="is not a folder"):
        read_manifest(tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("[]", "format None"),
        ('{"format": 99}', "format 99.*reads format 1"),
        ('{"format": 1}', "damaged.*recipe"),
    ],
)
def test_a_damaged_or_foreign_manifest_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(LibraryError, match=message):
        read_manifest(tmp_path)


def test_a_recipe_of_another_version_is_refused(tmp_path: Path) -> None:
    values = Manifest(RECIPE, {}).to_json()
    values["recipe"]["colour"] = "blue"
    (tmp_path / FILE_NAME).write_text(json.dumps(values))
    with pytest.raises(LibraryError, match="colour"):
        read_manifest(tmp_path)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_manifest(tmp_path, Manifest(RECIPE, {}))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("soundalike.config.os.fsync", fail)
    with pytest.raises(LibraryError, match=r"No space left.*unchanged"):
        write_manifest(tmp_path, replace(Manifest(RECIPE, {}), generation=2))
    monkeypatch.undo()
    assert read_manifest(tmp_path).generation == 1
    assert [place.name for place in tmp_path.iterdir()] == [FILE_NAME]
