"""Files made into WAV for browsers that cannot play their format: the last few, in the server's own folder."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path

from soundalike.web.services.media_workers import WAIT, BusyError

MOST_BYTES = 2 << 30
"""Of all files kept; the one used longest ago goes first."""


class Wavs:
    """WAV files by what they were made of. Thread-safe; one is made at a time."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, tuple[Path, int]] = OrderedDict()
        self._lock = threading.Lock()

    def made(self, source: Path, make: Callable[[Path], object]) -> Path:
        """The WAV file of `source`, by `make(place)` unless it is there and `source` has not changed since.

        Raises what `make` raises, BusyError where others take too long.
        """
        facts = source.stat()
        key = (source, facts.st_size, facts.st_mtime_ns)
        if not self._lock.acquire(timeout=WAIT):
            raise BusyError("other files are being made into WAV; try again in a moment")
        try:
            if key in self._kept and self._kept[key][0].is_file():
                self._kept.move_to_end(key)
                return self._kept[key][0]
            place = self._folder / f"{secrets.token_hex(16)}.wav"
            try:
                make(place)
                self._kept[key] = place, place.stat().st_size
            except BaseException:
                place.unlink(missing_ok=True)
                raise
            while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self._most_bytes:
                _, (oldest, _) = self._kept.popitem(last=False)
                oldest.unlink(missing_ok=True)
            return place
        finally:
            self._lock.release()
