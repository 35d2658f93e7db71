from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from soundalike.library.indexing.batch_writer import BatchWriter
from soundalike.library.indexing.file_registry import TRY_AGAIN, FileRegistry
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.item_changes import Inherited, ItemChanges
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.storage import schema as layout
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.store import Library, Tables
from tests.made_up_rows import RECIPE, analysis


@dataclass
class Run:
    """The changes of a run, and what they are recorded in."""

    tables: Tables
    registry: FileRegistry
    writer: BatchWriter
    report: IndexReport
    changes: ItemChanges

    @classmethod
    def of(cls, folder: Path, inherited: Inherited | None = None) -> Run:
        tables = Tables(generation_folder(folder / "library", 1), RECIPE)
        registry, report = FileRegistry(tables), IndexReport()
        writer = BatchWriter(tables, registry.refused)
        changes = ItemChanges(registry, writer, report, {"r": folder / "music"}, inherited or {})
        return cls(tables, registry, writer, report, changes)

    def items(self) -> dict[str, dict[str, Any]]:
        """Finish the run; the rows of its items by path."""
        self.writer.finish()
        rows = self.tables.read(layout.ITEMS).to_pylist()
        known = {(row["root"], row["path"]): (row["id"], row["content"], row["size"]) for row in rows}
        registered = self.registry.by_place.items()
        assert known == {place: (item.id, item.content, item.size) for place, item in registered}
        return {row["path"]: row for row in rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `library` is an empty library and `music` a folder with a file."""
    for name in ("library", "music"):
        (tmp_path / name).mkdir()
    (tmp_path / "music" / "a.wav").write_text("a")
    Library.create(tmp_path / "library", RECIPE)
    return tmp_path


def _file(path: str, size: int = 1) -> ScannedFile:
    return ScannedFile("r", path, size, 1)


def test_files_of_one_content_are_stored_with_one_set_of_vectors(folder: Path) -> None:
    run = Run.of(folder, {("r", "b.wav"): ("id of b", None)})
    run.changes.store("content", analysis("loop", seed=1), [_file("a.wav"), _file("b.wav")])
    run.changes.store("content2", analysis("loop", seed=2), [_file("c.wav")])
    assert (run.report.new, run.report.copied, run.registry.stored) == (2, 1, {"content", "content2"})
    assert run.report.audio_seconds == 2 * analysis("loop", seed=1).duration
    items = run.items()
    assert {path: item["content"] for path, item in items.items()} == {
        "a.wav": "content",
        "b.wav": "content",
        "c.wav": "content2",
    }
    assert items["b.wav"]["id"] == "id of b"
    assert run.tables.count(layout.CLIPS) == 2


def test_the_item_of_a_file_moves_with_it_and_others_are_missing(folder: Path) -> None:
    run = Run.of(folder)
    for seed, path in enumerate(("a.wav", "b.wav", "c.wav")):
        run.changes.store(f"content{seed}", analysis("loop", seed=seed), [_file(path)])
    before = run.items()
    run = Run.of(folder)
    known = dict(run.registry.by_place)
    run.changes.items.gone = {place: known[place] for place in (("r", "b.wav"), ("r", "c.wav"))}
    run.changes.keep(known["r", "a.wav"], _file("a.wav", size=7))
    run.changes.move(known["r", "b.wav"], _file("d.wav"))
    run.changes.mark_missing()
    assert (run.report.unchanged, run.report.moved, run.report.missing) == (2, 1, 1)
    items = run.items()
    assert {path: (item["id"], item["size"], item["status"]) for path, item in items.items()} == {
        "a.wav": (before["a.wav"]["id"], 7, "present"),
        "d.wav": (before["b.wav"]["id"], 1, "present"),
        "c.wav": (before["c.wav"]["id"], 1, "missing"),
    }
    run = Run.of(folder)
    run.changes.keep(run.registry.by_place["r", "c.wav"], _file("c.wav"))
    assert run.report.returned == 1
    assert run.items()["c.wav"]["status"] == "present"


def test_nothing_is_missing_under_a_root_that_is_gone(folder: Path) -> None:
    run = Run.of(folder)
    run.changes.store("content", analysis("loop"), [_file("a.wav")])
    run.changes.items.gone = dict(run.registry.by_place)
    (folder / "music").rename(folder / "elsewhere")
    run.changes.mark_missing()
    assert run.report.missing == 0
    assert run.items()["a.wav"]["status"] == "present"


def test_a_copy_is_an_item_of_its_own(folder: Path) -> None:
    run = Run.of(folder)
    run.changes.store("content", analysis("loop"), [_file("a.wav")])
    row = run.writer.row_of_content("content")
    assert row is not None
    run.changes.copy(row, _file("b.wav", size=3))
    assert (run.report.new, run.report.copied) == (1, 1)
    items = run.items()
    assert items["a.wav"]["content"] == items["b.wav"]["content"]
    assert items["a.wav"]["id"] != items["b.wav"]["id"]


def test_what_is_skipped_is_recorded_until_it_is_not_skipped(folder: Path) -> None:
    run = Run.of(folder)
    run.changes.store("content", analysis("loop"), [_file("a.wav")])
    run.changes.skip(_file("a.wav", size=2), "not audio", lasting=True)
    run.changes.skip(_file("b.wav"), "cannot be read")
    run.changes.note_skipped(("r", "c.wav"), "a link to nothing")
    assert list(run.changes.items.gone) == [("r", "a.wav")]  # what the item was is not there any more
    assert [reason for _, reason in run.report.skipped] == ["not audio", "cannot be read", "a link to nothing"]
    run.writer.finish()
    skipped = run.tables.read(layout.SKIPPED).to_pylist()
    assert {row["path"]: row["size"] for row in skipped} == {"a.wav": 2, "b.wav": TRY_AGAIN, "c.wav": TRY_AGAIN}
    run = Run.of(folder)
    run.changes.note_skipped(("r", "c.wav"), "a link to nothing")
    run.changes.accept_no_longer_skipped(lambda place: True)
    run.writer.finish()
    assert sorted(run.tables.read(layout.SKIPPED)["path"].to_pylist()) == ["a.wav", "c.wav"]
    run = Run.of(folder)
    run.changes.accept_no_longer_skipped(lambda place: False)
    run.writer.finish()
    assert run.tables.count(layout.SKIPPED) == 2
    run = Run.of(folder)
    run.changes.store("content3", analysis("loop", seed=3), [_file("a.wav")])  # it can be used now
    run.writer.finish()
    assert run.tables.read(layout.SKIPPED)["path"].to_pylist() == ["c.wav"]
