"""One writer at a time where there are no locks: a lease, kept as an object beside the tables of a remote library.

It is taken by a put that fails where the object is there (If-None-Match), renewed while its holder works, and taken over by
a put that fails where the object has changed (If-Match), once its holder has not renewed it for its length. How old it is
is judged by the store's clock, so that no two machines need agree on the time. A holder that could not renew it in
time begins no further commit.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from soundalike.errors import LibraryError
from soundalike.library.storage.location import OutdatedError, Remote

LEASE_NAME = "write.lease"
CLOCK_NAME = "write.lease.clock"
PROBE_NAME = "write.lease.probe"

SECONDS = 30.0
"""How long a lease holds without renewal: so long a library stays locked after its writer was killed."""

RENEWALS = 4
"""A lease is renewed so many times in its length."""

MARGIN = 1 / 3
"""The last part of a lease, in which no commit is begun any more: one that has begun has so long to come to its end."""


@contextmanager
def leased(library: Remote, holder: Mapping[str, object]) -> Iterator[Callable[[], None]]:
    """Hold the lease of a remote library; gives what is to be called before each commit. holder: who takes it, in words.

    Raises LibraryError at once, naming the holder, where another writes; so does what is given, once the lease is lost.
    """
    lease = Lease(library, holder)
    lease.take()
    try:
        yield lease.check
    finally:
        lease.release()


def check_conditions(library: Remote) -> None:
    """Raise LibraryError where the store takes a put whose condition does not hold: a lease would then hold nobody off, and
    tables would lose commits. (That it does so one request at a time too, it has to promise.)"""
    probe = library / f"{PROBE_NAME}-{uuid.uuid4().hex}"
    first = probe.write("1", tag=None)
    try:
        for tag in (None, f'"{"0" * 32}"'):
            try:
                probe.write("2", tag=tag)
            except OutdatedError:
                continue
            raise LibraryError(
                f"the store of {library} took a put under a condition ({'If-Match' if tag else 'If-None-Match: *'}) that does "
                "not hold, so writers could not be kept apart; use one that honours conditional puts (docs/library.md)"
            )
        probe.write("3", tag=first)
    finally:
        probe.delete()


class Lease:
    """A lease of one writer, with the thread that renews it."""

    def __init__(self, library: Remote, holder: Mapping[str, object], seconds: float | None = None) -> None:
        self._library, self._holder = library, dict(holder)
        self._seconds = SECONDS if seconds is None else seconds
        self._object = library / LEASE_NAME
        self._mine = uuid.uuid4().hex
        self._count = 0
        self._tag = ""
        self._since = 0.0
        self._lost = False
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> None:
        """Take it, or take it over from a holder that has not renewed it in time. Raises LibraryError."""
        begin = time.monotonic()
        try:
            self._tag = self._object.write(self._text(), tag=None)
        except OutdatedError:
            found = self._object.read()
            if _values(found.text).get("mine") == self._mine:  # a first try got through and its answer did not
                self._tag = found.tag
            else:
                self._take_over(found.text, found.tag)
        self._since = begin
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises LibraryError where the lease is lost, or so near its end that a commit might outlast it."""
        if self._lost or time.monotonic() - self._since > self._seconds * (1 - MARGIN):
            raise LibraryError(
                f"{self._library} may be written by another process now: this one could not renew its lease within "
                f"{self._seconds:.0f} s (asleep, or without network); what was committed is kept, run it again"
            )

    def release(self) -> None:
        """Let go of it at once."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if not self._lost:
            with suppress(LibraryError):  # it ends by itself
                self._object.write(self._text(released=True), tag=self._tag)

    def _take_over(self, text: str, tag: str) -> None:
        values = _values(text)
        seconds = float(values.get("seconds", SECONDS))
        left = seconds - self._object.seconds_old(self._library / CLOCK_NAME)
        if not values.get("released") and left > 0:
            raise LibraryError(
                f"{self._library} is being written by {in_words(values.get('holder'))}; wait until it is done, or end it and "
                f"try again (if it was killed: in {left:.0f} s; searching works meanwhile)"
            )
        try:
            self._tag = self._object.write(self._text(), tag=tag)
        except OutdatedError:
            raise LibraryError(f"another process has just begun to write {self._library}; try again later") from None

    def _renew(self) -> None:
        while not self._over.wait(self._seconds / RENEWALS):
            begin = time.monotonic()
            try:
                self._tag = self._object.write(self._text(), tag=self._tag)
                self._since = begin
            except OutdatedError:
                if not self._still_mine(begin):
                    self._lost = True
                    return
            except LibraryError:
                continue  # out of reach: it is tried again, and `check` knows when it is too late

    def _still_mine(self, begin: float) -> bool:
        """Whether the object is one's own all the same: a put got through and its answer did not."""
        with suppress(LibraryError, FileNotFoundError):
            found = self._object.read()
            if _values(found.text).get("mine") == self._mine:
                self._tag, self._since = found.tag, begin
                return True
        return False

    def _text(self, *, released: bool = False) -> str:
        self._count += 1  # no two texts are alike, so no two tags are
        values = {
            "holder": self._holder,
            "mine": self._mine,
            "count": self._count,
            "seconds": self._seconds,
            "released": released,
        }
        return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def in_words(who: Any) -> str:
    """The holder of a lock in words."""
    try:
        return f"process {who['pid']} of {who['user']} on {who['host']} since {who['since']} (`{who['command']}`)"
    except (KeyError, TypeError):
        return "another process"


def _values(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
