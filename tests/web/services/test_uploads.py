from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import InputError
from soundalike.web.services.media_workers import BusyError
from soundalike.web.services.uploads import NoSpaceError, TooLargeError, Upload, Uploads, display_name


@pytest.fixture
def uploads() -> Iterator[Uploads]:
    made = Uploads(max_bytes=100, max_kept=3, max_kept_bytes=150, max_at_once=1, max_pause=0.1, max_seconds=0.5)
    yield made
    made.close()


async def pieces(*several: bytes, pause: float = 0.0) -> AsyncIterator[bytes]:
    for piece in several:
        await asyncio.sleep(pause)
        yield piece


def receive(uploads: Uploads, *several: bytes, pause: float = 0.0, claimed: str | None = None) -> Upload:
    return asyncio.run(uploads.receive("a.wav", pieces(*several, pause=pause), claimed))


def files(uploads: Uploads) -> list[Path]:
    return sorted(uploads.folder.iterdir())


def test_an_upload_is_stored_unchanged(uploads: Uploads) -> None:
    one = receive(uploads, b"abc", b"", b"def")
    assert one.path.read_bytes() == b"abcdef"
    assert uploads.get(one.id) == one
    assert (one.size, one.name) == (6, "a.wav")


def test_the_size_is_limited_by_the_stated_and_by_the_actual_one(uploads: Uploads) -> None:
    with pytest.raises(TooLargeError):
        receive(uploads, b"x", claimed="101")
    with pytest.raises(TooLargeError):
        receive(uploads, b"x" * 60, b"x" * 60, claimed="5")
    assert receive(uploads, b"x", claimed="²").size == 1
    assert len(files(uploads)) == 1


def test_the_time_is_limited_in_total_and_for_each_pause(uploads: Uploads) -> None:
    with pytest.raises(InputError, match="stalled for"):
        receive(uploads, b"x", b"y", pause=0.3)
    with pytest.raises(InputError, match="did not arrive within"):
        receive(uploads, *[b"x"] * 50, pause=0.05)
    assert files(uploads) == []


def test_the_oldest_uploads_are_deleted_by_number_and_by_bytes(uploads: Uploads) -> None:
    kept = [receive(uploads, b"x" * size) for size in (60, 60, 60)]
    with pytest.raises(InputError, match="upload the file again"):
        uploads.get(kept[0].id)
    assert files(uploads) == sorted(one.path for one in kept[1:])
    small = [receive(uploads, b"x") for _ in range(3)]
    assert files(uploads) == sorted(one.path for one in small)


def test_simultaneous_uploads_are_limited(uploads: Uploads) -> None:
    async def both() -> list[Any]:
        several = (uploads.receive("a.wav", pieces(b"x", b"y", pause=0.05)) for _ in "12")
        return await asyncio.gather(*several, return_exceptions=True)

    first, second = asyncio.run(both())
    assert isinstance(first, Upload)
    assert isinstance(second, BusyError)
    assert receive(uploads, b"x").size == 1  # there is room again


def test_a_full_disk_is_reported_and_leaves_no_file(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(asyncio, "to_thread", full)
    with pytest.raises(NoSpaceError, match="No space left on device"):
        receive(uploads, b"x")
    assert files(uploads) == []


def test_a_folder_that_cannot_be_made_takes_no_room_from_later_uploads(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("soundalike.web.services.uploads.TemporaryFolder", full)
    for _ in range(2):
        with pytest.raises(NoSpaceError, match="No space left on device"):
            receive(uploads, b"x")
    monkeypatch.undo()
    assert receive(uploads, b"x").size == 1


def test_a_cancelled_upload_leaves_no_file(uploads: Uploads) -> None:
    async def given_up() -> None:
        task = asyncio.create_task(uploads.receive("a.wav", pieces(b"x", b"y", pause=0.05)))
        await asyncio.sleep(0.08)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(given_up())
    assert files(uploads) == []
    assert receive(uploads, b"x").size == 1


def test_of_a_long_name_beginning_and_end_are_shown() -> None:
    name = "A very long title " * 10 + "(remastered) v12.ogg"
    shown = display_name(f"folder/{name}")
    assert len(shown) == 120
    assert shown.startswith("A very long title")
    assert shown.endswith("(remastered) v12.ogg")
    assert display_name("C:\\music\\a\nb.wav") == "a?b.wav"
