"""Listeners of a listening test and their answers, in the test's `answers.sqlite`.

A listener is a pseudonym (`L01`) and a personal link with a random token; the store knows no names or addresses. An answer is
on the disk when `add` returns; one that is sent again changes nothing. Trials without a preference (`cant_tell`) are in a table
of their own, so that no query of the answers meets them by accident.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from soundalike.errors import InputError
from soundalike.listening.answer_database import AnswerDatabase
from soundalike.listening.answer_record import TRIAL_ANSWERS, AnswerRecord

MAX_LISTENERS = 10_000

Added = Literal["stored", "known"]

_CANT_TELL = "cant_tell"
_COLUMNS = tuple(field.name for field in fields(AnswerRecord) if field.name not in ("listener", "answer"))


@dataclass(frozen=True)
class Listener:
    """A listener of a test.

    index: number from 0, from which their trials follow; name: the pseudonym. Times are ISO 8601 in UTC, None before the event.
    headphones: correct answers and trials of the last headphone check, (0, 0) for a listener who uses loudspeakers.
    """

    index: int
    name: str
    token: str
    invited_at: str
    consented_at: str | None
    headphones: tuple[int, int] | None
    practised_at: str | None


class AnswerStore:
    """The listeners and answers of one test; thread-safe, and several processes may use the same file.

    All methods raise LibraryError if the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        """path: the file; its folder must exist before anything is written."""
        self._database = AnswerDatabase(path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # Listeners

    def invite(self, count: int = 1) -> list[Listener]:
        """Add listeners, each with a new token. Raises InputError for a count below 1 or too many listeners."""
        if count < 1:
            raise InputError(f"{count} listeners cannot be invited; give a number from 1")
        tokens = [secrets.token_urlsafe(16) for _ in range(count)]
        now = _now()
        with self._database.transaction() as connection:
            (present,) = connection.execute("SELECT count(*) FROM listeners").fetchone()
            if present + count > MAX_LISTENERS:
                raise InputError(f"a test has {MAX_LISTENERS:,} listeners at most; this one has {present:,}")
            for token in tokens:
                number = connection.execute(
                    "INSERT INTO listeners (name, token, invited_at) VALUES (?, ?, ?)", (token, token, now)
                ).lastrowid
                connection.execute("UPDATE listeners SET name = ? WHERE id = ?", (f"L{number:02d}", number))
        return [listener for token in tokens if (listener := self.by_token(token)) is not None]

    def listeners(self) -> list[Listener]:
        """The listeners, in the order in which they were invited."""
        return [_listener(row) for row in self._database.rows("SELECT * FROM listeners ORDER BY id")]

    def by_token(self, token: str) -> Listener | None:
        """The listener with this token, or None."""
        rows = self._database.rows("SELECT * FROM listeners WHERE token = ?", (token,))
        return _listener(rows[0]) if rows else None

    def by_name(self, name: str) -> Listener:
        """The listener with this pseudonym. Raises InputError if there is none."""
        rows = self._database.rows("SELECT * FROM listeners WHERE name = ?", (name,))
        if not rows:
            raise InputError(f"there is no listener {name[:80]!r}; `soundalike listen listeners` lists them")
        return _listener(rows[0])

    def record_consent(self, name: str) -> None:
        """Record that a listener has agreed to take part; the first time counts."""
        self._update(name, "consented_at = coalesce(consented_at, ?)", _now())

    def record_headphones(self, name: str, correct: int, trials: int) -> None:
        """Record the result of a headphone check; the last one counts."""
        self._update(name, "headphones_correct = ?, headphones_trials = ?", correct, trials)

    def record_practice(self, name: str) -> None:
        """Record that a listener has finished the practice trials; the first time counts."""
        self._update(name, "practised_at = coalesce(practised_at, ?)", _now())

    def delete_listener(self, name: str) -> int:
        """Delete a listener with all answers, also from the free space of the file; returns the number of answers deleted.

        Their number is not given to another listener. Raises InputError if there is none with this pseudonym.
        """
        listener = self.by_name(name)
        with self._database.transaction() as connection:
            count = sum(
                connection.execute(f"DELETE FROM {table} WHERE listener = ?", (listener.index + 1,)).rowcount
                for table in ("answers", "cant_tell")
            )
            connection.execute("DELETE FROM listeners WHERE id = ?", (listener.index + 1,))
        self._database.forget_deleted()
        return count

    def export_listener(self, name: str) -> dict[str, Any]:
        """All that is stored about a listener except the token, for a file. Raises InputError for an unknown pseudonym."""
        facts = asdict(self.by_name(name))
        del facts["token"]
        return {**facts, "answers": [asdict(record) for record in self.records(name)]}

    # Answers

    def add(self, record: AnswerRecord) -> Added:
        """Store an answer; `known` if this listener has answered the trial before: the first answer stays.

        Raises InputError for an unknown listener or an answer that does not exist.
        """
        return self._add_all([record])[0]

    def import_records(self, records: Iterable[AnswerRecord]) -> int:
        """Add answers of listeners that exist already, all or none, each as `add` does; returns how many were new."""
        return self._add_all(records).count("stored")

    def _add_all(self, records: Iterable[AnswerRecord]) -> list[Added]:
        with self._database.transaction() as connection:
            return [_insert(connection, record) for record in records]

    def records(self, listener: str | None = None) -> list[AnswerRecord]:
        """The answers of all listeners, or of one, in the order in which they were given."""
        where, values = ("", ()) if listener is None else (" AND listeners.name = ?", (listener,))
        columns = ", ".join(_COLUMNS)
        rows = self._database.rows(
            "SELECT listeners.name AS listener_name, given.* FROM ("
            f"SELECT listener, answer, {columns} FROM answers UNION ALL "
            f"SELECT listener, '{_CANT_TELL}' AS answer, {columns} FROM cant_tell"
            f") AS given JOIN listeners ON listeners.id = given.listener{where} ORDER BY answered_at, trial",
            values,
        )
        return [_record(row) for row in rows]

    def answered(self, listener: str) -> frozenset[str]:
        """The ids of the trials that a listener has answered."""
        rows = self._database.rows(
            "SELECT trial FROM (SELECT listener, trial FROM answers UNION ALL SELECT listener, trial FROM cant_tell) AS given "
            "JOIN listeners ON listeners.id = given.listener AND listeners.name = ?",
            (listener,),
        )
        return frozenset(row["trial"] for row in rows)

    def counts(self) -> dict[str, int]:
        """The number of answers of each listener, those without any included."""
        rows = self._database.rows(
            "SELECT name, (SELECT count(*) FROM answers WHERE listener = listeners.id) "
            "+ (SELECT count(*) FROM cant_tell WHERE listener = listeners.id) AS count FROM listeners ORDER BY id"
        )
        return {row["name"]: row["count"] for row in rows}

    def _update(self, name: str, change: str, *values: str | int) -> None:
        with self._database.transaction() as connection:
            if connection.execute(f"UPDATE listeners SET {change} WHERE name = ?", (*values, name)).rowcount == 0:
                raise InputError(f"there is no listener {name[:80]!r}")


def _insert(connection: sqlite3.Connection, record: AnswerRecord) -> Added:
    """Insert an answer unless there is one in either table."""
    if record.answer not in TRIAL_ANSWERS:
        raise InputError(f"{record.answer!r} is not an answer; the answers are {', '.join(TRIAL_ANSWERS)}")
    values: dict[str, Any] = {name: getattr(record, name) for name in _COLUMNS}
    values["listener"] = _number_of(connection, record.listener)
    table, other = ("cant_tell", "answers") if record.answer == _CANT_TELL else ("answers", "cant_tell")
    if table == "answers":
        values["answer"] = record.answer
    done = connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join('?' * len(values))} "
        f"WHERE NOT EXISTS (SELECT 1 FROM {other} WHERE listener = ? AND trial = ?) ON CONFLICT DO NOTHING",
        (*values.values(), values["listener"], record.trial),
    )
    return "stored" if done.rowcount == 1 else "known"


def _number_of(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT id FROM listeners WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise InputError(f"there is no listener {name[:80]!r}; a deleted listener cannot answer")
    return int(row[0])


def _listener(row: sqlite3.Row) -> Listener:
    headphones = None
    if row["headphones_trials"] is not None:
        headphones = (int(row["headphones_correct"]), int(row["headphones_trials"]))
    return Listener(
        index=int(row["id"]) - 1,
        name=row["name"],
        token=row["token"],
        invited_at=row["invited_at"],
        consented_at=row["consented_at"],
        headphones=headphones,
        practised_at=row["practised_at"],
    )


def _record(row: sqlite3.Row) -> AnswerRecord:
    values = {name: row[name] for name in _COLUMNS}
    values.update(swapped=bool(row["swapped"]), catch=bool(row["catch"]))
    return AnswerRecord(listener=row["listener_name"], answer=row["answer"], **values)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
