"""What runs inside a worker process: load what the tasks need, then do one task after the other.

Light on purpose: a worker imports this module and, through its setup function, only what its tasks need.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Protocol

_HEADER_BYTES = 8

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


class Setup(Protocol):
    """Called once inside the worker: loads what the tasks need and returns the function that does them. Picklable."""

    def __call__(self) -> Callable[..., Any]: ...


class RemoteTracebackError(Exception):
    """The traceback of an exception raised in another process, as text; the cause of that exception here."""


@dataclass(frozen=True)
class Failure:
    """An exception on its way to another process (a stand-in where it cannot be pickled), with its traceback."""

    error: Exception
    trace: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """The failure that reports `error`."""
        trace = "".join(traceback.format_exception(error)[-3:])[-2000:]
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # noqa: BLE001  whatever an exception's own pickling raises
            error = RuntimeError(f"{type(error).__name__}: {error}")
        return cls(error, trace)

    def exception(self) -> Exception:
        """The exception, with the other process's traceback as its cause."""
        self.error.__cause__ = RemoteTracebackError(f"\n{self.trace}")
        return self.error


def send(pipe: IO[bytes] | None, value: Any) -> None:
    """Write `value`, pickled unless it is bytes already. An error of the pipe is ignored: the reader's end reports it."""
    assert pipe is not None
    data = value if isinstance(value, bytes) else pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    with suppress(OSError):
        pipe.write(len(data).to_bytes(_HEADER_BYTES, "little") + data)
        pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next value. Raises EOFError where the other side has closed the pipe."""
    header = pipe.read(_HEADER_BYTES)
    size = int.from_bytes(header, "little")
    data = pipe.read(size) if len(header) == _HEADER_BYTES else b""
    if len(header) < _HEADER_BYTES or len(data) < size:
        raise EOFError
    return pickle.loads(data)


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def serve() -> None:
    """Run as a worker: setup function in, then tasks in and (outcome, memory) out, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Codecs print to standard output as they please; answers go through a private copy of it.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks = os.fdopen(os.dup(0), "rb")
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read_tasks, args=(tasks, inbox), daemon=True).start()
    try:
        do_task = inbox.get()()
    except Exception as error:  # noqa: BLE001  the border between processes: the parent raises it again
        send(answers, Failure.of(error))
        return
    send(answers, "ready")
    while True:
        task = inbox.get()
        try:
            outcome = do_task(task)
        except Exception as error:  # noqa: BLE001  the border between processes: the parent judges it
            outcome = Failure.of(error)
        send(answers, (outcome, resident_bytes()))


def _read_tasks(pipe: IO[bytes], inbox: queue.SimpleQueue[Any]) -> None:
    """Read tasks while the worker works; end the process, in the middle of a task too, when the parent is gone."""
    while True:
        try:
            inbox.put(receive(pipe))
        except (EOFError, OSError):
            os._exit(0)
        except Exception as error:  # noqa: BLE001  whatever unpickling raises: nobody would wait for the rest
            print(f"a task cannot be read: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
