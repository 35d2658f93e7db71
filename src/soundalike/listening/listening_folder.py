"""The folder `listening` of a library and its lock.

For a library on object storage the folder is on this machine: object stores have no short locks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from soundalike.config import data_folder
from soundalike.errors import LibraryError
from soundalike.library.storage.location import Location

FOLDER = "listening"
WAIT = 5.0
"""Seconds to wait for another server that is writing; each holds the lock for milliseconds."""


def folder_of(library: Location) -> Path:
    """Folder of the answers and favourites of `library`."""
    if isinstance(library, Path):
        return library / FOLDER
    key = hashlib.blake2b(str(library).encode(), digest_size=8).hexdigest()
    return data_folder("set HOME to a folder for answers and favourites") / FOLDER / f"{library.name}-{key}"


@contextmanager
def locked_folder(library: Location) -> Iterator[Path]:
    """Hold the lock of the folder, created if missing.

    Raises LibraryError if the library is read-only, or if another process holds the lock too long.
    """
    folder = folder_of(library)
    try:
        folder.mkdir(exist_ok=True, parents=not isinstance(library, Path))
        lock = FileLock(
            folder / "lock", timeout=WAIT, fallback_to_soft=False, preserve_lock_file=True, thread_local=False
        )
        lock.acquire()
    except Timeout:
        raise LibraryError(
            f"another process has been writing favourites and answers of {library.name} for {WAIT:.0f} s; try again"
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(
            f"favourites and answers of {library.name} cannot be written ({reason}); check free space and write "
            "permission of its folder"
        ) from None
    try:
        yield folder
    finally:
        lock.release()
