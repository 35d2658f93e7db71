from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import AudioError, LibraryError
from soundalike.jobs.worker_pool import Done, Failure, Lost, Workers

LONG = 100.0


def make_tasks() -> Callable[[Any], Any]:
    """Makes the function that the workers of these tests run."""

    def work(task: Any) -> Any:
        order, value = task
        match order:
            case "double":
                return 2 * value
            case "pid":
                return os.getpid()
            case "raise":
                raise AudioError(f"bad {value}")
            case "raise odd":
                raise OddError(1, 2)
            case "signal":
                os.kill(os.getpid(), value)
            case "exit":
                os._exit(value)
            case "sleep":
                time.sleep(value)
            case "print":
                os.write(1, b"noise on the standard output\n")
                print("more")
                return "printed"
            case "threads":
                return os.environ["OMP_NUM_THREADS"]
        return value

    return work


class OddError(Exception):
    """Cannot be unpickled: it wants two arguments and keeps one."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first)


def make_nothing(error: Exception) -> Callable[[Any], Any]:
    """A maker that fails."""
    raise error


def make_death() -> Callable[[Any], Any]:
    """A maker that does not survive."""
    print("no codec found", file=sys.stderr, flush=True)
    os._exit(7)


def _all(workers: Workers, tasks: dict[Any, Any], seconds: float = LONG) -> dict[Any, Any]:
    """Give all tasks, wait for all outcomes."""
    outcomes: dict[Any, Any] = {}
    waiting = list(tasks.items())
    for _ in range(3000):
        while waiting and not workers.full:
            key, task = waiting.pop(0)
            workers.submit(key, task, seconds)
        for done in workers.wait(0.1):
            assert isinstance(done, Done)
            assert done.key not in outcomes
            outcomes[done.key] = done.outcome
        if not waiting and not workers.pending:
            break
    assert outcomes.keys() == tasks.keys()
    return outcomes


def test_every_task_is_answered_once() -> None:
    with Workers(make_tasks, 2) as workers:
        outcomes = _all(workers, {number: ("double", number) for number in range(50)})
        assert outcomes == {number: 2 * number for number in range(50)}
        assert len(workers.pids()) == 2
        assert _all(workers, {"noise": ("print", None)}) == {"noise": "printed"}
        assert _all(workers, {"threads": ("threads", None)}) == {"threads": "1"}


def test_a_worker_that_dies_costs_its_task_only() -> None:
    tasks: dict[Any, Any] = {number: ("double", number) for number in range(30)}
    tasks["segfault"] = ("signal", signal.SIGSEGV)
    tasks["kill"] = ("signal", signal.SIGKILL)
    tasks["exit"] = ("exit", 3)
    tasks |= {number: ("double", number) for number in range(30, 60)}
    with Workers(make_tasks, 2) as workers:
        outcomes = _all(workers, tasks)
    assert outcomes.pop("segfault") == Lost("crashed (SIGSEGV)")
    assert outcomes.pop("kill") == Lost("crashed (SIGKILL, perhaps for want of memory)")
    assert outcomes.pop("exit") == Lost("ended by itself with exit code 3")
    assert outcomes == {number: 2 * number for number in range(60)}


def test_a_task_that_hangs_is_ended() -> None:
    with Workers(make_tasks, 1) as workers:
        outcomes = _all(workers, {"hang": ("sleep", 1000), "next": ("double", 4)}, seconds=0.5)
    assert outcomes == {"hang": Lost("did not end within 0.5 s"), "next": 8}


def test_an_exception_comes_back_as_it_was_or_in_words() -> None:
    with Workers(make_tasks, 1) as workers:
        outcomes = _all(workers, {1: ("raise", 5), 2: ("raise odd", 0), 3: ("double", 1)})
    assert isinstance(outcomes[1], Failure)
    assert isinstance(outcomes[1].error, AudioError)
    assert str(outcomes[1].error) == "bad 5"
    assert "test_worker_pool.py" in outcomes[1].trace
    assert "OddError" in str(outcomes[2].error)
    assert outcomes[3] == 2


def test_what_keeps_a_worker_from_beginning_is_raised() -> None:
    failing = partial(make_nothing, LibraryError("no such model"))
    with Workers(failing, 2) as workers, pytest.raises(LibraryError, match="no such model"):
        _all(workers, {1: ("double", 1)})
    dying = pytest.raises(LibraryError, match=r"do not start: .*exit code 7; no codec found")
    with Workers(make_death, 1) as workers, dying:
        _all(workers, {1: ("double", 1)})


def test_workers_are_replaced_after_so_many_tasks_and_when_they_have_grown() -> None:
    tasks = dict.fromkeys(range(8), ("pid", None))
    with Workers(make_tasks, 1, max_tasks=3) as workers:
        assert len(set(_all(workers, tasks).values())) in (2, 3)  # a task already given is still done
    with Workers(make_tasks, 1, max_bytes=1) as workers:
        assert len(set(_all(workers, tasks).values())) >= 4


def test_leaving_ends_the_workers_in_the_middle_of_their_tasks() -> None:
    with Workers(make_tasks, 2) as workers:
        for number in range(4):
            workers.submit(number, ("sleep", 1000), LONG)
        assert workers.full
        pids = workers.pids()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


PARENT = """
import sys, time
sys.path.insert(0, {tests!r})
from tests.jobs.test_worker_pool import make_tasks
from soundalike.jobs.worker_pool import Workers
workers = Workers(make_tasks, 2)
for number in range(4):
    workers.submit(number, ("sleep", 1000), 1e6)
for number in range(100):
    workers.wait(0.1)
    if all(worker.ready for worker in workers._workers):
        break
print(*workers.pids(), flush=True)
time.sleep(1000)
"""


def test_workers_end_when_their_parent_is_killed() -> None:
    tests = str(Path(__file__).parents[2])
    with subprocess.Popen([sys.executable, "-c", PARENT.format(tests=tests)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.kill()
    for _ in range(200):
        if not any(_alive(pid) for pid in pids):
            break
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text().lower()
    except OSError:
        return False
