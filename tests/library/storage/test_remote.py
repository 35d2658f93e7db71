"""A library and its audio on object storage: written once, read by several, and writers that are killed at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from soundalike.analysis.recipe import Recipe
from soundalike.errors import InputError, LibraryError
from soundalike.library.indexing.index_report import IndexReport
from soundalike.library.indexing.library_update import index
from soundalike.library.maintenance.audit import audit
from soundalike.library.maintenance.parquet import export_parquet, import_parquet
from soundalike.library.maintenance.roots import relocate, remove
from soundalike.library.storage import lease
from soundalike.library.storage.location import ObjectRefusedError, ObjectStat, OutdatedError, Remote
from soundalike.library.storage.manifest import read_manifest, write_manifest
from soundalike.library.storage.store import Library
from soundalike.search.finder import Finder
from tests.library.compare import rows_of
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE
from tests.object_store import ObjectStore, Request

pytestmark = pytest.mark.cluster

FILES = {"a.wav": "song 3 1", "in/b.wav": "loop 2", "in/c.wav": "one-shot 3", "in/copy of a.wav": "song 3 1"}

DRIVER = """
import sys
sys.path.insert(0, {tests!r})
from tests.library.compare import rows_of
from tests.made_up_library import InlineBackend
from tests.made_up_rows import RECIPE
from soundalike.library.indexing import batch_writer
from soundalike.library.indexing.library_update import index
from soundalike.library.storage import lease
lease.SECONDS = 2.0
batch_writer.REMOTE_GROUP = 2
print("begin", flush=True)
sys.stdin.readline()
index(sys.argv[1], [sys.argv[2]], recipe=RECIPE, backend=InlineBackend())
"""


@pytest.fixture
def place(bucket: str) -> Remote:
    """Where the library is to be; its files are in `music` beside it."""
    _fill(Remote(bucket, "music"), FILES)
    return Remote(bucket, "library")


def _fill(folder: Remote, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).overwrite(text)


def _index(place: Remote, *, recipe: Recipe = RECIPE, upgrade: bool = False) -> IndexReport:
    report = index(place, [place.parent / "music"], recipe=recipe, upgrade=upgrade, backend=InlineBackend())
    found = audit(Library.open(place))
    assert found.problems == ()
    return report


def test_it_is_the_library_that_a_folder_would_be(place: Remote, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / "music" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "music" / name).write_text(text)
    (place.parent / "music" / "broken.wav").overwrite("broken")
    (tmp_path / "music" / "broken.wav").write_text("broken")
    report = _index(place)
    index(tmp_path / "library", [tmp_path / "music"], recipe=RECIPE, backend=InlineBackend())
    assert (report.new, report.copied, len(report.skipped)) == (3, 1, 1)
    assert report.skipped == [(f"s3://{place.bucket}/music/broken.wav", "not audio")]
    assert rows_of(Library.open(place), without=("mtime_ns",)) == rows_of(
        Library.open(tmp_path / "library"), without=("mtime_ns",)
    )


def test_the_incremental_rules_hold(place: Remote) -> None:
    music = place.parent / "music"
    _index(place)
    report = _index(place)
    assert (report.unchanged, report.indexed) == (4, 0)
    (music / "in/b.wav").delete()
    (music / "in/c.wav").delete()
    (music / "moved.wav").overwrite(FILES["in/c.wav"])
    (music / "a.wav").overwrite("song 2 9")
    (music / ".hidden/x.wav").overwrite("loop 1")
    (music / "notes.txt").overwrite("no audio")
    report = _index(place)
    assert (report.found, report.moved, report.changed, report.unchanged, report.missing) == (3, 1, 1, 2, 1)


def test_other_libraries_are_left_out(place: Remote) -> None:
    """Of what lies beside the files: one of made-up objects, and the library itself."""
    _fill(place.parent / "music" / "old", {"library.json": "{}", "generation-1/x.wav": "loop 7"})
    for _ in range(2):  # the second time the library is there
        report = index(place, [place.parent], recipe=RECIPE, backend=InlineBackend())
        assert report.libraries == [str(place.parent / "music" / "old")]
        assert (report.found, report.other) == (4, {})


def test_excluded_objects_are_left_out_and_their_items_removed(place: Remote) -> None:
    music = place.parent / "music"
    _fill(music, {"In/Backup/d.wav": "loop 7", "Backup vocals.wav": "loop 8", "In/Backup/e.rx2": "none"})
    _fill(music / "In" / "Backup" / "old", {"library.json": "{}", "generation-1/x.wav": "loop 9"})
    assert _index(place).found == 6
    report = index(place, exclude=["backup", "/in"], backend=InlineBackend())
    assert (report.found, report.unchanged, report.excluded, report.missing) == (2, 2, 4, 0)
    assert (report.other, report.libraries) == ({}, [])
    paths = Library.open(place).items()["path"].to_pylist()
    assert sorted(paths) == ["Backup vocals.wav", "a.wav"]
    assert audit(Library.open(place)).problems == ()
    named = index(place, [music / "in"], backend=InlineBackend())
    assert (named.found, named.excluded_paths) == (0, [(str(music / "in"), "/in")])
    assert remove(place, [music / "a.wav"]).still_there == ("/a.wav",)


def test_a_pattern_for_a_hidden_object_has_matched(place: Remote) -> None:
    _fill(place.parent / "music", {".hidden.wav": "loop 7", "in/.trash/inner/e.wav": "loop 8"})
    report = index(
        place,
        [place.parent / "music"],
        recipe=RECIPE,
        exclude=[".hidden.wav", "in/.trash", "inner"],
        backend=InlineBackend(),
    )
    assert (report.found, report.unmatched_patterns) == (4, ["inner"])


def test_commits_are_conditional_puts(place: Remote, object_store: ObjectStore) -> None:
    _index(place)
    puts = [request for request in object_store.requests if request.method == "PUT"]
    versions = [request for request in puts if "/_versions/" in request.path and request.path.endswith(".manifest")]
    assert len(versions) >= 7  # four tables made, three written to
    assert {request.if_none_match for request in versions} == {"*"}
    (manifest, with_roots) = [request for request in puts if request.path.endswith("library.json")]
    assert manifest.if_none_match == "*"
    assert with_roots.if_match
    assert all(request.if_none_match or request.if_match for request in puts if request.path.endswith(lease.LEASE_NAME))


def test_a_manifest_changed_by_another_process_is_not_replaced(place: Remote) -> None:
    _index(place)
    manifest = read_manifest(place)
    write_manifest(place, manifest)
    before = (place / "library.json").read_text()
    (place / "library.json").overwrite(before + "\n")
    with pytest.raises(OutdatedError, match="written by another process"):
        write_manifest(place, manifest)


def test_a_reader_keeps_its_picture_and_another_sees_what_came(place: Remote) -> None:
    _index(place)
    before = Library.open(place)
    (place.parent / "music" / "new.wav").overwrite("loop 77")
    _index(place)
    assert (before.items().num_rows, Library.open(place).items().num_rows) == (4, 5)
    assert before.version != Library.open(place).version
    assert before.derived_path("x").parent.is_dir()


def test_upkeep_upgrade_and_exchange(place: Remote, tmp_path: Path) -> None:
    music = place.parent / "music"
    _index(place)
    newer = Recipe(**{**RECIPE.to_json(), "encoder_version": "2", "parts": RECIPE.parts})
    assert _index(place, recipe=newer, upgrade=True).indexed == 4
    assert [name for name in place.names() if name.startswith("generation")] == ["generation-2"]
    _fill(place.parent / "elsewhere", FILES)
    moved = relocate(place, "music", place.parent / "elsewhere")
    assert (moved.items, moved.there) == (4, 4)
    assert index(place, backend=InlineBackend()).unchanged == 4
    with pytest.raises(InputError, match="none of the 4 files"):
        relocate(place, "music", place)
    assert remove(place, [place.parent / "elsewhere" / "in"]).items == 3
    assert remove(place, [str(place.parent / "elsewhere")]).roots == ("music",)
    relocate_to = _index(place, recipe=newer)
    assert relocate_to.new + relocate_to.copied == 4
    rows = export_parquet(Library.open(place), tmp_path / "out.parquet")
    assert import_parquet(place.parent / "taken", tmp_path / "out.parquet") == 4
    assert export_parquet(Library.open(place.parent / "taken"), tmp_path / "again.parquet") == rows
    assert music.is_dir()


def test_a_store_that_goes_away_marks_nothing_missing(place: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    _index(place)
    found = Remote.files

    def refused(self: Remote) -> object:
        if self.key.startswith("music"):
            raise LibraryError(f"{self} is out of reach")
        return found(self)

    monkeypatch.setattr(Remote, "files", refused)
    report = index(place, backend=InlineBackend())
    assert (report.missing, [name for name, _ in report.unreachable]) == (0, ["music"])


def test_an_object_that_the_store_refuses_is_skipped_with_the_reason(place: Remote, object_store: ObjectStore) -> None:
    """One archived object among others; no run ends because of it, and each tries it again."""
    client, key = object_store.client(), "music/in/archived.wav"
    client.put_object(Bucket=place.bucket, Key=key, Body=b"loop 7", StorageClass="GLACIER")
    for run in range(2):
        report = _index(place)
        assert (report.found, report.indexed, report.unchanged) == (5, 4 * (run == 0), 4 * (run == 1))
        ((name, reason),) = report.skipped
        assert name == f"s3://{place.bucket}/{key}"
        assert reason == (
            "is refused by the store (InvalidObjectState: The operation is not valid for the object's storage class); if it is "
            "archived, restore it; otherwise set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this account access to it"
        )
    assert Library.open(place).skipped()["path"].to_pylist() == ["in/archived.wav"]
    client.put_object(Bucket=place.bucket, Key=key, Body=b"loop 7")
    report = _index(place)
    assert (report.new, report.unchanged, report.skipped) == (1, 4, [])
    client.put_object(Bucket=place.bucket, Key=key, Body=b"loop 8", StorageClass="GLACIER")
    report = _index(place)  # what the item was is not there any more
    assert (report.unchanged, len(report.skipped), report.missing) == (4, 1, 1)


def _deny(monkeypatch: pytest.MonkeyPatch, denied: Remote, *, after_reads: int = 0) -> None:
    """Let the store refuse an object, as if its policy had been changed after it had been read so often."""
    stat, blocks, reads = Remote.stat, Remote.blocks, 0

    def refuse(place: Remote) -> None:
        if place == denied and reads >= after_reads:
            raise ObjectRefusedError(f"{place} is refused by the store (403)")

    def denying_stat(place: Remote) -> ObjectStat:
        refuse(place)
        return stat(place)

    def denying_blocks(place: Remote) -> Iterator[memoryview]:
        nonlocal reads
        refuse(place)
        reads += place == denied
        return blocks(place)

    monkeypatch.setattr(Remote, "stat", denying_stat)
    monkeypatch.setattr(Remote, "blocks", denying_blocks)


def test_a_denied_object_ends_no_run_also_when_it_is_deleted(place: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that denies a name may answer so whether or not there is an object."""
    denied = place.parent / "music" / "in" / "denied.wav"
    denied.overwrite("loop 7")
    _deny(monkeypatch, denied)
    report = _index(place)
    assert (report.new + report.copied, report.skipped) == (4, [(str(denied), "is refused by the store (403)")])
    denied.delete()
    report = _index(place)
    assert (report.found, report.unchanged, report.missing) == (4, 4, 0)
    assert Library.open(place).skipped().num_rows == 0


