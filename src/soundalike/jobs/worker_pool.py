"""Worker processes: each runs tasks one after the other, and may die of one without taking anything else along.

Every worker has pipes of its own, so its end, whatever the cause, says exactly which task it was at, and leaves
nothing half-sent in anybody else's way (a pool with one shared queue has a lock that a killed worker may hold for
ever). It is started afresh rather than forked, because the parent has threads and a lock; it ends by itself when the
parent does, since the parent's end closes its pipe.
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
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from soundalike.errors import LibraryError

_HEADER = 8
_PER_WORKER = 2
"""Tasks that a worker holds: the one it is at, and the next, so that it need not wait while the parent writes."""

MAX_TASKS = 2_000
MAX_BYTES = 3 << 30
"""A worker that has done so many tasks, or has grown so large, is replaced: codecs leak."""

START_SECONDS = 180.0
"""A worker that has not come up by then will not."""

_FEWEST_STARTS = 3
"""So many workers in a row that die before they are ready mean that none will ever be."""

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class Maker(Protocol):
    """Makes, inside the worker, the function that does its tasks. Must be picklable; imports what it needs when
    called."""

    def __call__(self) -> Callable[[Any], Any]: ...


class Team(Protocol):
    """Who does tasks: the workers of this module, or others elsewhere. Use as a context manager; leaving it ends them."""

    def __enter__(self) -> Team: ...
    def __exit__(self, *exception: object) -> None: ...

    @property
    def full(self) -> bool:
        """Whether all have as much to do as they may hold."""
        ...

    @property
    def pending(self) -> int:
        """Tasks given and not answered."""
        ...

    @property
    def current(self) -> list[Any]:
        """Keys of the tasks that are being done."""
        ...

    def submit(self, key: Any, argument: Any, seconds: float) -> None:
        """Give a task, which may take `seconds`."""
        ...

    def wait(self, seconds: float) -> list[Done]:
        """The outcomes there are, after waiting up to `seconds` for one; each task has one in the end."""
        ...

    def end(self) -> None:
        """End at once."""
        ...


@dataclass(frozen=True)
class Failure:
    """A task that raised: the exception (a stand-in where it cannot be sent) and the end of its traceback."""

    error: Exception
    trace: str


@dataclass(frozen=True)
class Lost:
    """A task that its worker did not survive, in words: `crashed (SIGSEGV)`, `did not end within 600 s`."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The outcome of a task: its key, and what it returned, or Failure, or Lost."""

    key: Any
    outcome: Any


@dataclass
class _Task:
    key: Any
    argument: Any
    seconds: float


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    tasks: deque[_Task] = field(default_factory=deque)
    ready: bool = False
    done: int = 0
    since: float = field(default_factory=time.monotonic)
    retiring: bool = False
    overdue: bool = False
    words: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    ear: threading.Thread | None = None


