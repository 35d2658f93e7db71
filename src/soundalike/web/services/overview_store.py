"""Waveform overviews that the library's tables do not have, stored in a file beside the tables once they were computed.

The file is derived data and may be deleted at any time; where it cannot be written, overviews are kept in memory only.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from cachetools import LRUCache

from soundalike.audio.waveform_overview import OVERVIEW_POINTS, Int8
from soundalike.library.storage.store import Library

FILE_NAME = "outlines.sqlite"
MAX_IN_MEMORY = 5_000
TIMEOUT = 1.0
"""Seconds to wait for another server that is writing."""

Overview = tuple[float, Int8, Int8]
"""Duration (s), lowest and highest values (120,)."""


class OverviewStore:
    """The overviews of a library's contents. Thread-safe; several servers may share one file."""

    def __init__(self) -> None:
        self._recent: LRUCache[str, Overview] = LRUCache(MAX_IN_MEMORY)
        self._lock = threading.Lock()

    def get(self, library: Library, contents: Sequence[str]) -> dict[str, Overview]:
        """Those that exist: from the library's table, otherwise from the file beside it."""
        with self._lock:
            found = {content: self._recent[content] for content in contents if content in self._recent}
        missing = [content for content in contents if content not in found]
        read = {row["content"]: _overview(**row) for row in library.peaks(missing).to_pylist()}
        read |= _read(library.derived_path(FILE_NAME), [content for content in missing if content not in read])
        self._remember(read)
        return found | read

    def put(self, library: Library, content: str, overview: Overview) -> None:
        """Store an overview that was computed."""
        self._remember({content: overview})
        duration, low, high = overview
        path = library.derived_path(FILE_NAME)
        with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=TIMEOUT)) as file, file:
            file.execute(
                "CREATE TABLE IF NOT EXISTS peaks (content TEXT PRIMARY KEY, duration REAL, low BLOB, high BLOB) WITHOUT ROWID"
            )
            row = (content, duration, low.tobytes(), high.tobytes())
            file.execute("INSERT OR REPLACE INTO peaks VALUES (?, ?, ?, ?)", row)

    def _remember(self, overviews: Mapping[str, Overview]) -> None:
        with self._lock:
            self._recent.update(overviews)


def _read(path: Path, contents: Sequence[str]) -> dict[str, Overview]:
    """From the file beside the tables; nothing if it is missing or damaged."""
    if not contents or not path.is_file():
        return {}
    marks = ", ".join("?" * len(contents))
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=TIMEOUT)) as file,
    ):
        rows = file.execute(
            f"SELECT content, duration, low, high FROM peaks WHERE content IN ({marks})", list(contents)
        )
        return {row[0]: _overview(*row) for row in rows if len(row[2]) == len(row[3]) == OVERVIEW_POINTS}
    return {}


def _overview(content: str, duration: float, low: bytes, high: bytes) -> Overview:
    return duration, np.frombuffer(low, dtype=np.int8), np.frombuffer(high, dtype=np.int8)
