"""Outlines of waveforms that the library's tables have not, kept beside the tables once they were made.

The file is derived and may be deleted at any time; where it cannot be written, what was made is kept in memory.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

from soundalike.audio.waveform_overview import OVERVIEW_POINTS, Int8
from soundalike.library.storage.store import Library

FILE_NAME = "outlines.sqlite"
KEPT = 5_000
WAIT = 1.0
"""Seconds to wait for another server that writes."""

Kept = tuple[float, Int8, Int8]
"""Duration (s), low and high (120,)."""


class Outlines:
    """The outlines of a library's contents. Thread-safe, and several servers may keep theirs in one file."""

    def __init__(self) -> None:
        self._recent: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, library: Library, contents: Sequence[str]) -> dict[str, Kept]:
        """Those there are: of the library's table first, else of the file beside it."""
        with self._lock:
            found = {content: self._recent[content] for content in contents if content in self._recent}
            for content in found:
                self._recent.move_to_end(content)
        missing = [content for content in contents if content not in found]
        read = {row["content"]: _kept(**row) for row in library.peaks(missing).to_pylist()}
        read |= _read(library.derived_path(FILE_NAME), [content for content in missing if content not in read])
        self._remember(read)
        return found | read

    def put(self, library: Library, content: str, made: Kept) -> None:
        """Keep one that was made."""
        self._remember({content: made})
        duration, low, high = made
        place = library.derived_path(FILE_NAME)
        with suppress(sqlite3.Error), closing(sqlite3.connect(place, timeout=WAIT)) as file, file:
            file.execute(
                "CREATE TABLE IF NOT EXISTS peaks (content TEXT PRIMARY KEY, duration REAL, low BLOB, high BLOB) WITHOUT ROWID"
            )
            row = (content, duration, low.tobytes(), high.tobytes())
            file.execute("INSERT OR REPLACE INTO peaks VALUES (?, ?, ?, ?)", row)

    def _remember(self, more: Mapping[str, Kept]) -> None:
        with self._lock:
            self._recent.update(more)
            while len(self._recent) > KEPT:
                self._recent.popitem(last=False)


def _read(place: Path, contents: Sequence[str]) -> dict[str, Kept]:
    """From the file beside the tables; nothing where there is none or it is not what it should be."""
    if not contents or not place.is_file():
        return {}
    marks = ", ".join("?" * len(contents))
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True, timeout=WAIT)) as file:
        rows = file.execute(
            f"SELECT content, duration, low, high FROM peaks WHERE content IN ({marks})", list(contents)
        )
        return {row[0]: _kept(*row) for row in rows if len(row[2]) == len(row[3]) == OVERVIEW_POINTS}
    return {}


def _kept(content: str, duration: float, low: bytes, high: bytes) -> Kept:
    return duration, np.frombuffer(low, dtype=np.int8), np.frombuffer(high, dtype=np.int8)