class Workers:
    """A fixed number of workers. Use as a context manager; leaving it ends them at once.

    threads: how many each may use; start_seconds: how long one may take to come up; max_tasks, max_bytes: a worker that
    has done so many tasks or takes so much memory is replaced.
    """

    def __init__(
        self,
        make: Maker,
        count: int,
        *,
        threads: int = 1,
        start_seconds: float = START_SECONDS,
        max_tasks: int = MAX_TASKS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._threads, self._start_seconds = threads, start_seconds
        self._make = pickle.dumps(make)
        self._count = max(1, count)
        self._max_tasks, self._max_bytes = max_tasks, max_bytes
        self._workers: list[_Worker] = []
        self._messages: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
        self._again: deque[_Task] = deque()
        self._outcomes: deque[Done] = deque()
        self._stillborn = 0

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    @property
    def full(self) -> bool:
        """Whether every worker has as much to do as it may hold."""
        return self.pending >= self._count * _PER_WORKER

    @property
    def pending(self) -> int:
        """Tasks given and not answered."""
        return sum(len(worker.tasks) for worker in self._workers) + len(self._again)

    @property
    def current(self) -> list[Any]:
        """Keys of the tasks that workers are at."""
        return [worker.tasks[0].key for worker in self._workers if worker.tasks]

    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, key: Any, argument: Any, seconds: float) -> None:
        """Give a task, which may take `seconds`."""
        self._place(_Task(key, argument, seconds))

    def wait(self, seconds: float) -> list[Done]:
        """The outcomes there are, after waiting up to `seconds` for one.

        Raises LibraryError where workers cannot be started, and what making the function raised.
        """
        block = not self._outcomes
        try:
            while True:
                worker, message = self._messages.get(timeout=seconds if block and seconds > 0 else 0)
                block = False
                self._receive(worker, message)
        except queue.Empty:
            pass
        self._enforce_limits()
        while self._again and self.pending - len(self._again) < self._count * _PER_WORKER:
            self._place(self._again.popleft())
        outcomes = list(self._outcomes)
        self._outcomes.clear()
        return outcomes

    def end(self) -> None:
        """End all workers at once, with what they were at."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            _close(worker.process)
        self._workers.clear()

    def _place(self, task: _Task) -> None:
        serving = [worker for worker in self._workers if not worker.retiring]
        free = min(serving, key=lambda worker: len(worker.tasks), default=None)
        if free is None or (free.tasks and len(self._workers) < self._count):
            free = self._start()
        free.tasks.append(task)
        if len(free.tasks) == 1:
            free.since = time.monotonic()
        _send(free.process.stdin, task.argument)

    def _start(self) -> _Worker:
        # -P and PYTHONPATH: the worker imports what this process would, whatever folder it was started in. Its own
        # session: a Ctrl-C at the terminal is for the parent, which ends its workers itself.
        command = [sys.executable, "-P", "-c", "from soundalike.jobs.worker_pool import serve; serve()"]
        environment = {
            **os.environ,
            **dict.fromkeys(THREADS, str(self._threads)),
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
            raise LibraryError(f"no worker process can be started ({error}); try fewer --jobs") from error
        worker = _Worker(process)
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        worker.ear = threading.Thread(target=_overhear, args=(worker,), daemon=True)
        worker.ear.start()
        _send(process.stdin, self._make)
        return worker

    def _listen(self, worker: _Worker) -> None:
        """Pass on what a worker sends, and at last its end (None)."""
        answers = worker.process.stdout
        assert answers is not None
        try:
            while True:
                self._messages.put((worker, _receive(answers)))
        except EOFError:
            pass
        except Exception:  # noqa: BLE001  the border between processes: whatever half an answer unpickles to
            worker.process.kill()
        answers.close()
        self._messages.put((worker, None))

    def _receive(self, worker: _Worker, message: Any) -> None:
        if worker not in self._workers:
            return
        if message is None:
            self._bury(worker)
        elif not worker.ready:
            worker.ready, worker.since, self._stillborn = True, time.monotonic(), 0
            if isinstance(message, Failure):
                raise message.error
        else:
            outcome, size = message
            self._outcomes.append(Done(worker.tasks.popleft().key, outcome))
            worker.done += 1
            worker.since = time.monotonic()
            worker.retiring = worker.done >= self._max_tasks or size > self._max_bytes
            if worker.retiring and not worker.tasks:
                self._dismiss(worker)

    def _dismiss(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.kill()
        _close(worker.process)

    def _bury(self, worker: _Worker) -> None:
        """A worker has ended: blame the task it was at, give what was to come to others."""
        code = _close(worker.process)
        self._workers.remove(worker)
        if worker.tasks and worker.ready:
            task = worker.tasks.popleft()
            reason = f"did not end within {task.seconds:.3g} s" if worker.overdue else _in_words(code)
            self._outcomes.append(Done(task.key, Lost(reason)))
        elif not worker.ready:
            self._stillborn += 1
            if self._stillborn >= _FEWEST_STARTS:
                if worker.ear is not None:
                    worker.ear.join(1.0)  # its last words may still be on their way
                said = worker.words[-1] if worker.words else "it said nothing"
                raise LibraryError(f"the worker processes do not start: each {_in_words(code)}; {said}")
        self._again.extend(worker.tasks)

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            limit = (worker.tasks[0].seconds if worker.tasks else None) if worker.ready else self._start_seconds
            if limit is not None and now - worker.since > limit and not worker.overdue:
                worker.overdue = True
                worker.process.kill()  # its end arrives as a message


def _close(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process and let go of the pipe to it; its exit code."""
    code = process.wait()
    with suppress(OSError):  # a task that it never took may still lie in the buffer
        assert process.stdin is not None
        process.stdin.close()
    return code


def _in_words(code: int) -> str:
    if code >= 0:
        return f"ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
    return f"crashed ({name}{hint})"


def _overhear(worker: _Worker) -> None:
    """Keep the last lines of what a worker and its codecs print, for the case that it does not start."""
    assert worker.process.stderr is not None
    with worker.process.stderr as words:
        for line in words:
            text = line.decode("utf-8", "replace").strip()
            if text:
                worker.words.append(text[:300])


def _send(pipe: IO[bytes] | None, value: Any) -> None:
    assert pipe is not None
    data = value if isinstance(value, bytes) else pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    with suppress(OSError):  # the other side is gone: whoever listens to it is told by the end of its answers
        pipe.write(len(data).to_bytes(_HEADER, "little") + data)
        pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    header = pipe.read(_HEADER)
    size = int.from_bytes(header, "little")
    data = pipe.read(size) if len(header) == _HEADER else b""
    if len(header) < _HEADER or len(data) < size:
        raise EOFError
    return pickle.loads(data)


def serve() -> None:
    """The life of a worker: make the function, then tasks in, outcomes out, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Codecs print to the standard output as they please; answers go through a private copy of it.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks = os.fdopen(os.dup(0), "rb")
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_watch, args=(tasks, inbox), daemon=True).start()
    try:
        work = inbox.get()()
    except Exception as error:  # noqa: BLE001  the border between processes: the parent raises it again
        _send(answers, failure_of(error))
        return
    _send(answers, "ready")
    while True:
        argument = inbox.get()
        try:
            outcome = work(argument)
        except Exception as error:  # noqa: BLE001  the border between processes: the parent judges it
            outcome = failure_of(error)
        _send(answers, (outcome, resident_bytes()))


def _watch(pipe: IO[bytes], inbox: queue.SimpleQueue[Any]) -> None:
    """Take in tasks while the worker works; end it in the middle of one when the parent is gone."""
    while True:
        try:
            inbox.put(_receive(pipe))
        except (EOFError, OSError):
            os._exit(0)
        except Exception as error:  # noqa: BLE001  whatever unpickling raises: nobody would wait for the rest
            print(f"a task cannot be read: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)


def failure_of(error: Exception) -> Failure:
    """An exception as it can be sent to another process."""
    import traceback

    trace = "".join(traceback.format_exception(error)[-3:])[-2000:]
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001  whatever an exception's own pickling raises
        error = RuntimeError(f"{type(error).__name__}: {error}")
    return Failure(error, trace)


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


__all__ = ["THREADS", "Done", "Failure", "Lost", "Maker", "Team", "Workers", "failure_of", "resident_bytes", "serve"]
