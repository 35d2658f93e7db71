from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from soundalike.audio.cue_sheet import Track
from soundalike.library.indexing.exclusions import Exclusions
from soundalike.library.indexing.file_registry import KnownItem, Place
from soundalike.library.indexing.scan_comparison import ScanComparison
from soundalike.library.indexing.scanned_file import Scan, ScannedFile
from soundalike.library.indexing.scopes import Scope, Scopes

Compare = Callable[..., ScanComparison]


def _item(path: str, root: str = "r", content: str = "content") -> KnownItem:
    return KnownItem(f"id of {path}", root, path, 1, 1, content, "loop", by_user=False, missing=False)


def _found(*paths: str) -> list[ScannedFile]:
    return [ScannedFile("r", path, 1, 1) for path in paths]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    def made(
        scan: Scan, *items: KnownItem, scopes: tuple[Scope, ...] = (Scope("r"),), exclude: tuple[str, ...] = ()
    ) -> ScanComparison:
        known = {item.place: item for item in items}
        return ScanComparison(scan, known, {"r": tmp_path, "s": tmp_path / "s"}, Scopes(scopes), Exclusions(exclude))

    return made


def test_items_whose_files_are_not_there_are_gone(compare: Compare) -> None:
    there, gone = _item("there.wav"), _item("a/gone.wav")
    items = compare(Scan(_found("there.wav", "new.wav")), there, gone).items()
    assert items.gone == {gone.place: gone}
    assert (items.replaced, items.excluded, items.unlisted) == ({}, [], [])


def test_nothing_is_concluded_from_what_was_not_read(compare: Compare) -> None:
    outside, unreadable, unreachable = _item("b/1.wav"), _item("a/locked/2.wav"), _item("3.wav", "s")
    scan = Scan(unreadable=[("r", "a/locked", "Permission denied")], unreachable=["s"])
    items = [outside, unreadable, unreachable, _item("a/locked too/4.wav")]
    comparison = compare(scan, *items, scopes=(Scope("r", "a"), Scope("s")))
    assert list(comparison.items().gone) == [("r", "a/locked too/4.wav")]
    assert [comparison.includes(item.place) for item in items] == [False, True, False, True]
    assert [comparison.has_read(item.place) for item in items] == [False, False, False, True]


def test_a_root_that_cannot_be_listed_keeps_its_items(compare: Compare) -> None:
    comparison = compare(Scan(unreadable=[("r", "", "Input/output error")]), _item("a.wav"), _item("b.wav", "s"))
    assert comparison.items().gone == {}
    assert not comparison.has_read(("r", "a.wav"))


def test_a_file_that_the_scan_does_not_list_is_added(compare: Compare, tmp_path: Path) -> None:
    (tmp_path / "odd.name").write_text("four")
    (tmp_path / "folder.name").mkdir()
    items = compare(Scan(), _item("odd.name"), _item("folder.name")).items()
    facts = (tmp_path / "odd.name").stat()
    assert [(file.path, file.size, file.mtime_ns) for file in items.unlisted] == [("odd.name", 4, facts.st_mtime_ns)]
    assert list(items.gone) == [("r", "folder.name")]


def test_items_of_a_file_that_is_divided_otherwise_are_replaced(compare: Compare, tmp_path: Path) -> None:
    (tmp_path / "album.flac").write_text("album")
    whole, first = _item("album.flac"), _item("album.flac#01", content="content#0-5")
    tracks = [ScannedFile("r", first.path, 1, 1, Track(1, 0.0, 5.0))]
    items = compare(Scan(tracks), whole, first).items()
    assert (items.replaced, items.gone, items.unlisted) == ({whole.place: whole}, {}, [])
    items = compare(Scan(_found("album.flac")), whole, first).items()
    assert (items.replaced, items.gone, items.unlisted) == ({first.place: first}, {}, [])


def test_excluded_items_leave_whether_or_not_their_files_are_there(compare: Compare, tmp_path: Path) -> None:
    (tmp_path / "Backup").mkdir()
    (tmp_path / "Backup" / "there.wav").write_text("there")
    excluded = [_item("Backup/there.wav"), _item("Backup/gone.wav")]
    comparison = compare(Scan(), *excluded, _item("gone.wav"), exclude=("Backup",))
    items = comparison.items()
    assert (items.excluded, list(items.gone), items.unlisted) == (excluded, [("r", "gone.wav")], [])
    places: list[Place] = [("r", "Backup/there.wav"), ("r", "gone.wav"), ("r", "Backup")]
    assert [comparison.is_left_out(place) for place in places] == [True, True, True]
    (tmp_path / "gone.wav").write_text("back")
    assert not comparison.is_left_out(("r", "gone.wav"))


def test_imported_items_of_files_that_are_indexed_now(compare: Compare, tmp_path: Path) -> None:
    imported = [_item(str(tmp_path / name), root="") for name in ("a.wav", "b.wav", "c.wav")]
    comparison = compare(Scan(), *imported, _item("a.wav"), _item("b.wav"))
    assert comparison.imported_before(_found("a.wav", "c.wav", "d.wav")) == imported[:1]
    assert compare(Scan(), _item("a.wav")).imported_before(_found("a.wav")) == []
