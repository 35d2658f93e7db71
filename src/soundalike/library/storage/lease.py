"""One writer at a time without locks: a lease, stored as an object beside the tables of a remote library.

It is taken by a put that fails if the object exists (If-None-Match), renewed while its holder works, and taken over by a
put that fails if the object has changed (If-Match), once its holder has not renewed it for its length. Its age is measured
by the store's clock, so that the clocks of machines do not have to agree. A holder that could not renew it in time begins no
further commit.
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
"""How long a lease is valid without renewal: a library stays locked for so long after its writer was killed."""

RENEWALS = 4
"""A lease is renewed so many times in its length."""

MARGIN = 1 / 3
"""The last part of a lease, in which no commit is begun: the time that a commit has to finish."""


@contextmanager
def leased(library: Remote, holder: Mapping[str, object]) -> Iterator[Callable[[], None]]:
    """Hold the lease of a remote library; gives a function to call before each commit. holder: describes who takes it.

    Raises LibraryError at once, naming the holder, if another process writes; so does the function, once the lease is lost.
    """
    lease = Lease(library, holder)
    lease.take()
    try:
        yield lease.check
    finally:
        lease.release()


def check_conditions(library: Remote) -> None:
    """Raise LibraryError if the store accepts a put whose condition does not hold: a lease would then keep nobody out, and
    tables would lose commits. (That conditions are atomic under concurrency cannot be tested here.)"""
    probe = library / f"{PROBE_NAME}-{uuid.uuid4().hex}"
    first = probe.write("1", tag=None)
    try:
        for tag in (None, f'"{"0" * 32}"'):
            try:
                probe.write("2", tag=tag)
            except OutdatedError:
                continue
            raise LibraryError(
                f"the store of {library} accepted a put under a condition ({'If-Match' if tag else 'If-None-Match: *'}) "
                "that does not hold, so writers could not be kept apart; use one that honours conditional puts (docs/library.md)"
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
        self._released = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> None:
        """Take the lease, or take it over from a holder that has not renewed it in time. Raises LibraryError."""
        begin = time.monotonic()
        try:
            self._tag = self._object.write(self._text(), tag=None)
        except OutdatedError:
            found = self._object.read()
            if _values(found.text).get("mine") == self._mine:  # a first try succeeded, but its answer was lost
                self._tag = found.tag
            else:
                self._take_over(found.text, found.tag)
        self._since = begin
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise LibraryError if the lease is lost, or so near its end that a commit might outlast it."""
        if self._lost or time.monotonic() - self._since > self._seconds * (1 - MARGIN):
            raise LibraryError(
                f"{self._library} may be written by another process now: this one could not renew its lease within "
                f"{self._seconds:.0f} s (asleep, or without network); what was committed is kept, run it again"
            )

    def release(self) -> None:
        """Release it at once."""
        self._released.set()
        if self._thread is not None:
            self._thread.join()
        if not self._lost:
            with suppress(LibraryError):  # it expires by itself
                self._object.write(self._text(released=True), tag=self._tag)

    def _take_over(self, text: str, tag: str) -> None:
        values = _values(text)
        seconds = float(values.get("seconds", SECONDS))
        left = seconds - self._object.seconds_old(self._library / CLOCK_NAME)
        if not values.get("released") and left > 0:
            raise LibraryError(
                f"{self._library} is being written by {describe_holder(values.get('holder'))}; wait until it is done, or "
                f"end it and try again (if it was killed: in {left:.0f} s; searching works in the meantime)"
            )
        try:
            self._tag = self._object.write(self._text(), tag=tag)
        except OutdatedError:
            raise LibraryError(f"another process has just started to write {self._library}; try again later") from None

    def _renew(self) -> None:
        while not self._released.wait(self._seconds / RENEWALS):
            begin = time.monotonic()
            try:
                self._tag = self._object.write(self._text(), tag=self._tag)
                self._since = begin
            except OutdatedError:
                if not self._still_mine(begin):
                    self._lost = True
                    return
            except LibraryError:
                continue  # the store cannot be reached: retried, and `check` knows when it is too late

    def _still_mine(self, begin: float) -> bool:
        """Whether the object is this holder's after all: a put succeeded, but its answer was lost."""
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


def describe_holder(who: Any) -> str:
    """A description of the holder of a lock."""
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