def test_an_object_that_is_denied_after_its_digest_was_read_is_skipped(
    place: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = place.parent / "music" / "in" / "b.wav"
    _deny(monkeypatch, denied, after_reads=1)
    report = _index(place)
    assert report.skipped == [(str(denied), "is refused by the store (403)")]
    assert (report.new, report.copied) == (2, 1)


def test_an_item_whose_object_is_gone_and_its_name_denied_is_missing(
    place: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    _index(place)
    denied = place.parent / "music" / "in" / "b.wav"
    denied.delete()
    _deny(monkeypatch, denied)
    report = _index(place)
    assert (report.unchanged, report.missing, report.skipped) == (3, 1, [])


def test_a_denied_object_that_is_named_is_reported_and_its_item_stays(
    place: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    _index(place)
    denied = place.parent / "music" / "in" / "b.wav"
    _deny(monkeypatch, denied)
    report = index(place, [denied], backend=InlineBackend())
    assert [name for name, _ in report.unreadable] == [str(denied)]
    assert (report.found, report.missing) == (0, 0)


def test_credentials_that_the_store_refuses_end_the_run(place: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    _index(place)

    def refused(self: Remote) -> object:
        raise ObjectRefusedError(f"{self} is refused by the store (403)")

    for name in ("stat", "files", "blocks", "read"):
        monkeypatch.setattr(Remote, name, refused)
    with pytest.raises(ObjectRefusedError, match="refused by the store"):
        index(place, backend=InlineBackend())


def test_other_things_and_true_stems_are_refused(place: Remote) -> None:
    with pytest.raises(LibraryError, match=r"contains other files \(a.wav\)"):
        index(place.parent / "music", [place.parent / "music"], recipe=RECIPE)
    stems = Recipe(**{**RECIPE.to_json(), "separator": "stems", "parts": RECIPE.parts})
    with pytest.raises(InputError, match="true stems are read from folders only"):
        index(place.parent / "other", [place.parent / "music"], recipe=stems)


def test_readers_beside_a_writer_see_committed_rows(place: Remote) -> None:
    _index(place)
    music = place.parent / "music"
    _fill(music, {f"more{number:02d}.wav": f"song 2 {number + 100}" for number in range(12)})
    driver = DRIVER.format(tests=str(Path(__file__).parents[3]))
    command = [sys.executable, "-c", driver, str(place), str(music)]
    seen: list[int] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not seen or process.poll() is None:
            assert time.monotonic() < deadline
            for finder in (Finder.open(place), Finder.open(str(place))):
                seen.append(len(finder.items))
                found = finder.similar(str(music / "a.wav"), weights={"mix": 1.0}, raw=True, n=50)
                assert [hit.rank for hit in found.hits] == list(range(1, found.searched + 1))
                contents = {item["content"] for item in finder.items if item["kind"] == "song"}
                assert found.searched == len(contents) - 1
        assert process.returncode == 0
    assert seen == sorted(seen)
    assert len(Finder.open(place).items) == 16


def _killed(place: Remote, store: ObjectStore, at: Callable[[list[Request], Request, bool], bool]) -> int:
    """A run in a process of its own, killed where `at` says so of (its puts so far, the request, whether it was answered);
    how many puts it came to."""
    driver = DRIVER.format(tests=str(Path(__file__).parents[3]))
    command = [sys.executable, "-c", driver, str(place), str(place.parent / "music")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        puts: list[Request] = []

        def watch(request: Request, answered: bool) -> None:
            if request.method == "PUT" and not answered:
                puts.append(request)
            if at(puts, request, answered):
                os.kill(process.pid, signal.SIGKILL)

        store.hook = watch
        process.communicate("go\n", timeout=60)
        store.hook = None
        assert process.returncode in (0, -signal.SIGKILL)
    return len(puts)


def test_a_writer_killed_in_mid_commit_loses_nothing(place: Remote, object_store: ObjectStore) -> None:
    """Each run is killed at a later put than the one before, now before and now after the store has taken it, until one
    comes to its end; after each kill the library opens, is sound, and holds what it held."""
    _fill(place.parent / "music", {f"n{number:02d}.wav": f"song 2 {number + 10}" for number in range(6)})
    held: set[str] = set()
    kills = 0
    for number, point in enumerate((*range(2, 42, 4), 10_000)):
        answered = number % 2 == 1
        count = _killed(
            place, object_store, lambda puts, _, done, at=point, after=answered: len(puts) >= at and done == after
        )
        kills += count >= point
        if (place / "library.json").exists():
            library = Library.open(place)
            assert audit(library).problems == ()
            now = set(library.items()["id"].to_pylist())
            assert held <= now
            held = now
        _free_lease(place)
    assert kills >= 6
    _index(place)
    assert audit(Library.open(place)).orphans == 0
    fresh = place.parent / "fresh"
    _index(fresh)
    assert rows_of(Library.open(place)) == rows_of(Library.open(fresh))


def _free_lease(place: Remote) -> None:
    """Wait until the lease of a killed writer has expired, as the message to the next run advises."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            one = lease.Lease(place, {}, seconds=2.0)
            one.take()
        except LibraryError:
            time.sleep(0.1)
            continue
        one.release()
        return
    raise AssertionError("the lease did not run out")
