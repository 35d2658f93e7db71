"""Files of an object store, downloaded to be decoded: for one task, or cached."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from soundalike.config import TemporaryFolder, cache_folder, replacing
from soundalike.errors import AudioError, SoundalikeError
from soundalike.library.storage.location import Location, Remote

MAX_BYTES = 4 << 30
"""A larger object is not downloaded: no audio file to compare is that large."""

CACHE_BYTES = 2 << 30
"""Size of the cache; the least recently used files are deleted first."""


@contextmanager
def downloaded(place: Location) -> Iterator[Path]:
    """A file as a path: its own, or that of a copy that is deleted at the end. Errors name the place, not the copy.

    Raises AudioError if an object is gone or too large, LibraryError if the store cannot be reached.
    """
    if isinstance(place, Path):
        yield place
        return
    with TemporaryFolder() as folder:
        path = folder / _file_name(place)
        _download(place, path)
        try:
            yield path
        except SoundalikeError as error:
            raise type(error)(str(error).replace(str(path), str(place))) from error


def cached_copy(place: Location) -> Path:
    """A file as a path that stays: its own, or that of a copy in this machine's cache.

    Raises AudioError and LibraryError as `downloaded` does.
    """
    if isinstance(place, Path):
        return place
    try:
        facts = place.stat()
    except FileNotFoundError:
        raise AudioError(f"{place} no longer exists; run `soundalike index` to update the library") from None
    folder = cache_folder() / "audio"
    key = hashlib.blake2b(f"{place} {facts}".encode(), digest_size=8).hexdigest()
    path = folder / key / _file_name(place)
    if path.exists():
        with suppress(OSError):
            os.utime(path.parent)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        _download(place, temporary)
    _make_room(folder, keep=path.parent)
    return path


def _file_name(place: Remote) -> str:
    """The name of a copy, which keeps the suffix by which decoders choose."""
    return "audio" + place.suffix


def _download(place: Remote, path: Path) -> None:
    taken = 0
    try:
        with path.open("wb") as file:
            for block in place.blocks():
                taken += len(block)
                if taken > MAX_BYTES:
                    raise AudioError(
                        f"{place}: larger than {MAX_BYTES >> 30} GiB, which is too large for an audio file"
                    )
                file.write(block)
    except FileNotFoundError:
        raise AudioError(f"{place}: no longer exists") from None


def _make_room(cache: Path, keep: Path) -> None:
    """Delete the least recently used copies until the others take no more than `CACHE_BYTES`."""
    folders = []
    for folder in cache.iterdir():
        with suppress(OSError):  # another process may be making room too
            size = sum(file.stat().st_size for file in folder.iterdir())
            folders.append((folder.stat().st_mtime, size, folder))
    total = sum(size for _, size, _ in folders)
    for _, size, folder in sorted(folders):
        if total <= CACHE_BYTES:
            return
        if folder != keep:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
