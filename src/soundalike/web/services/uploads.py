"""Files that are uploaded to be used as a reference: in a folder of the server's own, bounded in size, time and number."""

from __future__ import annotations

import asyncio
import re
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cachetools import LRUCache

from soundalike.audio.suffixes import AUDIO_SUFFIXES
from soundalike.config import TemporaryFolder
from soundalike.errors import InputError, NotFoundError, SoundalikeError
from soundalike.web.services.media_workers import BusyError

MAX_BYTES = 300 << 20
"""Of one upload: 50 minutes of CD audio, or hours of mp3."""
MAX_SECONDS = 300.0
"""How long one upload may take."""
MAX_PAUSE = 20.0
"""How long an upload may stall, in seconds."""
MAX_KEPT = 20
"""Uploads; beyond that the one used longest ago is deleted."""
MAX_KEPT_BYTES = 2 << 30
"""Bytes of all uploads; beyond that the one used longest ago is deleted."""
MAX_AT_ONCE = 4
"""Uploads that may arrive at the same time."""


@dataclass(frozen=True)
class Upload:
    """id: 32 hex digits; name: as the client called it, for messages only; path: the file; size in bytes."""

    id: str
    name: str
    path: Path
    size: int


class TooLargeError(InputError):
    """An upload with more bytes than allowed."""


class NoSpaceError(SoundalikeError):
    """The disk for uploads is full."""


class _Kept(LRUCache[str, Upload]):
    """Uploads by id, bounded in bytes and number; deletes the file of each one that it drops."""

    def __init__(self, max_bytes: int, max_count: int) -> None:
        super().__init__(max_bytes, getsizeof=lambda upload: upload.size)
        self._max_count = max_count

    def __setitem__(self, key: str, upload: Upload) -> None:
        while len(self) >= self._max_count:
            self.popitem()
        super().__setitem__(key, upload)

    def popitem(self) -> tuple[str, Upload]:
        key, upload = super().popitem()
        upload.path.unlink(missing_ok=True)
        return key, upload


class Uploads:
    """The uploads of one server, deleted with it. Thread-safe."""

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        max_kept: int = MAX_KEPT,
        max_seconds: float = MAX_SECONDS,
        *,
        max_pause: float = MAX_PAUSE,
        max_kept_bytes: int = MAX_KEPT_BYTES,
        max_at_once: int = MAX_AT_ONCE,
    ) -> None:
        self.max_bytes = max_bytes
        self._max_seconds, self._max_pause = max_seconds, max_pause
        self._free_slots = max_at_once
        self._folder: TemporaryFolder | None = None
        self._kept = _Kept(max(max_bytes, max_kept_bytes), max_kept)
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """The temporary folder for uploads and other files of the server, created when it is first needed."""
        with self._lock:
            if self._folder is None:
                self._folder = TemporaryFolder()
            return self._folder.path

    @property
    def count(self) -> int:
        """The number of uploads that are kept."""
        return len(self._kept)

    async def receive(self, name: str, pieces: AsyncIterator[bytes], stated_size: str | None = None) -> Upload:
        """Store a file that arrives in pieces. stated_size: the number of bytes that its sender states, unchecked.

        Raises InputError for a name without an audio suffix, an empty file, one that is too large (TooLargeError) or too slow,
        BusyError if too many arrive at once, NoSpaceError; nothing is kept then.
        """
        shown = display_name(name)
        suffix = Path(name).suffix.lower()
        if suffix not in AUDIO_SUFFIXES:
            raise InputError(
                f"{shown!r} does not have the name of an audio file; it should end in .wav, .aiff, .flac, .mp3, .m4a, .ogg or "
                "the like"
            )
        if stated_size is not None and stated_size.isdecimal() and int(stated_size[:20]) > self.max_bytes:
            raise self._too_large(shown)
        try:
            with self._slot():
                path = self.folder / f"{secrets.token_hex(16)}{suffix}"
                try:
                    async with asyncio.timeout(self._max_seconds):
                        size = await self._write(shown, path, pieces)
                except BaseException:
                    path.unlink(missing_ok=True)
                    raise
        except TimeoutError:
            raise InputError(
                f"{shown} did not arrive within {self._max_seconds:.0f} s, or stalled for {self._max_pause:.0f} s; try again"
            ) from None
        except OSError as error:
            raise NoSpaceError(
                f"{shown} cannot be stored ({error.strerror or type(error).__name__}); free some space for temporary files"
            ) from None
        upload = Upload(secrets.token_hex(16), shown, path, size)
        with self._lock:
            self._kept[upload.id] = upload
        return upload

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Room for a file that arrives. Raises BusyError if there is none."""
        with self._lock:
            if self._free_slots < 1:
                raise BusyError("other files are being uploaded; try again in a moment")
            self._free_slots -= 1
        try:
            yield
        finally:
            with self._lock:
                self._free_slots += 1

    async def _write(self, name: str, path: Path, pieces: AsyncIterator[bytes]) -> int:
        """Write the pieces to `path`; their size in bytes."""
        size = 0
        arriving = aiter(pieces)
        with path.open("wb") as file:
            while True:
                async with asyncio.timeout(self._max_pause):
                    piece = await anext(arriving, None)
                if piece is None:
                    break
                size += len(piece)
                if size > self.max_bytes:
                    raise self._too_large(name)
                await asyncio.to_thread(file.write, piece)
        if not size:
            raise InputError(f"{name} is empty")
        return size

    def _too_large(self, name: str) -> TooLargeError:
        return TooLargeError(
            f"{name} has more than {self.max_bytes >> 20} MB; use an excerpt, or add it to the library: soundalike index FILE"
        )

    def get(self, upload_id: str) -> Upload:
        """The upload with this id. Raises NotFoundError if there is none, or no longer."""
        with self._lock:
            upload = self._kept.get(upload_id)
        if upload is None:
            raise NotFoundError("there is no such upload, or no longer; upload the file again")
        return upload

    def forget(self, upload: Upload) -> None:
        """Delete an upload."""
        with self._lock:
            self._kept.pop(upload.id, None)
        upload.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete all uploads and the folder."""
        with self._lock:
            self._kept.clear()
            folder, self._folder = self._folder, None
        if folder is not None:
            folder.close()


def display_name(name: str) -> str:
    """A file name for messages: without folders and control characters; at most 120 characters, the middle left out."""
    shown = re.sub(r"[\x00-\x1f\x7f]", "?", re.split(r"[/\\]", name)[-1])
    return shown if len(shown) <= 120 else f"{shown[:80]}…{shown[-39:]}"
