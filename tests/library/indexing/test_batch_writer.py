from __future__ import annotations

from pathlib import Path

import pytest

from soundalike.library.indexing import batch_writer as writing
from soundalike.library.indexing.batch_writer import BatchWriter
from soundalike.library.indexing.item_rows import Row, item_row
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.storage import schema as layout
from soundalike.library.storage.manifest import generation_folder
from soundalike.library.storage.store import Library, Tables
from tests.made_up_rows import RECIPE, analysis


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    Library.create(tmp_path, RECIPE)
    return Tables(generation_folder(tmp_path, 1), RECIPE)


def _put(writer: BatchWriter, number: int) -> Row:
    made, content = analysis("loop", seed=number), f"content{number}"
    writer.add_vectors(layout.CLIPS, layout.vector_rows(made, content, RECIPE))
    row = item_row(f"id{number}", ScannedFile("r", f"{number}.wav", 1, 1), content, made, by_user=False)
    writer.put_item(row)
    return row


def test_vectors_are_written_before_their_items(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    append, upsert = Tables.append, Tables.upsert
    monkeypatch.setattr(Tables, "append", lambda *a: (order.append(f"append {a[1]}"), append(*a))[1])
    monkeypatch.setattr(Tables, "upsert", lambda *a: (order.append(f"upsert {a[1]}"), upsert(*a))[1])
    writer = BatchWriter(tables)
    for number in range(3):
        _put(writer, number)
    writer.refuse(("r", "bad.wav"), "not audio", 1, 1)
    writer.commit()
    assert order == ["append clips", "upsert items", "upsert skipped"]
    assert (tables.count(layout.CLIPS), tables.count(layout.ITEMS), tables.count(layout.SKIPPED)) == (3, 3, 1)


def test_files_are_committed_in_groups(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "PAUSE", 1e9)
    writer = BatchWriter(tables)
    for number in range(2 * writing.GROUP + 1):
        _put(writer, number)
        writer.commit_if_due()
    assert tables.fragments(layout.ITEMS) == 2
    assert tables.count(layout.ITEMS) == 2 * writing.GROUP
    monkeypatch.setattr(writing, "PAUSE", 0.0)
    writer.commit_if_due()
    assert tables.count(layout.ITEMS) == 2 * writing.GROUP + 1


def test_changes_apply_to_rows_committed_or_not(tables: Tables) -> None:
    writer = BatchWriter(tables)
    _put(writer, 1)
    writer.commit()
    _put(writer, 2)
    for name in ("id1", "id2"):
        writer.change_item(name, lambda row: {**row, "status": "missing"})
    writer.change_item("id1", lambda row: {**row, "size": row["size"] + 41})
    writer.commit()
    rows = {row["id"]: row for row in tables.read(layout.ITEMS).to_pylist()}
    assert {row["status"] for row in rows.values()} == {"missing"}
    assert rows["id1"]["size"] == 42


def test_a_row_is_found_by_its_content_wherever_it_is(tables: Tables) -> None:
    writer = BatchWriter(tables)
    first = _put(writer, 1)
    assert writer.row_of_content("content1") == first
    writer.commit()
    assert writer.row_of_content("content1") == first
    assert writer.row_of_content("content2") is None
    writer.keep_spare("id1")
    writer.put_item({**first, "content": "content9"})
    writer.commit()
    assert writer.row_of_content("content1") == first  # although no item has it any more


def test_what_was_refused_and_is_accepted_is_struck_out(tables: Tables) -> None:
    writer = BatchWriter(tables)
    for name in ("a.wav", "b.wav"):
        writer.refuse(("r", name), "not audio", 1, 1)
    writer.commit()
    writer = BatchWriter(tables, [("r", "a.wav"), ("r", "b.wav")])
    writer.accept("r", "a.wav")
    writer.accept("r", "b.wav")
    writer.refuse(("r", "b.wav"), "not audio", 1, 1)
    writer.finish()
    assert tables.read(layout.SKIPPED)["path"].to_pylist() == ["b.wav"]
