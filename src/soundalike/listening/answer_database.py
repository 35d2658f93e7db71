"""The SQLite database of answers: of one listening test, or of the search page.

Answers are committed with `synchronous=FULL`: once a call returns they survive a crash of the process and of the machine.
Several processes may write; each waits for the other. The database uses a write-ahead log, so its folder must not be on a
network drive that several machines write to.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from soundalike.errors import LibraryError

VERSION = 1
"""Of the tables; `PRAGMA user_version` of the file."""

APPLICATION_ID = 0x534E4C4B
"""`SNLK`; 0 in a file that SQLite has just created."""

WAIT = 5.0
"""Seconds to wait for another process that is writing; a write takes milliseconds."""

SCHEMA = """
CREATE TABLE listeners (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  token TEXT NOT NULL UNIQUE,
  invited_at TEXT NOT NULL,
  consented_at TEXT,
  headphones_correct INTEGER,
  headphones_trials INTEGER,
  practised_at TEXT
);
CREATE TABLE answers (
  listener INTEGER NOT NULL REFERENCES listeners(id) ON DELETE CASCADE,
  trial TEXT NOT NULL,
  triplet TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL CHECK (answer IN ('A+', 'A-', 'B-', 'B+')),
  swapped INTEGER NOT NULL CHECK (swapped IN (0, 1)),
  catch INTEGER NOT NULL CHECK (catch IN (0, 1)),
  repeat_of TEXT,
  listened_x REAL NOT NULL,
  listened_a REAL NOT NULL,
  listened_b REAL NOT NULL,
  switches INTEGER NOT NULL,
  answered_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  PRIMARY KEY (listener, trial)
);
CREATE TABLE cant_tell (
  listener INTEGER NOT NULL REFERENCES listeners(id) ON DELETE CASCADE,
  trial TEXT NOT NULL,
  triplet TEXT NOT NULL,
  question TEXT NOT NULL,
  swapped INTEGER NOT NULL CHECK (swapped IN (0, 1)),
  catch INTEGER NOT NULL CHECK (catch IN (0, 1)),
  repeat_of TEXT,
  listened_x REAL NOT NULL,
  listened_a REAL NOT NULL,
  listened_b REAL NOT NULL,
  switches INTEGER NOT NULL,
  answered_at TEXT NOT NULL,
  seconds REAL NOT NULL,
  PRIMARY KEY (listener, trial)
);
CREATE TABLE feedback (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  given_at TEXT NOT NULL,
  body TEXT NOT NULL,
  withdrawn_at TEXT
);
"""
"""`listeners`, `answers`, `cant_tell` (trials that were heard without a preference): of a listening test. `feedback`: answers
of the search page, as JSON. `id` of a listener is never used again: their trials follow from it."""

Row = sqlite3.Row
Values = Sequence[str | int | float | None]


class AnswerDatabase:
    """A database file; thread-safe. It is created by the first transaction; until then all tables are empty.

    Raises LibraryError, from every method, for a file that cannot be read or written or that a newer version has written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def rows(self, query: str, values: Values = ()) -> list[Row]:
        """The rows of a query; none if there is no file yet."""
        with self._lock, self._errors("read"):
            connection = self._current()
            if connection is None:
                if not self.path.is_file():
                    return []
                try:
                    connection = self._open("rw")
                except sqlite3.OperationalError as error:
                    if not error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
                        raise
                    return self._rows_of_read_only(query, values)
            return connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction, committed to the disk at the end and rolled back by an exception."""
        with self._lock, self._errors("written"):
            connection = self._current() or self._open("rwc")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def forget_deleted(self) -> None:
        """Remove what was deleted from the write-ahead log too, as far as other processes let it."""
        with self._lock, self._errors("written"):
            connection = self._current()
            if connection is not None:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._closer()
                self._connection = None

    def _current(self) -> sqlite3.Connection | None:
        """The open connection; None if there is none or the file was deleted or replaced since."""
        if self._connection is not None and self._inode != _inode_of(self.path):
            self.close()
        return self._connection

    def _open(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            _uri(self.path, f"mode={mode}"), uri=True, timeout=WAIT, isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, _inode_of(self.path)
        self._closer = weakref.finalize(self, connection.close)
        return connection

    def _rows_of_read_only(self, query: str, values: Values) -> list[Row]:
        """The rows, where the folder does not allow the log's files to be created."""
        with closing(sqlite3.connect(_uri(self.path, "mode=ro&immutable=1"), uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            _check_version(connection)
            return connection.execute(query, values).fetchall()

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
                raise LibraryError(
                    f"another process has been writing to {self.path.name} for {WAIT:.0f} s; try again"
                ) from None
            raise LibraryError(
                f"the answers in {self.path.parent.name}/{self.path.name} cannot be {done} ({error}); earlier answers are "
                "unchanged; check free space and write permission of the folder"
            ) from None


def _prepare(connection: sqlite3.Connection) -> None:
    """Set up a connection; create the tables of a new file."""
    version = _check_version(connection)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")
    if version == 0:
        connection.execute("BEGIN IMMEDIATE")
        if _check_version(connection) == 0:  # no other process was faster
            for statement in SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")


def _check_version(connection: sqlite3.Connection) -> int:
    """The version of the tables, 0 for a new file. Raises LibraryError for one that this version cannot read."""
    # Tables first: where another process has just made them, what it has stated with them is there too.
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    (application,), (version,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
    )
    if application != APPLICATION_ID and tables:
        raise LibraryError("a file of answers is a database of another program; move it away")
    if version > VERSION:
        raise LibraryError(
            f"the answers have format {version}, this version reads format {VERSION}; install the version of soundalike "
            "that wrote them"
        )
    return int(version)


def _uri(path: Path, options: str) -> str:
    return f"{path.absolute().as_uri()}?{options}"


def _inode_of(path: Path) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
