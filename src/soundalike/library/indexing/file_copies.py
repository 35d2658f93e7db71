"""Copies of files in memory, made while they are read for their digests, so that their analysis does not read them again.

A file on a network share is then transferred once. A copy is an anonymous file (`memfd_create`, on Linux) that workers open
through a link of the same name; elsewhere, and beyond `MAX_BYTES`, files are read again.
"""

from __future__ import annotations

import os
import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

from soundalike.config import TemporaryFolder
from soundalike.errors import SoundalikeError
from soundalike.jobs.worker_pool import TaskPool
from soundalike.library.indexing.content_digest import content_digest
from soundalike.library.storage.location import Location

MAX_BYTES = 512 << 20
"""Of all copies together."""

MOST_WAITING = 16
"""Copies that wait for a decision whether their file is to be analysed; as many files are read ahead at most."""

OUT_OF_ORDER = 4
"""Threads that read ahead may begin so many files in another order than that in which they are decided about."""


@dataclass(eq=False)
class _Copy:
    """An anonymous file of `size` bytes; complete: all of the file is in it; in_use: by a worker."""

    descriptor: int
    size: int
    written: int = 0
    in_use: bool = False

    @property
    def complete(self) -> bool:
        return self.written == self.size

    def write(self, block: bytes | memoryview) -> None:
        """Add a block; one beyond the size makes the copy incomplete for good."""
        self.written += len(block)
        if self.written <= self.size:
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]


@dataclass
class FileCopies:
    """The copies of one run. Safe to use from several threads."""

    max_bytes: int = MAX_BYTES
    _copies: dict[str, _Copy] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def digest(self, place: Location) -> str:
        """The digest of a file, which is copied if there is room for it. Raises OSError."""
        copy = self._begin(str(place), place.stat().st_size)
        if copy is None:
            return content_digest(place)
        try:
            return content_digest(place, on_block=copy.write)
        except BaseException:
            self.drop(str(place))
            raise

    def take(self, name: str) -> int | None:
        """The descriptor of the complete copy of a file, to be dropped after use; None if there is none. Copies made well
        before it that are not in use are dropped: it was decided that their files need no analysis."""
        with self._lock:
            if name not in self._copies:
                return None
            before = list(self._copies).index(name)
            for other in list(self._copies)[: max(0, before - OUT_OF_ORDER)]:
                self._drop_unused(other)
            copy = self._copies[name]
            if not copy.complete:
                self._drop_unused(name)
                return None
            copy.in_use = True
            return copy.descriptor

    def drop(self, name: str) -> None:
        """Give back the memory of a copy."""
        with self._lock:
            copy = self._copies.pop(name, None)
        if copy is not None:
            os.close(copy.descriptor)

    def close(self) -> None:
        """Drop all copies."""
        for name in list(self._copies):
            self.drop(name)

    def _begin(self, name: str, size: int) -> _Copy | None:
        if not hasattr(os, "memfd_create"):
            return None
        with self._lock:
            waiting = [other for other, copy in self._copies.items() if not copy.in_use]
            for other in waiting[: max(0, len(waiting) + 1 - MOST_WAITING)]:
                self._drop_unused(other)
            used = sum(copy.size for copy in self._copies.values())
            if used + size > self.max_bytes or name in self._copies:
                return None
            copy = _Copy(os.memfd_create("soundalike", os.MFD_CLOEXEC), size)
            self._copies[name] = copy
            return copy

    def _drop_unused(self, name: str) -> None:
        if not self._copies[name].in_use:
            os.close(self._copies.pop(name).descriptor)


class CopyingPool:
    """A `TaskPool` that gives the workers of `inner` the copies of files in place of the files."""

    def __init__(self, inner: TaskPool, copies: FileCopies) -> None:
        self._inner = inner
        self._copies = copies
        self._folder = TemporaryFolder(in_memory=True)
        self._count = 0
        self._free: queue.SimpleQueue[Path] = queue.SimpleQueue()  # folders without a link in them

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._inner.__exit__(*exception)
        finally:
            self._clean_up()

    @property
    def capacity(self) -> int:
        """See `TaskPool`."""
        return self._inner.capacity

    def submit(self, task: Any, seconds: float) -> Future[Any]:
        """See `TaskPool`; task: `analysis_tasks.Task`."""
        name, kind = task
        descriptor = self._copies.take(name)
        if descriptor is None:
            return self._inner.submit(task, seconds)
        link = self._empty_folder() / Path(name).name
        link.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")
        outcome: Future[Any] = Future()
        done = self._inner.submit((str(link), kind), seconds)
        done.add_done_callback(partial(self._finish, outcome, link, name))
        return outcome

    def close(self) -> None:
        """See `TaskPool`."""
        self._inner.close()
        self._clean_up()

    def _empty_folder(self) -> Path:
        """A folder for one link; they are used again, because to make one takes longer than to make a link."""
        try:
            return self._free.get_nowait()
        except queue.Empty:
            self._count += 1
            folder = self._folder.path / str(self._count)
            folder.mkdir()
            return folder

    def _finish(self, outcome: Future[Any], link: Path, name: str, done: Future[Any]) -> None:
        """Pass on an outcome, with the name of the file in place of that of the copy."""
        self._copies.drop(name)
        with suppress(OSError):
            link.unlink(missing_ok=True)
            self._free.put(link.parent)
        if done.cancelled():
            outcome.cancel()
            return
        error = done.exception()
        if error is None:
            outcome.set_result(done.result())
        elif isinstance(error, SoundalikeError) and str(link) in str(error):
            outcome.set_exception(type(error)(str(error).replace(str(link), name)))
        else:
            outcome.set_exception(error)

    def _clean_up(self) -> None:
        self._copies.close()
        self._folder.close()
