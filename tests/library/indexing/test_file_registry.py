from __future__ import annotations

from pathlib import Path

from soundalike.library.indexing.file_registry import FileRegistry, KnownItem, content_name
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.storage.item_parts import digest_of
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.store import Library, Tables
from tests.made_up_rows import RECIPE


def _ledger(tmp_path: Path) -> FileRegistry:
    Library.create(tmp_path, RECIPE)
    return FileRegistry(Tables(generation_folder(tmp_path, 1), RECIPE))


def _known(ledger: FileRegistry, path: str, content: str) -> KnownItem:
    known = KnownItem(ledger.new_id("r", path), "r", path, 1, 1, content, "song", by_user=False, missing=False)
    ledger.put(known)
    return known


def test_an_id_in_use_is_not_given_again(tmp_path: Path) -> None:
    ledger = _ledger(tmp_path)
    first = _known(ledger, "a.wav", "x")
    ledger.move(first, ScannedFile("r", "b.wav", 1, 1))
    second = ledger.new_id("r", "a.wav")
    assert second != first.id
    assert len(second) == 16
    assert ledger.new_id("r", "a.wav") == second  # the same each time, while it is free


def test_items_are_found_by_what_they_hold(tmp_path: Path) -> None:
    ledger = _ledger(tmp_path)
    _known(ledger, "b.wav", "x")
    assert [known.path for known in ledger.of_digest("x")] == ["b.wav"]
    _known(ledger, "a.wav", "x:loop")
    assert [known.path for known in ledger.of_digest("x")] == ["a.wav", "b.wav"]
    _known(ledger, "b.wav", "y")
    assert [known.path for known in ledger.of_digest("x")] == ["a.wav"]
    assert ledger.per_root() == {"r": 2}


def test_names_of_contents() -> None:
    assert content_name("ab", None) == "ab"
    assert content_name("ab", "loop") == "ab:loop"
    assert digest_of("ab:loop") == digest_of("ab") == "ab"
