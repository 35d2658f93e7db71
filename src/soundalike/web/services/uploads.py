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
from soundalike.errors import InputError, SoundalikeError
from soundalike.web.services.media_workers import BusyError

MOST_BYTES = 300 << 20
"""Of one upload: 50 minutes of CD, or hours of mp3."""
SECONDS = 300.0
"""How long one may take to arrive."""
PAUSE = 20.0
"""How long nothing may come while one arrives."""
KEPT = 20
"""The oldest beyond so many is forgotten."""
KEPT_BYTES = 2 << 30
"""The oldest beyond so many bytes in all are forgotten."""
ARRIVING = 4
"""How many may arrive at once."""


@dataclass(frozen=True)
class Upload:
    """id: 32 hex digits; name: as the sender called it, for people only; path: where it lies; size in bytes."""

    id: str
    name: str
    path: Path
    size: int


class TooLargeError(InputError):
    """More bytes than an upload may have."""


class NoSpaceError(SoundalikeError):
    """The disk that uploads lie on is full."""


class Uploads:
    """The uploads of one server, gone with it. folder: where they lie."""

    def __init__(
        self,
        most_bytes: int = MOST_BYTES,
        kept: int = KEPT,
        seconds: float = SECONDS,
        *,
        pause: float = PAUSE,
        kept_bytes: int = KEPT_BYTES,
        arriving: int = ARRIVING,
    ) -> None:
        self.most_bytes = most_bytes
        self._kept, self._kept_bytes = kept, kept_bytes
        self._seconds, self._pause = seconds, pause
        self._arriving = arriving
        self.folder = Path(tempfile.mkdtemp(prefix="soundalike-"))
        self._there: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()

    async def receive(self, name: str, pieces: AsyncIterator[bytes], claimed: str | None = None) -> Upload:
        """Take a file that arrives in pieces; `claimed`: how many bytes it says it has.

        Raises InputError for a name without a suffix of audio, nothing at all or too much (TooLargeError), and where it
        takes too long, BusyError where too many arrive at once, NoSpaceError; nothing is kept then.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in EXTENSIONS:
            raise InputError(
                f"{shown(name)!r} is not called like an audio file; suffixes are {', '.join(sorted(EXTENSIONS))}"
            )
        if claimed is not None and claimed.isdecimal() and int(claimed[:20]) > self.most_bytes:
            raise self._too_large(shown(name))
        with self._lock:
            if self._arriving < 1:
                raise BusyError("other files are just arriving; try again in a moment")
            self._arriving -= 1
        path = self.folder / f"{secrets.token_hex(16)}{suffix}"
        try:
            async with asyncio.timeout(self._seconds):
                size = await self._write(shown(name), path, pieces)
        except TimeoutError:
            path.unlink(missing_ok=True)
            raise InputError(
                f"{shown(name)} did not arrive within {self._seconds:.0f} s, or nothing of it came for {self._pause:.0f} s; try "
                "again"
            ) from None
        except OSError as error:
            path.unlink(missing_ok=True)
            raise NoSpaceError(
                f"{shown(name)} cannot be kept ({error.strerror or type(error).__name__}); see to free space for temporary files"
            ) from None
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            with self._lock:
                self._arriving += 1
        return self._keep(Upload(secrets.token_hex(16), shown(name), path, size))

    def _keep(self, upload: Upload) -> Upload:
        with self._lock:
            self._there[upload.id] = upload
            while len(self._there) > 1 and (
                len(self._there) > self._kept or sum(one.size for one in self._there.values()) > self._kept_bytes
            ):
                _, oldest = self._there.popitem(last=False)
                oldest.path.unlink(missing_ok=True)
        return upload

    async def _write(self, name: str, path: Path, pieces: AsyncIterator[bytes]) -> int:
        size = 0
        coming = aiter(pieces)
        with path.open("wb") as file:
            while True:
                async with asyncio.timeout(self._pause):
                    piece = await anext(coming, None)
                if piece is None:
                    break
                size += len(piece)
                if size > self.most_bytes:
                    raise self._too_large(name)
                await asyncio.to_thread(file.write, piece)
        if not size:
            raise InputError(f"{name} is empty; nothing arrived")
        return size

    def _too_large(self, name: str) -> TooLargeError:
        return TooLargeError(
            f"{name} has more than {self.most_bytes >> 20} MB; mark a shorter piece of it, or index it: soundalike index FILE"
        )

    def get(self, name: str) -> Upload:
        """The upload with this id. Raises InputError where there is none, or no longer."""
        with self._lock:
            upload = self._there.get(name)
            if upload is None:
                raise InputError("there is no such upload (any more); drop the file again")
            self._there.move_to_end(name)
            return upload

    def forget(self, upload: Upload) -> None:
        """Drop one that is of no use."""
        with self._lock:
            self._there.pop(upload.id, None)
        upload.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Forget all."""
        shutil.rmtree(self.folder, ignore_errors=True)


def shown(name: str) -> str:
    """A file's name for people: no folders, no control characters, not endless."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", re.split(r"[/\\]", name)[-1])[:120]
