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
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Protocol

from soundalike.jobs.answer_format import encode
from soundalike.jobs.failure import Failure

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


def send(pipe: IO[bytes] | None, data: bytes) -> None:
    """Write a message. An error of the pipe is ignored: the reader's end reports it."""
    assert pipe is not None
    with suppress(OSError):
        pipe.write(len(data).to_bytes(_HEADER_BYTES, "little") + data)
        pipe.flush()


def receive(pipe: IO[bytes], most: int | None = None) -> bytearray:
    """The next message. Raises EOFError where the other side has closed the pipe, ValueError for more than `most` bytes."""
    header = pipe.read(_HEADER_BYTES)
    size = int.from_bytes(header, "little")
    if most is not None and size > most:
        raise ValueError(f"a message of {size} bytes")
    data = bytearray(size if len(header) == _HEADER_BYTES else 0)
    view, read = memoryview(data), 0
    while read < len(data) and (count := pipe.readinto(view[read:])):  # type: ignore[attr-defined]
        read += count
    if len(header) < _HEADER_BYTES or read < size:
        raise EOFError
    return data


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not report it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def serve() -> None:
    """Run as a worker: setup function in, then tasks in and (outcome, memory) out, until the parent closes the pipe.

    What comes from the parent is pickled, what goes to it is not (`answer_format`).
    """
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
        send(answers, encode(Failure.of(error)))
        return
    send(answers, encode("ready"))
    while True:
        task = inbox.get()
        try:
            outcome = do_task(task)
        except Exception as error:  # noqa: BLE001  the border between processes: the parent judges it
            outcome = Failure.of(error)
        send(answers, _answer(outcome))


def _answer(outcome: Any) -> bytes:
    try:
        return encode((outcome, resident_bytes()))
    except Exception as error:  # noqa: BLE001  an outcome of a type that cannot be sent: a fault of the task
        return encode((Failure.of(error), resident_bytes()))


def _read_tasks(pipe: IO[bytes], inbox: queue.SimpleQueue[Any]) -> None:
    """Read tasks while the worker works; end the process, in the middle of a task too, when the parent is gone."""
    while True:
        try:
            inbox.put(pickle.loads(receive(pipe)))
        except (EOFError, OSError):
            os._exit(0)
        except Exception as error:  # noqa: BLE001  whatever unpickling raises: nobody would wait for the rest
            print(f"a task cannot be read: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
