"""The library that a server serves: its present snapshot, and the workers with its models."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from soundalike.config import Runtime
from soundalike.errors import SoundalikeError
from soundalike.library.storage.location import Location
from soundalike.search.finder import Finder
from soundalike.web.services.library_snapshot import LibrarySnapshot
from soundalike.web.services.media_tasks import Task
from soundalike.web.services.media_workers import MediaWorkers

if TYPE_CHECKING:
    from soundalike.jobs.ray import Machines

COSINE_CACHE_BYTES = 128 << 20
"""At 100,000 windows of 4 parts: the cosines of 80 references."""

REFRESH_SECONDS = 2.0
"""The library on disk is checked for changes at most this often."""


class ServedLibrary:
    """An open library that follows its changes on disk. Thread-safe.

    Its state is one object that is replaced as a whole: a request takes `snapshot` once and keeps to it.
    """

    def __init__(self, location: Location, runtime: Runtime, cluster: Machines | None = None) -> None:
        """cluster: a Ray cluster that searches instead of this process. Raises LibraryError if there is no library."""
        self.location = location
        self._runtime = runtime
        finder = Finder.open(location, device=runtime.device, cosine_cache_bytes=COSINE_CACHE_BYTES, cluster=cluster)
        self._snapshot = LibrarySnapshot.of(finder)
        self._workers = MediaWorkers(finder.library.recipe, runtime)
        self._refreshing = threading.Lock()
        self._refreshed = time.monotonic()
        self._preload = False

    @property
    def snapshot(self) -> LibrarySnapshot:
        """The library as it is served now."""
        return self._snapshot

    @property
    def workers(self) -> MediaWorkers:
        """Workers with the library's present models."""
        return self._workers

    def preload(self) -> None:
        """Start the workers and load their models now, and again when the library's models change; returns at once."""
        self._preload = True
        self._workers.preload()

    def close(self) -> None:
        """End the workers."""
        self._workers.close()

    def refresh(self) -> LibrarySnapshot:
        """The library's present snapshot, after a check for changes on disk: at most every `REFRESH_SECONDS`, and by one
        thread at a time.

        Raises LibraryError if the library cannot be read any more.
        """
        if time.monotonic() - self._refreshed < REFRESH_SECONDS or not self._refreshing.acquire(blocking=False):
            return self._snapshot
        try:
            return self._check()
        finally:
            self._refreshing.release()

    def refresh_now(self) -> LibrarySnapshot:
        """The snapshot of what is on disk now, however recently that was checked: for who knows that it has changed.

        Raises LibraryError if the library cannot be read any more.
        """
        with self._refreshing:  # a check that runs already may have begun before the change
            return self._check()

    def _check(self) -> LibrarySnapshot:
        """Replace the snapshot if the library on disk differs. By one thread at a time."""
        try:
            before = self._snapshot
            finder = before.finder.refreshed()
            if finder is not before.finder:
                snapshot = LibrarySnapshot.of(finder)
                len(snapshot)  # reads its items now rather than in the next request
                if finder.library.recipe != before.library.recipe:
                    self._replace_workers(finder)
                self._snapshot = snapshot
        finally:
            self._refreshed = time.monotonic()
        return self._snapshot

    def _replace_workers(self, finder: Finder) -> None:
        former, self._workers = self._workers, MediaWorkers(finder.library.recipe, self._runtime)
        former.close()
        if self._preload:
            self._workers.preload()

    def run_task(self, task: Task, name: str) -> Any:
        """The result of a worker's task. Its errors call the file `name`, never by its path on the server."""
        try:
            return self._workers.run(task)
        except SoundalikeError as error:
            raise type(error)(str(error).replace(str(task.path), name).replace(task.path.name, name)) from None
