"""A pool of worker processes: submit a task, get a future. A crash costs its task and nothing else.

Each worker has its own pipes, so its end, whatever the cause, identifies exactly which task it was doing and blocks nobody
else (a pool with one shared queue has a lock that a killed worker may hold forever). Workers are started fresh rather
than forked, because the parent has threads and locks. They end with the parent, whose end closes their pipes.

Tasks go to the workers pickled. What they send back is not, because they decode files of any origin (`answer_format`); one that
sends something else is ended.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Collection
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

from soundalike.errors import LibraryError, SoundalikeError
from soundalike.jobs.answer_format import MAX_BYTES, FormatError, decode
from soundalike.jobs.failure import Failure
from soundalike.jobs.worker_process import THREAD_VARIABLES, Setup, receive, send

TASKS_PER_WORKER = 2
"""Tasks that a worker holds: the current one and the next, so that it does not wait while the parent is busy."""

MAX_FAILED_STARTS = 3
"""After so many workers in a row that end before they are ready, the tasks are given up."""


@dataclass(frozen=True)
class WorkerLimits:
    """start_seconds: a worker that is not ready by then is ended; max_tasks, max_bytes: a worker that has done so many tasks
    or uses so much memory is replaced, because codecs leak."""

    start_seconds: float = 180.0
    max_tasks: int = 2_000
    max_bytes: int = 3 << 30

    def times(self, factor: int) -> WorkerLimits:
        """So many times the memory, and the time to start."""
        return replace(self, start_seconds=self.start_seconds * factor, max_bytes=self.max_bytes * factor)


class WorkerLostError(SoundalikeError):
    """The worker ended while it did the task; the message states how: `crashed (SIGSEGV)`, `did not end within 600 s`."""


class WorkerStartError(LibraryError):
    """Workers do not start, or do not load what their tasks need; `error` is what loading raised, if it did."""

    def __init__(self, message: str, error: Exception | None = None) -> None:
        super().__init__(message)
        self.error = error


class PoolClosedError(SoundalikeError):
    """The pool was closed before the task was done."""


class TaskPool(Protocol):
    """Workers that do tasks, here or on other machines. A context manager; leaving it ends them at once."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

    @property
    def capacity(self) -> int:
        """Tasks that keep all workers busy; more only wait in the pool."""
        ...

    def submit(self, task: Any, seconds: float) -> Future[Any]:
        """The outcome of a task, which may take `seconds` once a worker begins it.

        The future raises what the task raised, WorkerLostError, WorkerStartError or PoolClosedError. It can be
        cancelled until a worker has the task.
        """
        ...

    def close(self) -> None:
        """End the workers at once, in the middle of their tasks too."""
        ...


def start(future: Future[Any]) -> bool:
    """Mark a task's future as running, if it is not yet; False where it was cancelled."""
    return future.running() or future.set_running_or_notify_cancel()


def resolve(future: Future[Any], outcome: Any, error: Exception | None) -> None:
    """Give a task's future its outcome (`Failure`: the exception in it), or `error`."""
    if not start(future):
        return
    if isinstance(outcome, Failure):
        error = outcome.exception()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(outcome)


@dataclass(eq=False)
class _Task:
    argument: Any
    seconds: float
    future: Future[Any] = field(default_factory=Future)
    warms_up: bool = False


@dataclass(eq=False)
class _Worker:
    """since: when it began what it is doing now; fault: why it was ended, if not for its time; output: the last lines that it and
    its codecs printed."""

    process: subprocess.Popen[bytes]
    tasks: deque[_Task] = field(default_factory=deque)
    ready: bool = False
    done: int = 0
    since: float = field(default_factory=time.monotonic)
    retiring: bool = False
    overdue: bool = False
    fault: str = ""
    output: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    output_reader: threading.Thread | None = None

    @property
    def load(self) -> int:
        """Tasks whose outcome is awaited."""
        return sum(not task.warms_up for task in self.tasks)


