"""Worker processes that decode and analyse files for the server; one may crash on a file without ending the server.

Light tasks (summaries, WAV files) have a worker of their own, so that they never wait for a query. Each task has a time limit
that depends on its file's size, and if no worker is free for too long, the request fails with BusyError.

`preload` starts the workers and loads their models before the first task.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING, Any

from soundalike.analysis.recipe import is_heavy
from soundalike.audio.file_part import part_of_address
from soundalike.errors import AudioError, SoundalikeError
from soundalike.jobs.worker_pool import (
    PoolClosedError,
    WorkerLimits,
    WorkerLostError,
    WorkerPool,
    WorkerStartError,
)
from soundalike.search.query import QUERY_TYPES
from soundalike.web.services.media_tasks import Summarise, Task, WarmUp, WriteWav, make_worker

if TYPE_CHECKING:
    from soundalike.analysis.recipe import Recipe
    from soundalike.config import Runtime

TASK_SECONDS = 30.0
BYTES_PER_SECOND = 1_000_000
"""A task may take `TASK_SECONDS`, and another second for every so many bytes of its file."""

NEURAL_FACTOR = 10.0
"""How much more time tasks with neural models may take."""

WAIT = 60.0
"""Seconds that a task may wait for a free worker."""

MAX_WAITING = 24
"""Tasks that may wait for a worker; each holds a thread of the server, which has 40."""

LIGHT_BYTES, HEAVY_BYTES = 2 << 30, 6 << 30
"""Memory that a worker may take, where the system can limit it; with neural models there is no limit."""

log = logging.getLogger("soundalike.web")


class BusyError(SoundalikeError):
    """The server has too much to do; trying again later may succeed."""


class MediaWorkers:
    """Workers with the library's models, which are loaded for the first query, or before by `preload`."""

    def __init__(self, recipe: Recipe, runtime: Runtime) -> None:
        """Starts nothing: a worker starts with its first task."""
        self._heavy = is_heavy(recipe)
        count = 1 if self._heavy else 2  # the built-in models are small and load quickly
        threads = runtime.cores if self._heavy else max(1, runtime.cores // count)
        make = partial(make_worker, recipe, runtime, None if self._heavy else HEAVY_BYTES)
        self._query_pool = BoundedPool(
            WorkerPool(make, count, answers=QUERY_TYPES, threads=threads, tasks_per_worker=1)
        )
        make_light = partial(make_worker, recipe, runtime, LIGHT_BYTES)
        self._light_pool = BoundedPool(WorkerPool(make_light, 1, tasks_per_worker=1))

    def run(self, task: Task) -> Any:
        """The result of a task. Raises what it raised, AudioError if its file crashed the worker or took too long, BusyError if
        no worker is free in time."""
        try:
            size = part_of_address(task.path).file.stat().st_size
        except OSError as error:
            raise AudioError(f"{task.path.name} cannot be read ({error.strerror})") from None
        light = isinstance(task, Summarise | WriteWav)
        seconds = (TASK_SECONDS + size / BYTES_PER_SECOND) * (NEURAL_FACTOR if self._heavy and not light else 1)
        try:
            future = (self._light_pool if light else self._query_pool).run(task, seconds)
        except PoolClosedError:
            raise BusyError("the server is shutting down") from None
        failure = future.exception()
        if failure is None:
            return future.result()
        raise _error_of(task, failure)

    def preload(self) -> None:
        """Start all free workers and have them load what they will need; returns at once.

        If that fails (because model weights are missing, for example), the tasks that need them get the error.
        """
        seconds = WorkerLimits.start_seconds * (NEURAL_FACTOR if self._heavy else 1)
        self._query_pool.warm_up(WarmUp(queries=True), seconds)
        self._light_pool.warm_up(WarmUp(queries=False), seconds)

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [*self._query_pool.pids(), *self._light_pool.pids()]

    def close(self) -> None:
        """End the workers and what they are doing."""
        self._query_pool.close()
        self._light_pool.close()


def _error_of(task: Task, failure: BaseException) -> SoundalikeError:
    """The error that explains to the user why a task failed."""
    name = task.path.name
    if isinstance(failure, PoolClosedError):
        return BusyError("the server is shutting down")
    if isinstance(failure, WorkerLostError):
        return AudioError(f"{name}: the process that reads it {failure}; the file cannot be used")
    if isinstance(failure, SoundalikeError):
        return failure
    if isinstance(failure, MemoryError):
        return AudioError(f"{name}: needs more memory than a single file may take; use an excerpt")
    log.error("%s", type(task).__name__, exc_info=failure)
    return AudioError(f"{name}: cannot be used (unexpected {type(failure).__name__})")


class BoundedPool:
    """A pool for whose workers a bounded number of tasks wait, each for a bounded time."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._slots = threading.BoundedSemaphore(MAX_WAITING + pool.capacity)

    def run(self, task: Any, seconds: float) -> Future[Any]:
        """The future of a task, once it is done. Raises BusyError if no worker is free in time."""
        if not self._slots.acquire(blocking=False):
            raise BusyError("too many files are waiting to be read; try again in a moment")
        try:
            future = self._pool.submit(task, seconds)
            wait([future], WAIT)
            if future.cancel():  # no worker has begun it
                raise BusyError(f"the server was busy with other files for {WAIT:.0f} s; try again in a moment")
            wait([future])
            return future
        finally:
            self._slots.release()

    def warm_up(self, task: Any, seconds: float) -> None:
        """Start the workers and give each idle one a task whose result is ignored."""
        try:
            self._pool.warm_up(task, seconds)
        except WorkerStartError as error:
            log.warning("%s", error)

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return self._pool.pids()

    def close(self) -> None:
        """End the workers and what they are doing."""
        self._pool.close()
