"""Answers to "alike?" and "which of the two is closer?", one a line in a file that is only ever added to.

An answer is withdrawn by another line. A line that a crash cut short is not read, and the next one begins after it.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from soundalike.errors import InputError, LibraryError
from soundalike.library.storage.location import Location
from soundalike.listening.listening_folder import folder_of, writing

FILE_NAME = "answers.jsonl"
MOST_BYTES = 512 << 20
"""Of the file: a million answers."""


@dataclass(frozen=True)
class Heard:
    """What was listened to: the digest of a file's content, the file as it was called then, its item (None: it was no file
    of the library), and the seconds."""

    content: str
    path: str
    item: str | None
    start: float
    end: float

    @property
    def key(self) -> tuple[str, float, float]:
        """What makes it the same sound: content and seconds."""
        return self.content.partition(":")[0], self.start, self.end


@dataclass(frozen=True)
class Alike:
    """Whether `hit` is alike. weights: what the hits were ordered by then, if that is known."""

    reference: Heard
    weights: Mapping[str, float] | None
    hit: Heard
    alike: bool


@dataclass(frozen=True)
class Closer:
    """Which of `a` and `b` is closer, and whether that was easy to say."""

    reference: Heard
    weights: Mapping[str, float] | None
    a: Heard
    b: Heard
    closer: Literal["a", "b"]
    sure: bool


Answer = Alike | Closer


class Answers:
    """The answers of one library; thread-safe, and several servers may add to the same ones."""

    def __init__(self, library: Location) -> None:
        self._library = library
        self._place = folder_of(library) / FILE_NAME
        self._lock = threading.Lock()
        self._inode = self._size = 0
        self._known: dict[str, Answer] = {}

    def all(self) -> dict[str, Answer]:
        """The answers in force by their ids, oldest first; only what has come since the last time is read."""
        with self._lock:
            self._read_on()
            return dict(self._known)

    def add(self, answer: Answer) -> str:
        """Keep an answer; its id. Raises LibraryError where that cannot be done."""
        name = secrets.token_hex(8)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._append({"id": name, "at": now, **asdict(answer)})
        return name

    def withdraw(self, name: str) -> None:
        """Take an answer back. Raises InputError for one that there is not, LibraryError as `add`."""
        if name not in self.all():
            raise InputError(f"there is no answer {name[:80]!r}, or it was withdrawn already")
        self._append({"id": name, "at": datetime.now(UTC).isoformat(timespec="seconds"), "withdrawn": True})

    def _append(self, values: Mapping[str, Any]) -> None:
        line = json.dumps(values, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        with writing(self._library):
            try:
                with self._place.open("ab") as file:
                    size = file.tell()
                    if size > MOST_BYTES:
                        raise LibraryError(
                            f"{FILE_NAME} has more than {MOST_BYTES >> 20} MB; export it and begin a new one"
                        )
                    file.write(line if size == 0 or self._ends_a_line(size) else b"\n" + line)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise LibraryError(
                    f"the answer cannot be kept ({error.strerror or error}); those given before are untouched"
                ) from None

    def _ends_a_line(self, size: int) -> bool:
        with self._place.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) == b"\n"

    def _read_on(self) -> None:
        try:
            with self._place.open("rb") as file:
                facts = os.fstat(file.fileno())
                if facts.st_ino != self._inode or facts.st_size < self._size:
                    self._inode, self._size, self._known = facts.st_ino, 0, {}
                file.seek(self._size)
                whole = file.read().rpartition(b"\n")[0] + b"\n"
        except FileNotFoundError:
            self._inode, self._size, self._known = 0, 0, {}
            return
        except OSError as error:
            raise LibraryError(f"{FILE_NAME} of the library cannot be read ({error.strerror or error})") from None
        if len(whole) > 1:
            self._size += len(whole)
            for line in whole.splitlines():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            values = json.loads(line)
            name = str(values["id"])
            if values.get("withdrawn"):
                self._known.pop(name, None)
            else:
                self._known[name] = answer_of(values)
        except (ValueError, KeyError, TypeError, AttributeError):
            return  # half a line, left by a crash: it was never confirmed as stored


def answer_of(values: Mapping[str, Any]) -> Answer:
    """An answer from a line's values. Raises KeyError, TypeError or ValueError where they are none."""
    weights = None if values["weights"] is None else {str(part): float(w) for part, w in values["weights"].items()}
    reference = _heard(values["reference"])
    if "hit" in values:
        return Alike(reference, weights, _heard(values["hit"]), bool(values["alike"]))
    closer: Literal["a", "b"] = "a" if values["closer"] == "a" else "b"
    return Closer(reference, weights, _heard(values["a"]), _heard(values["b"]), closer, bool(values["sure"]))


def _heard(values: Mapping[str, Any]) -> Heard:
    item = values["item"]
    return Heard(
        str(values["content"]),
        str(values["path"]),
        None if item is None else str(item),
        float(values["start"]),
        float(values["end"]),
    )