class WorkerPool:
    """A fixed number of worker processes, started when they are needed. Thread-safe; see `TaskPool`.

    answers: data classes that outcomes may contain; threads: how many each worker may use; tasks_per_worker: how many a worker
    holds (1: none waits behind another while a second worker is free).
    """

    def __init__(
        self,
        setup: Setup,
        processes: int,
        *,
        answers: Collection[type] = (),
        threads: int = 1,
        tasks_per_worker: int = TASKS_PER_WORKER,
        limits: WorkerLimits = WorkerLimits(),
    ) -> None:
        self._setup = pickle.dumps(setup)
        self._answers = answers
        self._processes, self._threads = max(1, processes), threads
        self._tasks_per_worker, self._limits = tasks_per_worker, limits
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._waiting: deque[_Task] = deque()
        self._outcomes: list[tuple[_Task, Any, Exception | None]] = []
        self._messages: queue.SimpleQueue[tuple[_Worker | None, Any]] = queue.SimpleQueue()
        self._dispatcher: threading.Thread | None = None
        self._failed_starts = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def capacity(self) -> int:
        """See `TaskPool`."""
        return self._processes * self._tasks_per_worker

    @property
    def pending(self) -> int:
        """Tasks submitted and not done."""
        with self._lock:
            return sum(worker.load for worker in self._workers) + len(self._waiting)

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        with self._lock:
            return [worker.process.pid for worker in self._workers]

    def submit(self, task: Any, seconds: float) -> Future[Any]:
        """See `TaskPool`."""
        added = _Task(task, seconds)
        with self._lock:
            self._begin()
            self._waiting.append(added)
            self._assign()
        self._messages.put((None, None))  # the dispatcher counts the new task's time
        return added.future

    def warm_up(self, task: Any, seconds: float) -> None:
        """Start all workers and have each that is idle do `task`, whose outcome is ignored; returns at once.

        A task that is submitted before that is over is done by the same worker afterwards. Raises WorkerStartError where no
        process can be started.
        """
        with self._lock:
            self._begin()
            while len(self._workers) < self._processes:
                self._start()
            for worker in self._workers:
                if not worker.tasks:
                    self._give(worker, _Task(task, seconds, warms_up=True))
        self._messages.put((None, None))

    def close(self) -> None:
        """See `TaskPool`."""
        with self._lock:
            self._closed = True
            self._abandon(PoolClosedError("the workers have been ended"))
        self._messages.put((None, None))
        if self._dispatcher is not None and self._dispatcher is not threading.current_thread():
            self._dispatcher.join()
        self._resolve_futures()

    def _begin(self) -> None:
        if self._closed:
            raise PoolClosedError("the workers have been ended")
        if self._dispatcher is None:
            self._dispatcher = threading.Thread(target=self._dispatch, name="worker-pool", daemon=True)
            self._dispatcher.start()

    def _dispatch(self) -> None:
        """The pool's thread: react to what workers send, end those that are overdue, hand out tasks that wait."""
        while True:
            with self._lock:
                timeout = self._seconds_to_next_limit()
            try:
                worker, message = self._messages.get(timeout=timeout)
            except queue.Empty:
                worker, message = None, None
            with self._lock:
                if self._closed:
                    return
                if worker is not None and worker in self._workers:
                    self._take(worker, message)
                self._end_overdue()
                self._assign()
            self._resolve_futures()

    def _resolve_futures(self) -> None:
        """Called without the lock, since code that waits for a future may use the pool at once."""
        with self._lock:
            outcomes, self._outcomes = self._outcomes, []
        for task, outcome, error in outcomes:
            resolve(task.future, outcome, error)

    def _assign(self) -> None:
        """Hand out what waits, as far as workers have room."""
        while self._waiting:
            worker = self._free_worker()
            if worker is None:
                return
            task = self._waiting.popleft()
            if start(task.future):
                self._give(worker, task)

    def _free_worker(self) -> _Worker | None:
        """The worker that is to have the next task; None where none has room."""
        serving = [worker for worker in self._workers if not worker.retiring]
        free = min(serving, key=lambda worker: worker.load, default=None)
        if free is None or (free.load and len(self._workers) < self._processes):
            try:
                return self._start()
            except WorkerStartError as error:
                if free is None:
                    self._abandon(error)
                    return None
        return free if free is not None and free.load < self._tasks_per_worker else None

    def _give(self, worker: _Worker, task: _Task) -> None:
        worker.tasks.append(task)
        if len(worker.tasks) == 1 and worker.ready:
            worker.since = time.monotonic()
        send(worker.process.stdin, pickle.dumps(task.argument, pickle.HIGHEST_PROTOCOL))

    def _start(self) -> _Worker:
        # -P and PYTHONPATH: the worker imports what this process would, whatever folder it was started in. Its own
        # session: a Ctrl-C at the terminal is for the parent, which ends its workers itself.
        command = [sys.executable, "-P", "-c", "from soundalike.jobs.worker_process import serve; serve()"]
        environment = {
            **os.environ,
            **dict.fromkeys(THREAD_VARIABLES, str(self._threads)),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=os.name == "posix",
            )
        except OSError as error:
            raise WorkerStartError(f"no worker process can be started ({error}); try fewer --jobs") from error
        worker = _Worker(process)
        self._workers.append(worker)
        threading.Thread(target=self._read_answers, args=(worker,), daemon=True).start()
        worker.output_reader = threading.Thread(target=_read_output, args=(worker,), daemon=True)
        worker.output_reader.start()
        send(process.stdin, self._setup)
        return worker

    def _read_answers(self, worker: _Worker) -> None:
        """Pass on what a worker sends, and at last its end (None)."""
        answers = worker.process.stdout
        assert answers is not None
        try:
            while True:
                self._messages.put((worker, decode(receive(answers, MAX_BYTES), self._answers)))
        except EOFError:
            pass
        except (FormatError, ValueError, MemoryError) as error:
            worker.fault = f"sent what is not an answer ({error})"
            worker.process.kill()
        answers.close()
        self._messages.put((worker, None))

    def _take(self, worker: _Worker, message: Any) -> None:
        """React to a worker's end (None), to the news that it is ready or failed to be, or to an outcome."""
        if message is None:
            self._remove_ended(worker)
        elif not worker.ready:
            if message != "ready" and not isinstance(message, Failure):
                self._end(worker)
                return
            worker.ready, worker.since, self._failed_starts = True, time.monotonic(), 0
            if isinstance(message, Failure):
                error = message.exception()
                self._abandon(WorkerStartError(str(error), error))
        elif not _is_answer(message) or not worker.tasks:
            self._end(worker)
        else:
            outcome, size = message
            self._outcomes.append((worker.tasks.popleft(), outcome, None))
            if worker.overdue:  # the answer came just before the worker was ended: the next task is not to blame
                self._waiting.extendleft(reversed(worker.tasks))
                worker.tasks.clear()
            worker.done += 1
            worker.since = time.monotonic()
            worker.retiring = worker.done >= self._limits.max_tasks or size > self._limits.max_bytes
            if worker.retiring and not worker.tasks:
                self._workers.remove(worker)
                worker.process.kill()
                _wait_for_end(worker.process)

    def _end(self, worker: _Worker) -> None:
        """End a worker that does not keep to the protocol; its end arrives as a message."""
        worker.fault = worker.fault or "sent what is not an answer"
        worker.process.kill()

    def _remove_ended(self, worker: _Worker) -> None:
        """A worker has ended: its current task is lost, the next one goes to another worker."""
        code = _wait_for_end(worker.process)
        self._workers.remove(worker)
        if worker.tasks and worker.ready:
            task = worker.tasks.popleft()
            reason = worker.fault or (
                f"did not end within {task.seconds:.3g} s" if worker.overdue else _end_message(code)
            )
            self._outcomes.append((task, None, WorkerLostError(reason)))
        elif not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                if worker.output_reader is not None:
                    worker.output_reader.join(1.0)  # its last lines may still be on their way
                last_line = worker.output[-1] if worker.output else "it printed nothing"
                self._waiting.extendleft(reversed(worker.tasks))
                self._abandon(
                    WorkerStartError(f"the worker processes do not start: each {_end_message(code)}; {last_line}")
                )
                return
        self._waiting.extendleft(reversed(worker.tasks))

    def _abandon(self, error: SoundalikeError) -> None:
        """End all workers and give up all tasks."""
        tasks = [*(task for worker in self._workers for task in worker.tasks), *self._waiting]
        self._outcomes += [(task, None, error) for task in tasks]
        self._waiting.clear()
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            _wait_for_end(worker.process)
        self._workers.clear()

    def _limit(self, worker: _Worker) -> float | None:
        """When a worker is overdue; None while it has nothing to do."""
        if worker.overdue or (worker.ready and not worker.tasks):
            return None
        return worker.since + (worker.tasks[0].seconds if worker.ready else self._limits.start_seconds)

    def _seconds_to_next_limit(self) -> float | None:
        limits = [limit for worker in self._workers if (limit := self._limit(worker)) is not None]
        return max(0.0, min(limits) - time.monotonic()) + 0.01 if limits else None

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            limit = self._limit(worker)
            if limit is not None and now > limit:
                worker.overdue = True
                worker.process.kill()  # its end arrives as a message


def _is_answer(message: Any) -> bool:
    return isinstance(message, tuple) and len(message) == 2 and isinstance(message[1], int)


def _wait_for_end(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process and close the pipe to it; its exit code."""
    code = process.wait()
    with suppress(OSError):  # a task that it never took may still lie in the buffer
        assert process.stdin is not None
        process.stdin.close()
    return code


def _end_message(code: int) -> str:
    if code >= 0:
        return f"ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
    return f"crashed ({name}{hint})"


def _read_output(worker: _Worker) -> None:
    """Keep the last lines of what a worker and its codecs print, in case it does not start."""
    assert worker.process.stderr is not None
    with worker.process.stderr as output:
        for line in output:
            text = line.decode("utf-8", "replace").strip()
            if text:
                worker.output.append(text[:300])
