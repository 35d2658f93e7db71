"""Files are read once: for their digests, and from a copy in memory for their analysis."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from benchmarks.bytes_read import bytes_read
from soundalike.errors import AudioError
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.indexing.execution_backends import LocalBackend
from soundalike.library.indexing.file_copies import MOST_WAITING, CopyingPool, FileCopies
from soundalike.library.indexing.library_update import index
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage.location import Location
from soundalike.library.storage.store import Library

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="copies in memory are made on Linux only")


class OnceReadable(LocalBackend):
    """Each file is overwritten with zeros once it was read for its digest: whoever reads it again gets nothing."""

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        digest = super().digest(place, sidecars)
        facts = place.stat()
        assert isinstance(place, Path)
        place.write_bytes(bytes(facts.st_size))
        os.utime(place, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
        return digest


def vectors(library: Library) -> dict[str, Any]:
    rows = [*library.windows(["content", "mix"]).to_pylist(), *library.clips(["content", "mix"]).to_pylist()]
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["content"], []).append(row["mix"])
    return {content: np.array(mixes) for content, mixes in found.items()}


def test_the_analysis_does_not_read_a_file_again(music: Path, library: Path, tmp_path: Path) -> None:
    songs = sorted((music / "songs").iterdir())[:1]
    clips = sorted((music / "loops").iterdir())[:3]
    (tmp_path / "share").mkdir()
    for path in (*songs, *clips):
        (tmp_path / "share" / path.name).write_bytes(path.read_bytes())
    report = index(tmp_path / "library", [tmp_path / "share"], window=5.0, jobs=1, backend=OnceReadable())
    assert (report.indexed, report.skipped) == (4, [])
    assert not any(any(path.read_bytes()) for path in (tmp_path / "share").iterdir())
    expected = vectors(Library.open(library))
    for content, mixes in vectors(Library.open(tmp_path / "library")).items():
        np.testing.assert_array_equal(mixes, expected[content])


class Recorder:
    """A pool that does nothing by itself; records the tasks and their futures."""

    capacity = 2

    def __init__(self) -> None:
        self.tasks: list[tuple[str, str | None]] = []
        self.futures: list[Future[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def submit(self, task: Any, seconds: float) -> Future[Any]:
        self.tasks.append(task)
        self.futures.append(Future())
        return self.futures[-1]

    def close(self) -> None:
        pass


def write(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    path.write_bytes(np.random.default_rng(size).bytes(size))
    return path


def test_a_worker_gets_a_copy_of_the_same_name(tmp_path: Path) -> None:
    path = write(tmp_path, "a song.flac", 3_000_000)
    copies, inner = FileCopies(), Recorder()
    assert copies.digest(path) == content_digest(path)
    with CopyingPool(inner, copies) as pool:
        outcome = pool.submit((str(path), "loop"), 1.0)
        ((given, kind),) = inner.tasks
        assert (Path(given).name, kind) == (path.name, "loop")
        assert Path(given) != path
        assert Path(given).read_bytes() == path.read_bytes()
        inner.futures[0].set_exception(AudioError(f"{given}: is silent"))
        assert str(outcome.exception()) == f"{path}: is silent"
        assert not Path(given).exists()
        again = pool.submit((str(path), None), 1.0)  # without a copy, the file itself
        assert inner.tasks[-1] == (str(path), None)
        inner.futures[-1].set_result(7)
        assert again.result() == 7
    assert not Path(given).parent.parent.exists()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_copies_take_bounded_memory_and_leave_nothing_open(tmp_path: Path) -> None:
    before = open_files()
    copies = FileCopies(max_bytes=2_500)
    paths = [write(tmp_path, f"{number}", 1_000 + number) for number in range(40)]
    for path in paths[:3]:
        assert copies.digest(path) == content_digest(path)
    assert copies.take(str(paths[2])) is None  # no room
    assert copies.take(str(paths[0])) is not None
    copies.close()
    assert open_files() == before
    many = FileCopies()
    for path in paths:
        many.digest(path)
    assert open_files() == before + MOST_WAITING  # those that nothing came of are dropped
    assert many.take(str(paths[0])) is None
    assert many.take(str(paths[-1])) is not None
    many.close()
    assert open_files() == before


def test_a_file_that_grows_while_it_is_read_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a", 1_000)
    facts = path.stat()
    with path.open("ab") as file:
        file.write(b"more")
    copies = FileCopies()
    monkeypatch.setattr(Path, "stat", lambda _: facts)
    copies.digest(path)
    monkeypatch.undo()
    assert copies.take(str(path)) is None
    copies.close()


def test_a_file_that_cannot_be_read_leaves_no_copy(tmp_path: Path) -> None:
    before = open_files()
    with pytest.raises(OSError, match="directory"):
        FileCopies().digest(tmp_path)
    assert open_files() == before


def test_copies_of_files_read_out_of_order_are_kept(tmp_path: Path) -> None:
    copies = FileCopies()
    paths = [write(tmp_path, str(number), 100 + number) for number in range(4)]
    threads = [threading.Thread(target=copies.digest, args=(path,)) for path in reversed(paths)]
    for thread in threads:
        thread.start()
        thread.join()
    assert all(copies.take(str(path)) is not None for path in paths)
    copies.close()


def test_bytes_are_counted_by_path_and_process() -> None:
    trace = [
        '12 read(3</m/a.wav>, ""..., 1048576) = 1000',
        "12 read(3</m/a.wav>,  <unfinished ...>",
        '13 pread64(4</other/b>, ""..., 10, 0) = 10',
        '13 read(4</m/b c>, ""..., 10) = -1 EINTR (Interrupted system call)',
        '12 <... read resumed>""..., 1048576) = 24',
        '12 read(3</m/a.wav>, "", 1048576) = 0',
        "12 +++ exited with 0 +++",
    ]
    assert bytes_read(trace, Path("/m")) == 1_024
