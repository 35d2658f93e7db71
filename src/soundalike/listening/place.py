"""The folder `listening` of a library, and who may write there: one at a time, for moments only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from soundalike.errors import LibraryError

FOLDER = "listening"
WAIT = 5.0
"""Seconds to wait for another server that writes; each holds the lock for milliseconds."""


def folder_of(library: Path) -> Path:
    """Where what people say of `library` is kept."""
    return library / FOLDER


@contextmanager
def writing(library: Path) -> Iterator[Path]:
    """Hold the lock of the folder, which is made if need be and given.

    Raises LibraryError where the library may only be read, and where another holds it too long.
    """
    folder = folder_of(library)
    try:
        folder.mkdir(exist_ok=True)
        lock = FileLock(
            folder / "lock", timeout=WAIT, fallback_to_soft=False, preserve_lock_file=True, thread_local=False
        )
        lock.acquire()
    except Timeout:
        raise LibraryError(
            f"another process has been writing favourites and answers of {library.name} for {WAIT:.0f} s; try again"
        ) from None
    except (OSError, NotImplementedError) as error:
        words = getattr(error, "strerror", None) or error
        raise LibraryError(
            f"favourites and answers of {library.name} cannot be written ({words}); see to free space and the right to write "
            "in its folder"
        ) from None
    try:
        yield folder
    finally:
        lock.release()
