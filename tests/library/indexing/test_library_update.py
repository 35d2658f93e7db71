from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from soundalike.errors import InputError, LibraryError
from soundalike.jobs.worker_pool import WorkerPool
from soundalike.library.indexing import work_estimate
from soundalike.library.indexing.index_report import Progress
from soundalike.library.indexing.library_update import index
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage import schema as layout
from soundalike.library.storage.location import Location
from soundalike.library.storage.lock import writing
from soundalike.library.storage.manifest import FILE_NAME, read_manifest
from soundalike.library.storage.store import FOLDERS_OF_ANSWERS, Library, Tables
from soundalike.listening import design, listening_folder
from tests.made_up_library import InlineBackend, LibraryFolder
from tests.made_up_rows import RECIPE


def test_a_first_run_indexes_everything(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", deep__b="loop 2", deep__c="one-shot 3")
    seen: list[Progress] = []
    report = library_folder.index(on_progress=seen.append)
    assert (report.found, report.new, report.indexed, report.unchanged, report.skipped) == (3, 3, 3, 0, [])
    assert report.audio_seconds == 50.0
    items = library_folder.items()
    assert {name: (row["kind"], row["windows"], row["root"]) for name, row in items.items()} == {
        "a": ("song", 3, "music"),
        "deep/b": ("loop", 1, "music"),
        "deep/c": ("one-shot", 1, "music"),
    }
    assert items["a"]["artist"] == "artist 1"
    assert items["a"]["status"] == "present"
    assert (seen[0].done, seen[0].total) == (0, 3)
    assert (seen[1].done, seen[1].current) == (0, "a.wav")  # named while it is analysed, before anything is done
    assert (seen[-1].done, seen[-1].total, seen[-1].audio_seconds) == (3, 3, 50.0)
    assert read_manifest(library_folder.path).roots == {"music": library_folder.music}


def test_ids_do_not_depend_on_the_machine(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 1 1")
    library_folder.index()
    assert library_folder.items()["a"]["id"] == "5b007e2ee42d2d34"  # blake2b of "music/a.wav"


class NoReading(InlineBackend):
    """A backend that must not read files."""

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        raise AssertionError(f"{place} was read")


def test_an_unchanged_file_is_not_even_opened(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    assert library_folder.analysed() == ["a.wav", "b.wav"]
    before = Library.open(library_folder.path).version

    report = library_folder.index(backend=NoReading())
    assert (report.found, report.unchanged, report.indexed) == (2, 2, 0)
    assert library_folder.analysed() == []
    assert Library.open(library_folder.path).version == before  # nothing was written either


def test_a_touched_file_is_read_once_more_and_not_analysed(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    library_folder.analysed()
    library_folder.file("a").touch()
    assert library_folder.index().unchanged == 1
    assert library_folder.analysed() == []
    assert library_folder.items()["a"]["mtime_ns"] == library_folder.file("a").stat().st_mtime_ns


def test_a_changed_file_is_analysed_again_and_its_old_vectors_are_deleted(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="song 2 2")
    library_folder.index()
    before = library_folder.items()
    library_folder.write(a="song 4 5")
    report = library_folder.index()
    assert (report.changed, report.new, report.unchanged) == (1, 0, 1)
    after = library_folder.items()
    assert after["a"]["id"] == before["a"]["id"]
    assert after["a"]["windows"] == 4
    assert after["b"] == before["b"]
    library_folder.write(a="one-shot 9")  # even to another kind
    library_folder.index()
    assert library_folder.items()["a"]["kind"] == "one-shot"


def test_a_moved_file_keeps_its_id_and_vectors(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    before = library_folder.items()
    library_folder.analysed()
    (library_folder.music / "sub").mkdir()
    library_folder.file("a").rename(library_folder.file("sub/other"))
    report = library_folder.index()
    assert (report.found, report.unchanged, report.moved, report.indexed, report.missing) == (2, 2, 1, 0, 0)
    after = library_folder.items()
    assert set(after) == {"sub/other", "b"}
    assert after["sub/other"]["id"] == before["a"]["id"]
    assert after["sub/other"]["indexed_at"] == before["a"]["indexed_at"]
    assert library_folder.analysed() == []
    library_folder.write(a="song 2 7")  # the old place may be taken again, by an item of its own
    library_folder.index()
    assert library_folder.items()["a"]["id"] != before["a"]["id"]


def test_a_copy_is_an_item_of_its_own_and_not_analysed(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    library_folder.analysed()
    shutil.copy(library_folder.file("a"), library_folder.file("b"))
    report = library_folder.index()
    assert (report.copied, report.indexed, report.unchanged) == (1, 1, 1)
    items = library_folder.items()
    assert items["a"]["content"] == items["b"]["content"]
    assert items["a"]["id"] != items["b"]["id"]
    assert library_folder.analysed() == []


def test_copies_that_come_together_are_analysed_once(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="song 3 1", c="song 3 1", d="broken", e="broken")
    report = library_folder.index()
    assert (report.new, report.copied, len(report.skipped)) == (1, 2, 2)
    assert sorted(set(library_folder.analysed())) == ["a.wav", "d.wav"]


def test_files_that_change_places_are_not_analysed(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="song 2 2")
    library_folder.index()
    library_folder.analysed()
    library_folder.write(a="song 2 2", b="song 3 1")
    report = library_folder.index()
    assert (report.found, report.indexed) == (2, 2)
    assert library_folder.analysed() == []
    assert (library_folder.items()["a"]["windows"], library_folder.items()["b"]["windows"]) == (2, 3)


def test_a_vanished_file_is_marked_and_its_return_costs_nothing(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    library_folder.analysed()
    before = library_folder.items()
    library_folder.file("a").rename(library_folder.music.parent / "away.wav")
    report = library_folder.index()
    assert (report.found, report.unchanged, report.missing) == (1, 1, 1)
    assert {name: row["status"] for name, row in library_folder.items().items()} == {"a": "missing", "b": "present"}
    assert library_folder.index().missing == 0  # reported once
    (library_folder.music.parent / "away.wav").rename(library_folder.file("a"))
    report = library_folder.index()
    assert (report.unchanged, report.returned) == (2, 1)
    assert library_folder.items() == before
    assert library_folder.analysed() == []


def test_a_missing_file_that_turns_up_elsewhere_is_moved(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    before = library_folder.items()
    library_folder.file("a").rename(library_folder.music.parent / "away.wav")
    library_folder.index()
    (library_folder.music.parent / "away.wav").rename(library_folder.file("c"))
    assert library_folder.index().moved == 1
    assert library_folder.items()["c"]["id"] == before["a"]["id"]
    assert library_folder.items()["c"]["status"] == "present"


def test_a_file_moves_to_another_root(library_folder: LibraryFolder, tmp_path: Path) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    library_folder.analysed()
    (tmp_path / "second").mkdir()
    library_folder.file("a").rename(tmp_path / "second" / "a.wav")
    report = library_folder.index(tmp_path / "second")
    assert (report.found, report.moved) == (1, 1)
    assert (library_folder.items()["a"]["root"], library_folder.analysed()) == ("second", [])


def test_a_crash_costs_its_file_only(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="crash", c="one-shot 2", d="kill", e="broken", f="bug", g="hang", h="loop 3")
    report = library_folder.index(jobs=2, file_seconds=2.0, in_workers=True)
    reasons = {Path(path).stem: reason for path, reason in report.skipped}
    assert reasons == {
        "b": "crashed (SIGSEGV)",
        "d": "crashed (SIGKILL, perhaps for want of memory)",
        "e": "not audio",
        "f": "unexpected ZeroDivisionError: division by zero",
        "g": "did not end within 2 s",
    }
    assert (report.found, report.indexed) == (8, 3)
    assert sorted(library_folder.items()) == ["a", "c", "h"]


def test_an_unusable_file_is_reported_again_but_not_tried_again(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", e="broken", f="bug")
    library_folder.index()
    library_folder.analysed()
    report = library_folder.index()
    assert [Path(path).stem for path, _ in report.skipped] == ["e", "f"]
    assert library_folder.analysed() == ["f.wav"]  # a fault of the program may be fixed by now
    library_folder.index(retry=True)
    assert library_folder.analysed() == ["e.wav", "f.wav"]
    library_folder.write(e="loop 4")
    assert library_folder.index().new == 1
    assert Library.open(library_folder.path).skipped()["path"].to_pylist() == ["f.wav"]
    library_folder.write(f="loop 5", g="broken")
    library_folder.index()
    assert Library.open(library_folder.path).skipped()["path"].to_pylist() == ["g.wav"]
    library_folder.file("g").unlink()
    library_folder.index()
    assert Library.open(library_folder.path).skipped().num_rows == 0


def test_a_library_lists_all_that_a_run_has_skipped_until_it_can_be_used(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", broken="broken", bug="bug")
    sheet = library_folder.music / "album.cue"
    sheet.write_text(
        'FILE "x.wav" WAVE\nTRACK 01 AUDIO\nINDEX 01 00:00:00\nFILE "y.wav" WAVE\nTRACK 02 AUDIO\nINDEX 01 00:00:00'
    )
    link = library_folder.music / "link.wav"
    link.symlink_to(library_folder.path.parent / "nothing.wav")

    def listed() -> list[tuple[str, str]]:
        rows = Library.open(library_folder.path).skipped().to_pylist()
        return sorted((str(library_folder.music / row["path"]), row["reason"]) for row in rows)

    for _ in range(3):
        report = library_folder.index()
        assert listed() == report.skipped
        assert [Path(path).name for path, _ in report.skipped] == ["album.cue", "broken.wav", "bug.wav", "link.wav"]
    assert "x.wav, which" in report.skipped[0][1]
    assert "y.wav, which" in report.skipped[0][1]
    before = Library.open(library_folder.path).version
    library_folder.index()
    assert Library.open(library_folder.path).version == before  # nothing new was written
    sheet.unlink()
    library_folder.index(library_folder.file("a"))
    assert len(listed()) == 4  # only what is in the place that was named is looked at
    library_folder.write(bug="loop 4")
    (library_folder.path.parent / "nothing.wav").write_text("loop 5")
    report = library_folder.index()
    assert listed() == report.skipped
    assert [Path(path).name for path, _ in report.skipped] == ["broken.wav"]


def test_an_item_whose_file_is_broken_now_is_missing(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    library_folder.write(a="broken")
    report = library_folder.index()
    assert (report.found, report.unchanged, len(report.skipped), report.missing) == (2, 1, 1, 1)
    assert library_folder.items()["a"]["status"] == "missing"
    library_folder.write(a="song 3 1")
    report = library_folder.index()
    assert (report.returned, report.unchanged) == (1, 2)
    assert library_folder.items()["a"]["status"] == "present"


def test_nothing_is_marked_missing_under_an_unreachable_root(library_folder: LibraryFolder, tmp_path: Path) -> None:
    library_folder.write(a="song 3 1", b="loop 2")
    library_folder.index()
    before = library_folder.items()
    library_folder.music.rename(tmp_path / "unplugged")
    for empty in (False, True):
        if empty:
            library_folder.music.mkdir()  # a mount point without its drive
        report = library_folder.index()
        assert report.unreachable == [("music", str(library_folder.music))]
        assert (report.found, report.missing) == (0, 0)
        assert library_folder.items() == before
    (tmp_path / "second").mkdir()
    shutil.copy(tmp_path / "unplugged" / "a.wav", tmp_path / "second" / "a.wav")
    report = library_folder.index(tmp_path / "second")
    assert (report.moved, report.copied) == (0, 1)  # nobody knows whether the other one is gone


def test_only_named_places_are_updated(library_folder: LibraryFolder) -> None:
    library_folder.write(x__a="song 3 1", y__b="loop 2", y__c="loop 3")
    library_folder.index()
    shutil.rmtree(library_folder.music / "x")
    library_folder.file("y/b").unlink()
    report = library_folder.index(library_folder.music / "y")
    assert (report.found, report.missing) == (1, 1)
    status = {name: row["status"] for name, row in library_folder.items().items()}
    assert status == {"x/a": "present", "y/b": "missing", "y/c": "present"}
    assert library_folder.index(library_folder.music / "x").missing == 1
    with pytest.raises(InputError, match="there is no"):
        library_folder.index(library_folder.path.parent / "nothing")


def test_a_file_named_explicitly_is_indexed_with_any_suffix(library_folder: LibraryFolder) -> None:
    odd = library_folder.music / "odd.xyz"
    odd.write_text("loop 1")
    library_folder.write(a="song 1 1")
    assert library_folder.index(odd).found == 1
    assert set(library_folder.items()) == {"odd.xyz"}
    report = library_folder.index()  # and it stays, though a walk would not find it
    assert (report.found, report.missing, report.new) == (2, 0, 1)


def test_a_kind_set_by_the_user_is_kept(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="song 3 1", c="loop 5")
    library_folder.index()
    library_folder.analysed()
    report = library_folder.index(library_folder.file("a"), kind="one-shot")
    assert (report.changed, library_folder.analysed()) == (1, ["a.wav"])
    items = library_folder.items()
    assert (items["a"]["kind"], items["a"]["kind_source"]) == ("one-shot", "user")
    assert items["a"]["content"] == items["b"]["content"] + ":one-shot"
    assert (items["b"]["kind"], items["b"]["kind_source"]) == ("song", "estimate")
    assert library_folder.index().unchanged == 3
    assert library_folder.index(library_folder.file("a"), kind="one-shot").unchanged == 1
    library_folder.write(a="song 2 8")
    library_folder.index()
    assert (library_folder.items()["a"]["kind"], library_folder.items()["a"]["kind_source"]) == ("one-shot", "user")
    library_folder.file("a").rename(library_folder.file("z"))
    assert library_folder.index().moved == 1
    assert (library_folder.items()["z"]["kind"], library_folder.items()["z"]["kind_source"]) == ("one-shot", "user")
    with pytest.raises(InputError, match="unknown kind 'drumloop'"):
        library_folder.index(kind="drumloop")


def test_another_recipe_is_refused_with_both_values(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    with pytest.raises(LibraryError, match=r"window 10\.0, not 5\.0.*--upgrade"):
        library_folder.index(recipe=replace(RECIPE, window=5.0, hop=5.0))
    assert library_folder.index(recipe=None).unchanged == 1


@pytest.mark.parametrize("damage", [FILE_NAME, "generation-1"])
def test_a_damaged_library_is_made_again_as_the_message_says_without_its_answers(
    library_folder: LibraryFolder, damage: str
) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    for folder in FOLDERS_OF_ANSWERS:
        (library_folder.path / folder).mkdir()
        (library_folder.path / folder / "answers").write_text("yes")
    if damage == FILE_NAME:
        (library_folder.path / damage).write_text("{")
    else:
        shutil.rmtree(library_folder.path / damage)
    with pytest.raises(LibraryError, match=r"or delete library\.json and generation-\* in .*, but nothing else there"):
        library_folder.index()
    (library_folder.path / FILE_NAME).unlink()
    for folder in library_folder.path.glob("generation-*"):
        shutil.rmtree(folder)
    assert library_folder.index().new == 1
    for folder in FOLDERS_OF_ANSWERS:
        assert (library_folder.path / folder / "answers").read_text() == "yes"


def test_a_library_knows_all_folders_of_answers() -> None:
    assert set(FOLDERS_OF_ANSWERS) == {listening_folder.FOLDER, design.FOLDER}


def test_a_new_library_needs_something_to_index_and_room(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the folders to index"):
        index(tmp_path / "lib", recipe=RECIPE)
    with pytest.raises(InputError, match="there is no"):
        index(tmp_path / "lib", [tmp_path / "none"], recipe=RECIPE)
    assert not (tmp_path / "lib").exists()
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.wav").touch()
    with pytest.raises(LibraryError, match=r"contains other files \(a.wav\)"):
        index(tmp_path / "music", [tmp_path / "music"], recipe=RECIPE)
    assert [place.name for place in (tmp_path / "music").iterdir()] == ["a.wav"]
    with pytest.raises(InputError, match="0 jobs"):
        index(tmp_path / "lib", [tmp_path / "music"], recipe=RECIPE, jobs=0)
    (tmp_path / "file").touch()
    with pytest.raises(LibraryError, match="cannot be created"):
        index(tmp_path / "file" / "lib", [tmp_path / "music"], recipe=RECIPE)


def test_a_second_writer_is_refused(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1")
    library_folder.index()
    with writing(library_folder.path), pytest.raises(LibraryError, match="is being written by process"):
        library_folder.index()


def test_a_library_among_its_music_is_not_searched_for_music(library_folder: LibraryFolder) -> None:
    library_folder.path = library_folder.music / "library"
    library_folder.write(a="song 3 1")
    library_folder.index()
    (library_folder.path / "generation-1" / "b.wav").write_text("loop 1")
    assert library_folder.index().found == 1


def test_a_commit_that_fails_keeps_what_was_committed(
    library_folder: LibraryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soundalike.library.indexing.batch_writer.PAUSE", 0.0)
    for number in range(8):
        library_folder.write(**{f"a{number}": f"slow 0.05 song 2 {number}"})
    real, count = Tables.upsert, [0]

    def upsert(self: Tables, name: str, rows: object) -> None:
        count[0] += 1
        if count[0] == 3:
            raise LibraryError("the table items cannot be written: No space left on device")
        real(self, name, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(Tables, "upsert", upsert)
    with pytest.raises(LibraryError, match="No space left"):
        library_folder.index()
    library = Library.open(library_folder.path)
    kept = library.items().num_rows
    assert 2 <= kept < 8
    # the vectors of the failed commit are there, without an item
    assert len(set(library.windows(["content"])["content"].to_pylist())) > kept
    monkeypatch.setattr(Tables, "upsert", real)
    report = library_folder.index()
    assert (report.unchanged, report.indexed) == (kept, 8 - kept)


def test_vectors_without_items_are_swept_and_items_without_vectors_redone(library_folder: LibraryFolder) -> None:
    library_folder.write(a="song 3 1", b="song 2 2", c="loop 3")
    library_folder.index()
    library_folder.analysed()
    items = library_folder.items()
    tables = Tables(library_folder.path / "generation-1", RECIPE)
    tables.delete("windows", "content", [items["a"]["content"]])
    rows = Library.open(library_folder.path).windows(layout.windows_schema(RECIPE).names)
    tables.append("windows", rows.slice(0, 1))  # one row of b too many
    tables.delete("items", "id", [items["c"]["id"]])
    report = library_folder.index()
    assert library_folder.analysed() == ["a.wav", "b.wav", "c.wav"]
    assert (report.changed, report.new) == (2, 1)
    assert {name: row["id"] for name, row in library_folder.items().items()} == {
        name: row["id"] for name, row in items.items()
    }


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(library_folder: LibraryFolder) -> None:
    library_folder.write(a="loop 2", b="slow 0.5 song 3 1")
    changed = []

    def meddle(progress: Progress) -> None:
        if progress.current == "b.wav" and not changed:
            changed.append(True)
            library_folder.write(b="slow 0 song 4 3")

    report = library_folder.index(on_progress=meddle, in_workers=True)
    assert changed
    assert [(Path(path).stem, reason[:10]) for path, reason in report.skipped] == [("b", "it changed")]
    assert library_folder.index().new == 1


def test_a_run_starts_no_more_workers_than_pay(library_folder: LibraryFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    start = WorkerPool._start

    def counted(pool: WorkerPool) -> object:
        started.append(1)
        return start(pool)

    monkeypatch.setattr(WorkerPool, "_start", counted)
    library_folder.write(**{f"n{number:03d}": f"one-shot {number}" for number in range(9)})
    library_folder.index(jobs=2, in_workers=True)
    assert len(started) == 1
    monkeypatch.setattr(work_estimate, "SECONDS_PER_FILE", 10.0)
    library_folder.write(**{f"m{number:03d}": f"loop {number}" for number in range(9)})
    library_folder.index(jobs=2, in_workers=True)
    assert len(started) == 1 + 2


@pytest.mark.long
def test_many_short_files_make_few_versions(library_folder: LibraryFolder) -> None:
    library_folder.write(**{f"n{number:03d}": f"one-shot {number}" for number in range(300)})
    report = library_folder.index(jobs=2, in_workers=True)
    assert report.new == 300
    library = Library.open(library_folder.path)
    assert library.clips(["content"]).num_rows == 300
    assert max(library.version) < 60
