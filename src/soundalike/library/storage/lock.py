"""One writer at a time: an operating-system lock, which ends with its holder, however that ends; for a remote library, a
lease.

Readers need no lock. A file beside the lock names its holder, for the message to a second writer.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from soundalike.errors import LibraryError
from soundalike.library.storage.lease import describe_holder, leased
from soundalike.library.storage.location import Location, Remote

LOCK_NAME = "write.lock"
HOLDER_NAME = "write.lock.json"


@contextmanager
def writing(library: Location) -> Iterator[Callable[[], None]]:
    """Hold the write lock of the library in the folder `library`, which must exist; gives a function to call before each
    commit, which raises LibraryError if the lock is lost.

    Raises LibraryError at once, naming the holder, if another process (or another thread of this one) writes.
    """
    if isinstance(library, Remote):
        with leased(library, _myself()) as check:
            yield check
        return
    # A file system without locks is an error; a marker file instead would outlive a killed writer.
    lock = FileLock(library / LOCK_NAME, timeout=0, fallback_to_soft=False, preserve_lock_file=True)
    try:
        lock.acquire()
    except Timeout:
        raise LibraryError(
            f"{library} is being written by {_holder(library)}; wait until it is done, or end it and try again "
            "(searching works in the meantime)"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise LibraryError(
            f"the library {library} cannot be locked for writing ({error}); it must be on a writable file "
            "system with locks"
        ) from error
    holder = library / HOLDER_NAME
    try:
        with suppress(OSError):  # for the message to a second writer only: a full disk must not stop a `remove`
            holder.write_text(json.dumps(_myself()), encoding="utf-8")
        yield _held
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _held() -> None:
    """The system's lock is held until it is released."""


def _myself() -> dict[str, object]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown user"  # a container may run under a number without a name
    return {
        "pid": os.getpid(),
        "user": user,
        "host": platform.node(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
    }


def _holder(library: Path) -> str:
    """A description of the lock's holder."""
    try:
        return describe_holder(json.loads((library / HOLDER_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return describe_holder(None)  # it has just begun, or is just ending
