from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from soundalike.audio.cue_sheet import Track
from soundalike.errors import LibraryError
from soundalike.library.indexing import digests
from soundalike.library.indexing.digests import digests_ahead, explain_unreadable
from soundalike.library.indexing.scanned_file import ScannedFile
from soundalike.library.indexing.sidecar_files import SidecarFiles
from soundalike.library.storage.item_parts import track_digest
from soundalike.library.storage.location import Location, ObjectRefusedError, Remote
from tests.made_up_library import InlineBackend

SECONDS = 60.0
"""What is waited for comes much earlier."""


@dataclass(frozen=True)
class Backend(InlineBackend):
    """A backend that records which files were read. read: in place of reading a file."""

    names: list[str] = field(default_factory=list)
    read: Callable[[Location], str] | None = None

    def digest(self, place: Location, sidecars: SidecarFiles | None) -> str:
        self.names.append(place.name)
        return super().digest(place, sidecars) if self.read is None else self.read(place)


def _files(*names: str) -> list[ScannedFile]:
    return [ScannedFile("r", name, 1, 1) for name in names]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@pytest.mark.parametrize("readers", [1, 3])
def test_digests_come_in_order_and_each_file_is_read_once(tmp_path: Path, readers: int) -> None:
    names = [f"{number:02d}.wav" for number in range(20)]
    for name in names:
        (tmp_path / name).write_text(name)
    backend = Backend(readers=readers)
    found = list(digests_ahead(_files(*names), {"r": tmp_path}, backend, None, threading.Event()))
    assert found == [(file, _digest(file.path)) for file in _files(*names)]
    assert sorted(backend.names) == names


def test_a_file_of_several_tracks_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "album.flac").write_text("album")
    tracks = [Track(number, 10.0 * number, None) for number in (1, 2)]
    files = [ScannedFile("r", f"album.flac#{track.number:02d}", 1, 1, track) for track in tracks]
    backend = Backend()
    found = [digest for _, digest in digests_ahead(files, {"r": tmp_path}, backend, None, threading.Event())]
    assert found == [track_digest(_digest("album"), track.start, track.end) for track in tracks]
    assert backend.names == ["album.flac"]


def test_files_that_cannot_be_read_come_with_the_reason_and_others_follow(tmp_path: Path) -> None:
    (tmp_path / "there.wav").write_text("there")

    def read(place: Location) -> str:
        if place.name == "archived.wav":
            raise ObjectRefusedError(f"{place} is refused by the store (archived)")
        assert isinstance(place, Path)
        return _digest(place.read_text())

    files = _files("archived.wav", "gone.wav", "there.wav")
    found = list(digests_ahead(files, {"r": tmp_path}, Backend(read=read), None, threading.Event()))
    assert [file for file, _ in found] == files
    (_, archived), (_, gone), (_, there) = found
    assert isinstance(archived, ObjectRefusedError)
    assert explain_unreadable(archived, tmp_path / "archived.wav") == "is refused by the store (archived)"
    assert isinstance(gone, FileNotFoundError)
    assert explain_unreadable(gone, tmp_path / "gone.wav") == "cannot be read: No such file or directory"
    assert there == _digest("there")


def test_a_store_that_cannot_be_reached_ends_it() -> None:
    def read(place: Location) -> str:
        raise LibraryError(f"{place} cannot be reached")

    files = digests_ahead(_files("a.wav"), {"r": Remote("bucket")}, Backend(read=read), None, threading.Event())
    with pytest.raises(LibraryError, match="cannot be reached"):
        next(files)


def test_stop_ends_it(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_text(name)
    stop = threading.Event()
    found = []
    for file, _ in digests_ahead(_files("a.wav", "b.wav"), {"r": tmp_path}, Backend(), None, stop):
        found.append(file.path)
        stop.set()
    assert found == ["a.wav"]


def test_what_waits_is_not_read_when_the_consumer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads read b and c, whose reading goes on until the executor has been shut down; d waits."""
    shut_down = threading.Event()
    reading = threading.Semaphore(0)

    class Executor(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            shut_down.set()
            super().shutdown(wait=wait)

    def read(place: Location) -> str:
        if place.name != "a":
            reading.release()
            assert shut_down.wait(SECONDS)
        return _digest(place.name)

    monkeypatch.setattr(digests, "ThreadPoolExecutor", Executor)
    backend = Backend(readers=2, read=read)

    def consume() -> None:
        for _ in digests_ahead(_files("a", "b", "c", "d"), {"r": Path("/")}, backend, None, threading.Event()):
            for _ in range(2):
                assert reading.acquire(timeout=SECONDS)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    assert sorted(backend.names) == ["a", "b", "c"]
