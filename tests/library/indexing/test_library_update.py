from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing.index_report import Progress
from soundalike.library.indexing.library_update import index
from soundalike.library.storage.lock import writing
from soundalike.library.storage.manifest import read_manifest
from soundalike.library.storage.store import Library, Tables
from tests.made_up_library import Shelf
from tests.made_up_rows import RECIPE


def test_a_first_run_takes_everything_in(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", deep__b="loop 2", deep__c="one-shot 3")
    seen: list[Progress] = []
    report = shelf.index(on_progress=seen.append)
    assert (report.found, report.new, report.indexed, report.unchanged, report.skipped) == (3, 3, 3, 0, [])
    assert report.audio_seconds == 50.0
    items = shelf.items()
    assert {name: (row["kind"], row["windows"], row["root"]) for name, row in items.items()} == {
        "a": ("song", 3, "music"),
        "deep/b": ("loop", 1, "music"),
        "deep/c": ("one-shot", 1, "music"),
    }
    assert items["a"]["artist"] == "artist 1"
    assert items["a"]["status"] == "present"
    assert (seen[0].done, seen[0].total) == (0, 3)
    assert (seen[-1].done, seen[-1].total, seen[-1].audio_seconds) == (3, 3, 50.0)
    assert read_manifest(shelf.path).roots == {"music": shelf.music}


def test_ids_do_not_depend_on_the_machine(shelf: Shelf) -> None:
    shelf.write(a="song 1 1")
    shelf.index()
    assert shelf.items()["a"]["id"] == "5b007e2ee42d2d34"  # blake2b of "music/a.wav"


def test_an_unchanged_file_is_not_even_opened(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    assert shelf.analysed() == ["a.wav", "b.wav"]
    before = Library.open(shelf.path).version

    def refuse(path: Path) -> str:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("soundalike.library.indexing.indexing_run.content_digest", refuse)
    report = shelf.index()
    assert (report.found, report.unchanged, report.indexed) == (2, 2, 0)
    assert shelf.analysed() == []
    assert Library.open(shelf.path).version == before  # nothing was written either


def test_a_touched_file_is_read_once_more_and_not_analysed(shelf: Shelf) -> None:
    shelf.write(a="song 3 1")
    shelf.index()
    shelf.analysed()
    shelf.file("a").touch()
    assert shelf.index().unchanged == 1
    assert shelf.analysed() == []
    assert shelf.items()["a"]["mtime_ns"] == shelf.file("a").stat().st_mtime_ns


def test_a_changed_file_is_redone_and_its_old_vectors_go(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="song 2 2")
    shelf.index()
    before = shelf.items()
    shelf.write(a="song 4 5")
    report = shelf.index()
    assert (report.changed, report.new, report.unchanged) == (1, 0, 1)
    after = shelf.items()
    assert after["a"]["id"] == before["a"]["id"]
    assert after["a"]["windows"] == 4
    assert after["b"] == before["b"]
    shelf.write(a="one-shot 9")  # even to another kind
    shelf.index()
    assert shelf.items()["a"]["kind"] == "one-shot"


def test_a_moved_file_keeps_its_id_and_vectors(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    before = shelf.items()
    shelf.analysed()
    (shelf.music / "sub").mkdir()
    shelf.file("a").rename(shelf.file("sub/other"))
    report = shelf.index()
    assert (report.found, report.unchanged, report.moved, report.indexed, report.missing) == (2, 2, 1, 0, 0)
    after = shelf.items()
    assert set(after) == {"sub/other", "b"}
    assert after["sub/other"]["id"] == before["a"]["id"]
    assert after["sub/other"]["indexed_at"] == before["a"]["indexed_at"]
    assert shelf.analysed() == []
    shelf.write(a="song 2 7")  # the old place may be taken again, by an item of its own
    shelf.index()
    assert shelf.items()["a"]["id"] != before["a"]["id"]


def test_a_copy_is_an_item_of_its_own_and_not_analysed(shelf: Shelf) -> None:
    shelf.write(a="song 3 1")
    shelf.index()
    shelf.analysed()
    shutil.copy(shelf.file("a"), shelf.file("b"))
    report = shelf.index()
    assert (report.copied, report.indexed, report.unchanged) == (1, 1, 1)
    items = shelf.items()
    assert items["a"]["content"] == items["b"]["content"]
    assert items["a"]["id"] != items["b"]["id"]
    assert shelf.analysed() == []


def test_copies_that_come_together_are_analysed_once(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="song 3 1", c="song 3 1", d="broken", e="broken")
    report = shelf.index()
    assert (report.new, report.copied, len(report.skipped)) == (1, 2, 2)
    assert sorted(set(shelf.analysed())) == ["a.wav", "d.wav"]


def test_files_that_change_places_are_not_analysed(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="song 2 2")
    shelf.index()
    shelf.analysed()
    shelf.write(a="song 2 2", b="song 3 1")
    report = shelf.index()
    assert (report.found, report.indexed) == (2, 2)
    assert shelf.analysed() == []
    assert (shelf.items()["a"]["windows"], shelf.items()["b"]["windows"]) == (2, 3)


def test_a_vanished_file_is_marked_and_its_return_costs_nothing(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    shelf.analysed()
    before = shelf.items()
    shelf.file("a").rename(shelf.music.parent / "away.wav")
    report = shelf.index()
    assert (report.found, report.unchanged, report.missing) == (1, 1, 1)
    assert {name: row["status"] for name, row in shelf.items().items()} == {"a": "missing", "b": "present"}
    assert shelf.index().missing == 0  # told once
    (shelf.music.parent / "away.wav").rename(shelf.file("a"))
    report = shelf.index()
    assert (report.unchanged, report.returned) == (2, 1)
    assert shelf.items() == before
    assert shelf.analysed() == []


def test_a_missing_file_that_turns_up_elsewhere_is_moved(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    before = shelf.items()
    shelf.file("a").rename(shelf.music.parent / "away.wav")
    shelf.index()
    (shelf.music.parent / "away.wav").rename(shelf.file("c"))
    assert shelf.index().moved == 1
    assert shelf.items()["c"]["id"] == before["a"]["id"]
    assert shelf.items()["c"]["status"] == "present"


def test_a_file_moves_to_another_root(shelf: Shelf, tmp_path: Path) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    shelf.analysed()
    (tmp_path / "second").mkdir()
    shelf.file("a").rename(tmp_path / "second" / "a.wav")
    report = shelf.index(tmp_path / "second")
    assert (report.found, report.moved) == (1, 1)
    assert (shelf.items()["a"]["root"], shelf.analysed()) == ("second", [])


def test_what_a_worker_does_not_survive_costs_its_file_only(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="crash", c="one-shot 2", d="kill", e="broken", f="bug", g="hang", h="loop 3")
    report = shelf.index(jobs=2, file_seconds=2.0, in_workers=True)
    reasons = {Path(path).stem: reason for path, reason in report.skipped}
    assert reasons == {
        "b": "crashed (SIGSEGV)",
        "d": "crashed (SIGKILL, perhaps for want of memory)",
        "e": "not audio",
        "f": "unexpected ZeroDivisionError: division by zero",
        "g": "did not end within 2 s",
    }
    assert (report.found, report.indexed) == (8, 3)
    assert sorted(shelf.items()) == ["a", "c", "h"]


def test_a_file_that_cannot_be_used_is_told_again_but_not_tried_again(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", e="broken", f="bug")
    shelf.index()
    shelf.analysed()
    report = shelf.index()
    assert [Path(path).stem for path, _ in report.skipped] == ["e", "f"]
    assert shelf.analysed() == ["f.wav"]  # a fault of the program may be mended by now
    shelf.index(retry=True)
    assert shelf.analysed() == ["e.wav", "f.wav"]
    shelf.write(e="loop 4")
    assert shelf.index().new == 1
    assert Library.open(shelf.path).skipped().num_rows == 0
    shelf.write(g="broken")
    shelf.index()
    assert Library.open(shelf.path).skipped()["path"].to_pylist() == ["g.wav"]
    shelf.file("g").unlink()
    shelf.index()
    assert Library.open(shelf.path).skipped().num_rows == 0


def test_an_item_whose_file_is_broken_now_is_missing(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    shelf.write(a="broken")
    report = shelf.index()
    assert (report.found, report.unchanged, len(report.skipped), report.missing) == (2, 1, 1, 1)
    assert shelf.items()["a"]["status"] == "missing"
    shelf.write(a="song 3 1")
    report = shelf.index()
    assert (report.returned, report.unchanged) == (1, 2)
    assert shelf.items()["a"]["status"] == "present"


def test_nothing_is_marked_under_a_root_out_of_reach(shelf: Shelf, tmp_path: Path) -> None:
    shelf.write(a="song 3 1", b="loop 2")
    shelf.index()
    before = shelf.items()
    shelf.music.rename(tmp_path / "unplugged")
    for empty in (False, True):
        if empty:
            shelf.music.mkdir()  # a mount point without its drive
        report = shelf.index()
        assert report.unreachable == [("music", str(shelf.music))]
        assert (report.found, report.missing) == (0, 0)
        assert shelf.items() == before
    (tmp_path / "second").mkdir()
    shutil.copy(tmp_path / "unplugged" / "a.wav", tmp_path / "second" / "a.wav")
    report = shelf.index(tmp_path / "second")
    assert (report.moved, report.copied) == (0, 1)  # nobody knows whether the other one is gone


def test_only_what_was_named_is_reconciled(shelf: Shelf) -> None:
    shelf.write(x__a="song 3 1", y__b="loop 2", y__c="loop 3")
    shelf.index()
    shutil.rmtree(shelf.music / "x")
    shelf.file("y/b").unlink()
    report = shelf.index(shelf.music / "y")
    assert (report.found, report.missing) == (1, 1)
    status = {name: row["status"] for name, row in shelf.items().items()}
    assert status == {"x/a": "present", "y/b": "missing", "y/c": "present"}
    assert shelf.index(shelf.music / "x").missing == 1
    with pytest.raises(InputError, match="there is no"):
        shelf.index(shelf.path.parent / "nothing")


def test_a_file_named_outright_is_taken_whatever_its_suffix(shelf: Shelf) -> None:
    odd = shelf.music / "odd.xyz"
    odd.write_text("loop 1")
    shelf.write(a="song 1 1")
    assert shelf.index(odd).found == 1
    assert set(shelf.items()) == {"odd.xyz"}
    report = shelf.index()  # and it stays, though a walk would not find it
    assert (report.found, report.missing, report.new) == (2, 0, 1)


def test_the_kind_that_the_user_sets_holds(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="song 3 1", c="loop 5")
    shelf.index()
    shelf.analysed()
    report = shelf.index(shelf.file("a"), kind="one-shot")
    assert (report.changed, shelf.analysed()) == (1, ["a.wav"])
    items = shelf.items()
    assert (items["a"]["kind"], items["a"]["kind_source"]) == ("one-shot", "user")
    assert items["a"]["content"] == items["b"]["content"] + ":one-shot"
    assert (items["b"]["kind"], items["b"]["kind_source"]) == ("song", "estimate")
    assert shelf.index().unchanged == 3
    assert shelf.index(shelf.file("a"), kind="one-shot").unchanged == 1
    shelf.write(a="song 2 8")
    shelf.index()
    assert (shelf.items()["a"]["kind"], shelf.items()["a"]["kind_source"]) == ("one-shot", "user")
    shelf.file("a").rename(shelf.file("z"))
    assert shelf.index().moved == 1
    assert (shelf.items()["z"]["kind"], shelf.items()["z"]["kind_source"]) == ("one-shot", "user")
    with pytest.raises(InputError, match="unknown kind 'drumloop'"):
        shelf.index(kind="drumloop")


def test_a_library_made_otherwise_is_refused_naming_both(shelf: Shelf) -> None:
    shelf.write(a="song 3 1")
    shelf.index()
    with pytest.raises(LibraryError, match=r"window: 10.0 here, 5.0 there.*--upgrade"):
        shelf.index(recipe=replace(RECIPE, window=5.0, hop=5.0))
    assert shelf.index(recipe=None).unchanged == 1


def test_a_new_library_needs_something_to_index_and_room(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the folders to index"):
        index(tmp_path / "lib", recipe=RECIPE)
    with pytest.raises(InputError, match="there is no"):
        index(tmp_path / "lib", [tmp_path / "none"], recipe=RECIPE)
    assert not (tmp_path / "lib").exists()
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.wav").touch()
    with pytest.raises(LibraryError, match=r"holds other things \(a.wav\)"):
        index(tmp_path / "music", [tmp_path / "music"], recipe=RECIPE)
    assert [place.name for place in (tmp_path / "music").iterdir()] == ["a.wav"]
    with pytest.raises(InputError, match="0 jobs"):
        index(tmp_path / "lib", [tmp_path / "music"], recipe=RECIPE, jobs=0)
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="cannot be made"):
        index(tmp_path / "file" / "lib", [tmp_path / "music"], recipe=RECIPE)


def test_a_second_writer_is_refused(shelf: Shelf) -> None:
    shelf.write(a="song 3 1")
    shelf.index()
    with writing(shelf.path), pytest.raises(LibraryError, match="is being written by process"):
        shelf.index()


def test_a_library_among_its_music_is_not_searched_for_music(shelf: Shelf) -> None:
    shelf.path = shelf.music / "library"
    shelf.write(a="song 3 1")
    shelf.index()
    (shelf.path / "generation-1" / "b.wav").write_text("loop 1")
    assert shelf.index().found == 1


def test_a_commit_that_fails_keeps_what_was_committed(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soundalike.library.indexing.batch_writer.PAUSE", 0.0)
    for number in range(8):
        shelf.write(**{f"a{number}": f"slow 0.05 song 2 {number}"})
    real, count = Tables.upsert, [0]

    def upsert(self: Tables, name: str, rows: object) -> None:
        count[0] += 1
        if count[0] == 3:
            raise LibraryError("the table items cannot be written: No space left on device")
        real(self, name, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(Tables, "upsert", upsert)
    with pytest.raises(LibraryError, match="No space left"):
        shelf.index()
    library = Library.open(shelf.path)
    kept = library.items().num_rows
    assert 2 <= kept < 8
    # the vectors of the failed commit are there, without an item
    assert len(set(library.windows(["content"])["content"].to_pylist())) > kept
    monkeypatch.setattr(Tables, "upsert", real)
    report = shelf.index()
    assert (report.unchanged, report.indexed) == (kept, 8 - kept)


def test_vectors_without_items_are_swept_and_items_without_vectors_redone(shelf: Shelf) -> None:
    shelf.write(a="song 3 1", b="song 2 2", c="loop 3")
    shelf.index()
    shelf.analysed()
    items = shelf.items()
    tables = Tables(shelf.path / "generation-1", RECIPE)
    tables.delete("windows", "content", [items["a"]["content"]])
    rows = Library.open(shelf.path).windows(Library.open(shelf.path)._tables._tables["windows"].schema.names)
    tables.append("windows", rows.slice(0, 1))  # one row of b too many
    tables.delete("items", "id", [items["c"]["id"]])
    report = shelf.index()
    assert shelf.analysed() == ["a.wav", "b.wav", "c.wav"]
    assert (report.changed, report.new) == (2, 1)
    assert {name: row["id"] for name, row in shelf.items().items()} == {name: row["id"] for name, row in items.items()}


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(shelf: Shelf) -> None:
    shelf.write(a="loop 2", b="slow 0.5 song 3 1")
    changed = []

    def meddle(progress: Progress) -> None:
        if progress.current == "b.wav" and not changed:
            changed.append(True)
            shelf.write(b="slow 0 song 4 3")

    report = shelf.index(on_progress=meddle, in_workers=True)
    assert changed
    assert [(Path(path).stem, reason[:10]) for path, reason in report.skipped] == [("b", "it changed")]
    assert shelf.index().new == 1


def test_many_short_files_make_few_versions(shelf: Shelf) -> None:
    shelf.write(**{f"n{number:03d}": f"one-shot {number}" for number in range(300)})
    report = shelf.index(jobs=2, in_workers=True)
    assert report.new == 300
    library = Library.open(shelf.path)
    assert library.wholes(["content"]).num_rows == 300
    assert max(library.version) < 60
