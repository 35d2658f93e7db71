"""Files converted to WAV for browsers that cannot play their format: the most recent ones, in the server's own folder."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

from cachetools import LRUCache

from soundalike.audio.file_part import part_of_address
from soundalike.web.services.media_workers import WAIT, BusyError
from soundalike.web.services.uploads import Uploads

MAX_BYTES = 2 << 30
"""Of all files kept."""


@dataclass(frozen=True)
class _WavFile:
    path: Path
    size: int


class _Kept(LRUCache[Hashable, _WavFile]):
    """WAV files, bounded in bytes; deletes each one that it drops."""

    def popitem(self) -> tuple[Hashable, _WavFile]:
        key, dropped = super().popitem()
        dropped.path.unlink(missing_ok=True)
        return key, dropped


class WavCache:
    """WAV files by the file that they were made from. Thread-safe; one is made at a time."""

    def __init__(self, uploads: Uploads, max_bytes: int = MAX_BYTES) -> None:
        """Files are written to the folder of `uploads`, and deleted with it."""
        self._uploads = uploads
        self._kept = _Kept(max_bytes, getsizeof=lambda file: min(file.size, max_bytes))
        self._lock = threading.Lock()

    def get(self, source: Path, convert: Callable[[Path], object]) -> Path:
        """The WAV file of `source`: the cached one while `source` is unchanged, otherwise what `convert(path)` writes.

        Raises what `convert` raises, BusyError if other conversions take too long.
        """
        facts = part_of_address(source).file.stat()
        key = (source, facts.st_size, facts.st_mtime_ns)
        if not self._lock.acquire(timeout=WAIT):
            raise BusyError("other files are being converted to WAV; try again in a moment")
        try:
            if key in self._kept and self._kept[key].path.is_file():
                return self._kept[key].path
            path = self._uploads.folder / f"{secrets.token_hex(16)}.wav"
            try:
                convert(path)
                self._kept[key] = _WavFile(path, path.stat().st_size)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            return path
        finally:
            self._lock.release()
