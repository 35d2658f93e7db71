"""Vectors of clips by key, cached in one SQLite file, so that nothing is embedded twice and an interrupted run resumes.

Every `put` is a transaction: a process that dies loses only the clip it was embedding. Several processes may read and
write one file.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from soundalike.errors import InputError, SoundalikeError

FORMAT = 1
WAIT = 60.0
"""Seconds to wait for another process that is writing."""


@dataclass(frozen=True)
class CachedVector:
    """A sound's vector (D,) float32, of unit norm or zero, and its level (RMS, dB of full scale)."""

    vector: NDArray[np.float32]
    level: float


class VectorCache:
    """Vectors by key. A context manager; `close` it otherwise."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`, or create it and its folder.

        Raises InputError for a file that is not such a cache, SoundalikeError if it cannot be written.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=WAIT)
            found = self._connection.execute("PRAGMA user_version").fetchone()[0]
            tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if tables and found != FORMAT:
                raise InputError(f"{path} is not a cache of vectors of this version; choose another file with --cache")
            with self._connection:
                self._connection.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, level REAL, vector BLOB) WITHOUT ROWID"
                )
                self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def __len__(self) -> int:
        with self._explained():
            return int(self._connection.execute("SELECT count(*) FROM vectors").fetchone()[0])

    def get(self, key: str) -> CachedVector | None:
        """The entry under `key`, or None."""
        with self._explained():
            row = self._connection.execute("SELECT vector, level FROM vectors WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        # SQLite has no -inf, the level of digital silence: NULL stands for it.
        return CachedVector(np.frombuffer(row[0], dtype="<f4").copy(), -np.inf if row[1] is None else float(row[1]))

    def put(self, entries: Mapping[str, CachedVector]) -> None:
        """Store all of `entries`, or none. Raises SoundalikeError if that fails (a full disk)."""
        rows = [
            (key, None if np.isneginf(entry.level) else float(entry.level), entry.vector.astype("<f4").tobytes())
            for key, entry in entries.items()
        ]
        with self._explained(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO vectors (key, level, vector) VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise SoundalikeError(
                f"the cache {self.path} cannot be used: {error}; its vectors are kept; fix that and run again"
            ) from None
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"{self.path} is damaged or not a cache of vectors ({error}); delete it, or choose another file with --cache"
            ) from None
