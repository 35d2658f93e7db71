"""What was dropped on the page: files in a folder of the server's own, bounded in size, time and number."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from soundalike.audio.decode import EXTENSIONS
from soundalike.errors import InputError

MOST_BYTES = 300 << 20
"""Of one upload: 50 minutes of CD, or hours of mp3."""
SECONDS = 300.0
"""How long one may take to arrive."""
KEPT = 20
"""The oldest beyond so many is forgotten."""


@dataclass(frozen=True)
class Upload:
    """id: 32 hex digits; name: as the sender called it, for people only; path: where it lies."""

    id: str
    name: str
    path: Path


class TooLargeError(InputError):
    """More bytes than an upload may have."""


class Uploads:
    """The uploads of one server, gone with it."""

    def __init__(self, most_bytes: int = MOST_BYTES, kept: int = KEPT, seconds: float = SECONDS) -> None:
        self.most_bytes = most_bytes
        self._kept = kept
        self._seconds = seconds
        self._folder = Path(tempfile.mkdtemp(prefix="soundalike-"))
        self._there: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()

    async def receive(self, name: str, pieces: AsyncIterator[bytes]) -> Upload:
        """Take a file that arrives in pieces. Raises InputError for a name without a suffix of audio, nothing at all or too
        much (TooLargeError), and where it takes too long; nothing is kept then."""
        suffix = Path(name).suffix.lower()
        if suffix not in EXTENSIONS:
            raise InputError(
                f"{shown(name)!r} is not called like an audio file; suffixes are {', '.join(sorted(EXTENSIONS))}"
            )
        upload = Upload(secrets.token_hex(16), shown(name), self._folder / f"{secrets.token_hex(16)}{suffix}")
        try:
            async with asyncio.timeout(self._seconds):
                await self._write(upload, pieces)
        except TimeoutError:
            upload.path.unlink(missing_ok=True)
            raise InputError(f"{upload.name} did not arrive within {self._seconds:.0f} s; try again") from None
        except BaseException:
            upload.path.unlink(missing_ok=True)
            raise
        with self._lock:
            self._there[upload.id] = upload
            while len(self._there) > self._kept:
                _, oldest = self._there.popitem(last=False)
                oldest.path.unlink(missing_ok=True)
        return upload

    async def _write(self, upload: Upload, pieces: AsyncIterator[bytes]) -> None:
        size = 0
        with upload.path.open("wb") as file:
            async for piece in pieces:
                size += len(piece)
                if size > self.most_bytes:
                    raise TooLargeError(
                        f"{upload.name} has more than {self.most_bytes >> 20} MB; mark a shorter piece of it, or index it: "
                        "soundalike index FILE"
                    )
                await asyncio.to_thread(file.write, piece)
        if not size:
            raise InputError(f"{upload.name} is empty; nothing arrived")

    def get(self, name: str) -> Upload:
        """The upload with this id. Raises InputError where there is none, or no longer."""
        with self._lock:
            upload = self._there.get(name)
            if upload is None:
                raise InputError("there is no such upload (any more); drop the file again")
            self._there.move_to_end(name)
            return upload

    def close(self) -> None:
        """Forget all."""
        shutil.rmtree(self._folder, ignore_errors=True)


def shown(name: str) -> str:
    """A file's name for people: no folders, no control characters, not endless."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", re.split(r"[/\\]", name)[-1])[:120]
