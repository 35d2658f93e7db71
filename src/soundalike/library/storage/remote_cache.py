"""Files of an object store, brought to this machine to be decoded: for one task, or kept for a while."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from soundalike.errors import AudioError, SoundalikeError
from soundalike.library.storage.location import Location, Remote

MOST_BYTES = 4 << 30
"""A larger object is no audio file that one would want compared."""

KEPT_BYTES = 2 << 30
"""Copies that are kept may take so much; those not used for longest go first."""


@contextmanager
def brought_here(place: Location) -> Iterator[Path]:
    """A file as a path: its own, or that of a copy which is deleted at the end. Errors name the place, not the copy.

    Raises AudioError where an object is gone or too large, LibraryError where the store is out of reach.
    """
    if isinstance(place, Path):
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="soundalike-") as folder:
        path = Path(folder) / _file_name(place)
        _fetch(place, path)
        try:
            yield path
        except SoundalikeError as error:
            raise type(error)(str(error).replace(str(path), str(place))) from error


def kept_copy(place: Location) -> Path:
    """A file as a path that stays for a while: its own, or that of a copy in this machine's cache.

    Raises AudioError and LibraryError as `brought_here` does.
    """
    if isinstance(place, Path):
        return place
    import platformdirs

    try:
        facts = place.stat()
    except FileNotFoundError:
        raise AudioError(f"{place} is not there now; `soundalike index` looks at its folder again") from None
    store = Path(platformdirs.user_cache_dir("soundalike", appauthor=False)) / "audio"
    key = hashlib.blake2b(f"{place} {facts}".encode(), digest_size=8).hexdigest()
    path = store / key / _file_name(place)
    if path.exists():
        with suppress(OSError):
            os.utime(path.parent)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{os.getpid()}.part")
    try:
        _fetch(place, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _make_room(store, keep=path.parent)
    return path


def _file_name(place: Remote) -> str:
    """The name of a copy, which keeps the suffix by which decoders choose."""
    return "audio" + place.suffix


def _fetch(place: Remote, path: Path) -> None:
    taken = 0
    try:
        with path.open("wb") as file:
            for block in place.blocks():
                taken += len(block)
                if taken > MOST_BYTES:
                    raise AudioError(f"{place}: larger than {MOST_BYTES >> 30} GiB, so no audio file to compare")
                file.write(block)
    except FileNotFoundError:
        raise AudioError(f"{place}: is not there any more") from None


def _make_room(store: Path, keep: Path) -> None:
    """Delete the copies that were not used for longest until the others take no more than `KEPT_BYTES`."""
    folders = []
    for folder in store.iterdir():
        with suppress(OSError):  # another process may be making room too
            size = sum(file.stat().st_size for file in folder.iterdir())
            folders.append((folder.stat().st_mtime, size, folder))
    total = sum(size for _, size, _ in folders)
    for _, size, folder in sorted(folders):
        if total <= KEPT_BYTES:
            return
        if folder != keep:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
