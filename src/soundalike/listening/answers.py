"""Answers to "alike?" and "which of the two is closer?", one per line in an append-only file.

Another line withdraws an answer. A line that a crash cut short is skipped, and the next one starts on a new line.
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
from soundalike.listening.listening_folder import folder_of, locked_folder

FILE_NAME = "answers.jsonl"
MAX_BYTES = 512 << 20
"""Maximum size of the file: about a million answers."""


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
        return self.content.partition(":")[0], self.start, self.end


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
    """The answers of one library; thread-safe. Several servers may add to the same file."""

    def __init__(self, library: Location) -> None:
        self._library = library
        self._place = folder_of(library) / FILE_NAME
        self._lock = threading.Lock()
        self._inode = self._size = 0
        self._known: dict[str, Answer] = {}

    def all(self) -> dict[str, Answer]:
        """The answers that are not withdrawn, by id, oldest first; reads only what was added since the last call."""
        with self._lock:
            self._read_new()
            return dict(self._known)

    def add(self, answer: Answer) -> str:
        """Store an answer and return its id. Raises LibraryError if that fails."""
        name = secrets.token_hex(8)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._append({"id": name, "at": now, **asdict(answer)})
        return name

    def withdraw(self, name: str) -> None:
        """Withdraw an answer. Raises InputError for an unknown id, LibraryError as `add`."""
        if name not in self.all():
            raise InputError(f"there is no answer {name[:80]!r}, or it was already withdrawn")
        self._append({"id": name, "at": datetime.now(UTC).isoformat(timespec="seconds"), "withdrawn": True})

    def _append(self, values: Mapping[str, Any]) -> None:
        line = json.dumps(values, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        with locked_folder(self._library):
            try:
                with self._place.open("ab") as file:
                    size = file.tell()
                    if size > MAX_BYTES:
                        raise LibraryError(
                            f"{FILE_NAME} has more than {MAX_BYTES >> 20} MB; export the answers and move the file away"
                        )
                    file.write(line if size == 0 or self._ends_with_newline(size) else b"\n" + line)
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise LibraryError(
                    f"the answer cannot be stored ({error.strerror or error}); earlier answers are unchanged"
                ) from None

    def _ends_with_newline(self, size: int) -> bool:
        with self._place.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) == b"\n"

    def _read_new(self) -> None:
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
                self._parse(line)

    def _parse(self, line: bytes) -> None:
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
