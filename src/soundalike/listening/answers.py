"""Answers to "alike?" and "which of the two is closer?", given on the search page; in the library's `listening/answers.sqlite`.

Earlier versions wrote one answer per line into `answers.jsonl`. Such a file is taken over by the next answer and then renamed;
until then, and in a library that cannot be written, its answers are read from where they are.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.item_parts import digest_of
from soundalike.library.storage.location import Location
from soundalike.listening.answer_database import AnswerDatabase
from soundalike.listening.listening_folder import folder_of, locked_folder

FILE_NAME = "answers.sqlite"
OLD_FILE_NAME = "answers.jsonl"


@dataclass(frozen=True)
class HeardClip:
    """A clip that was listened to.

    content: digest of the file's content; path: of the file at that time; item: id, None if the file was not in the library.
    start, end: in seconds.
    """

    content: str
    path: str
    item: str | None
    start: float
    end: float

    @property
    def key(self) -> tuple[str, float, float]:
        """Identity of the sound: content, start and end."""
        return digest_of(self.content), self.start, self.end


@dataclass(frozen=True)
class AlikeAnswer:
    """Whether `hit` is similar to the reference. weights: of the search that found it, if known."""

    reference: HeardClip
    weights: Mapping[str, float] | None
    hit: HeardClip
    alike: bool


@dataclass(frozen=True)
class CloserAnswer:
    """Which of `a` and `b` is closer to the reference, and whether the listener was sure."""

    reference: HeardClip
    weights: Mapping[str, float] | None
    a: HeardClip
    b: HeardClip
    closer: Literal["a", "b"]
    sure: bool


Answer = AlikeAnswer | CloserAnswer


class Answers:
    """The answers of one library; thread-safe. Several servers may add to the same database."""

    def __init__(self, library: Location) -> None:
        self._library = library
        folder = folder_of(library)
        self._database = AnswerDatabase(folder / FILE_NAME)
        self._old_file = folder / OLD_FILE_NAME

    def all(self) -> dict[str, Answer]:
        """The answers that are not withdrawn, by id, oldest first. Raises LibraryError if they cannot be read."""
        known = {
            row["id"]: answer_of(json.loads(row["body"]))
            for row in self._database.rows("SELECT id, body FROM feedback WHERE withdrawn_at IS NULL ORDER BY number")
        }
        if self._old_file.is_file():
            withdrawn = {
                row["id"] for row in self._database.rows("SELECT id FROM feedback WHERE withdrawn_at IS NOT NULL")
            }
            for line in self._old_lines():
                if line.withdrawn:
                    known.pop(line.id, None)
                elif line.id not in withdrawn:
                    known.setdefault(line.id, answer_of(line.values))
        return known

    def count(self) -> int:
        """The number of answers that are not withdrawn. Raises LibraryError as `all`."""
        if self._old_file.is_file():
            return len(self.all())
        return len(self._database.rows("SELECT id FROM feedback WHERE withdrawn_at IS NULL"))

    def add(self, answer: Answer) -> str:
        """Store an answer and return its id; it is on the disk then. Raises LibraryError if that fails."""
        name = secrets.token_hex(8)
        body = json.dumps(asdict(answer), ensure_ascii=False, allow_nan=False)
        self._prepare()
        with self._database.transaction() as connection:
            connection.execute("INSERT INTO feedback (id, given_at, body) VALUES (?, ?, ?)", (name, _now(), body))
        return name

    def withdraw(self, name: str) -> None:
        """Withdraw an answer. Raises InputError for an unknown id, LibraryError as `add`."""
        self._prepare()
        with self._database.transaction() as connection:
            done = connection.execute(
                "UPDATE feedback SET withdrawn_at = ? WHERE id = ? AND withdrawn_at IS NULL", (_now(), name)
            )
            if done.rowcount == 0:
                raise InputError(f"there is no answer {name[:80]!r}, or it was already withdrawn")

    def _prepare(self) -> None:
        """Create the folder; take over the answers of a file that an earlier version of soundalike has written."""
        with locked_folder(self._library):
            if not self._old_file.is_file():
                return
            with self._database.transaction() as connection:
                for line in self._old_lines():
                    if line.withdrawn:
                        connection.execute(
                            "UPDATE feedback SET withdrawn_at = ? WHERE id = ? AND withdrawn_at IS NULL",
                            (line.at, line.id),
                        )
                    else:
                        connection.execute(
                            "INSERT INTO feedback (id, given_at, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                            (line.id, line.at, json.dumps(line.values, ensure_ascii=False)),
                        )
            self._set_aside()

    def _set_aside(self) -> None:
        """Rename the old file, which is never deleted. A crash before this has the same lines taken over again: no change."""
        places = (self._old_file.with_name(f"{OLD_FILE_NAME}.imported{number or ''}") for number in itertools.count())
        try:
            self._old_file.rename(next(place for place in places if not place.exists()))
        except OSError as error:
            raise LibraryError(
                f"{OLD_FILE_NAME} of an earlier version cannot be renamed ({error.strerror or error}); check write "
                "permission of its folder"
            ) from None

    def _old_lines(self) -> Iterator[_OldLine]:
        try:
            data = self._old_file.read_bytes()
        except FileNotFoundError:  # another server has just taken it over
            return
        except OSError as error:
            raise LibraryError(f"{OLD_FILE_NAME} of the library cannot be read ({error.strerror or error})") from None
        for line in data.splitlines():
            # Half a line, left by a crash, was never confirmed as stored.
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                values = json.loads(line)
                if not values.get("withdrawn"):
                    answer_of(values)
                yield _OldLine(
                    str(values["id"]), str(values.get("at") or _now()), bool(values.get("withdrawn")), values
                )


class _OldLine(NamedTuple):
    """A line of the old file: an answer, or the withdrawal of one."""

    id: str
    at: str
    withdrawn: bool
    values: Mapping[str, Any]


def answer_of(values: Mapping[str, Any]) -> Answer:
    """Parse the values of a line. Raises KeyError, TypeError or ValueError for invalid ones."""
    weights = None if values["weights"] is None else {str(part): float(w) for part, w in values["weights"].items()}
    reference = _heard(values["reference"])
    if "hit" in values:
        return AlikeAnswer(reference, weights, _heard(values["hit"]), bool(values["alike"]))
    closer: Literal["a", "b"] = "a" if values["closer"] == "a" else "b"
    return CloserAnswer(reference, weights, _heard(values["a"]), _heard(values["b"]), closer, bool(values["sure"]))


def _heard(values: Mapping[str, Any]) -> HeardClip:
    item = values["item"]
    return HeardClip(
        str(values["content"]),
        str(values["path"]),
        None if item is None else str(item),
        float(values["start"]),
        float(values["end"]),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
