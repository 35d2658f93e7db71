from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from soundalike.errors import LibraryError
from soundalike.listening.answer_database import VERSION, AnswerDatabase, _check_version


def add(database: AnswerDatabase, name: str) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO feedback (id, given_at, body) VALUES (?, '', '{}')", (name,))


def names(database: AnswerDatabase) -> list[str]:
    return [row["id"] for row in database.rows("SELECT id FROM feedback ORDER BY number")]


def test_reading_creates_no_file(tmp_path: Path) -> None:
    assert names(AnswerDatabase(tmp_path / "a.sqlite")) == []
    assert list(tmp_path.iterdir()) == []


def test_commits_are_durable_and_go_through_a_log(tmp_path: Path) -> None:
    database = AnswerDatabase(tmp_path / "a.sqlite")
    with database.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_an_exception_leaves_nothing_of_its_transaction(tmp_path: Path) -> None:
    database = AnswerDatabase(tmp_path / "a.sqlite")
    add(database, "first")
    with pytest.raises(LibraryError, match="UNIQUE"):
        add(database, "first")
    with pytest.raises(RuntimeError), database.transaction() as connection:  # noqa: PT012
        connection.execute("INSERT INTO feedback (id, given_at, body) VALUES ('second', '', '')")
        raise RuntimeError
    assert names(database) == ["first"]
    add(database, "third")
    assert names(AnswerDatabase(tmp_path / "a.sqlite")) == ["first", "third"]


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = AnswerDatabase(tmp_path / "a.sqlite")
    add(database, "first")
    database.close()
    connection = sqlite3.connect(tmp_path / "a.sqlite")
    connection.execute("PRAGMA user_version=2")
    connection.close()
    with pytest.raises(LibraryError, match="format 2, this version reads format 1"):
        names(database)
    with pytest.raises(LibraryError, match="format 2"):
        add(database, "second")


@pytest.mark.parametrize("content", [b"not a database, but long enough to be one" * 40, None])
def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path: Path, content: bytes | None) -> None:
    place = tmp_path / "a.sqlite"
    if content is None:
        connection = sqlite3.connect(place)
        connection.execute("CREATE TABLE songs (id)")
        connection.close()
    else:
        place.write_bytes(content)
    before = place.read_bytes()
    with pytest.raises(LibraryError):
        add(AnswerDatabase(place), "first")
    after = place.read_bytes()
    assert after == before


def test_a_folder_that_is_missing_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="cannot be written"):
        add(AnswerDatabase(tmp_path / "gone" / "a.sqlite"), "first")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_answers_in_a_read_only_folder_are_read(tmp_path: Path) -> None:
    database = AnswerDatabase(tmp_path / "a.sqlite")
    add(database, "first")
    database.close()
    tmp_path.chmod(0o500)
    try:
        assert names(database) == ["first"]
        with pytest.raises(LibraryError, match="cannot be written"):
            add(database, "second")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_that_another_process_makes_at_the_same_moment_is_not_taken_for_something_else(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    connection = sqlite3.connect(path)

    class Overtaken:
        """Between its first statement and the next one, another process makes the tables."""

        def __init__(self) -> None:
            self.statements = 0

        def execute(self, statement: str) -> sqlite3.Cursor:
            if self.statements == 1:
                add(AnswerDatabase(path), "first")
            self.statements += 1
            return connection.execute(statement)

    assert _check_version(Overtaken()) in (0, VERSION)  # type: ignore[arg-type]
    connection.close()
    assert names(AnswerDatabase(path)) == ["first"]
