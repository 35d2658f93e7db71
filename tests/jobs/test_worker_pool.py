from __future__ import annotations

import os
import pickle
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from soundalike.errors import AudioError, LibraryError
from soundalike.jobs.answer_format import encode
from soundalike.jobs.worker_pool import PoolClosedError, WorkerLimits, WorkerLostError, WorkerPool, WorkerStartError

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
            case "object":
                return object()
            case "write":
                _write_to_parent(value)
        return value

    return work


def _write_to_parent(data: bytes) -> None:
    """Write to the pipe of the answers, as a codec could that was taken over."""
    for number in range(3, 64):
        with suppress(OSError):
            if stat.S_ISFIFO(os.fstat(number).st_mode) and os.access(f"/proc/self/fd/{number}", os.W_OK):
                os.write(number, data)
    time.sleep(1000)


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


def outcomes_of(pool: WorkerPool, tasks: dict[Any, Any], seconds: float = LONG) -> dict[Any, Any]:
    """What each task returned, or the exception that it raised."""
    futures = {key: pool.submit(task, seconds) for key, task in tasks.items()}
    outcomes = {}
    for key, future in futures.items():
        error = future.exception(LONG)
        outcomes[key] = future.result() if error is None else error
    return outcomes


def lost(outcome: Any) -> str:
    """The message of a task that its worker did not survive."""
    assert isinstance(outcome, WorkerLostError)
    return str(outcome)


def test_every_task_has_its_outcome() -> None:
    with WorkerPool(make_tasks, 2) as pool:
        assert pool.pids() == []
        outcomes = outcomes_of(pool, {number: ("double", number) for number in range(50)})
        assert outcomes == {number: 2 * number for number in range(50)}
        assert len(pool.pids()) == 2
        assert pool.pending == 0
        assert outcomes_of(pool, {"noise": ("print", None)}) == {"noise": "printed"}
        assert outcomes_of(pool, {"threads": ("threads", None)}) == {"threads": "1"}


def test_a_worker_that_dies_costs_its_task_only() -> None:
    tasks: dict[Any, Any] = {number: ("double", number) for number in range(30)}
    tasks["segfault"] = ("signal", signal.SIGSEGV)
    tasks["kill"] = ("signal", signal.SIGKILL)
    tasks["exit"] = ("exit", 3)
    tasks |= {number: ("double", number) for number in range(30, 60)}
    with WorkerPool(make_tasks, 2) as pool:
        outcomes = outcomes_of(pool, tasks)
    assert lost(outcomes.pop("segfault")) == "crashed (SIGSEGV)"
    assert lost(outcomes.pop("kill")) == "crashed (SIGKILL, perhaps for want of memory)"
    assert lost(outcomes.pop("exit")) == "ended by itself with exit code 3"
    assert outcomes == {number: 2 * number for number in range(60)}


def test_a_task_that_hangs_is_ended() -> None:
    with WorkerPool(make_tasks, 1) as pool:
        outcomes = outcomes_of(pool, {"hang": ("sleep", 1000), "next": ("double", 4)}, seconds=0.5)
    assert lost(outcomes["hang"]) == "did not end within 0.5 s"
    assert outcomes["next"] == 8


def test_an_exception_comes_back_as_it_was_or_as_text() -> None:
    with WorkerPool(make_tasks, 1) as pool:
        outcomes = outcomes_of(pool, {1: ("raise", 5), 2: ("raise odd", 0), 3: ("double", 1)})
    assert isinstance(outcomes[1], AudioError)
    assert str(outcomes[1]) == "bad 5"
    assert "test_worker_pool.py" in str(outcomes[1].__cause__)
    assert "OddError" in str(outcomes[2])
    assert outcomes[3] == 2


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.skipif(sys.platform != "linux", reason="finds the pipe by /proc")
def test_a_worker_that_sends_anything_but_data_is_ended_and_nothing_of_it_is_run(tmp_path: Path) -> None:
    trap = pickle.dumps(Trap(tmp_path / "run"))
    messages = {
        "pickle": len(trap).to_bytes(8, "little") + trap,
        "huge": (1 << 50).to_bytes(8, "little"),
        "no pair": len(encode("ready")).to_bytes(8, "little") + encode("ready"),
    }
    with WorkerPool(make_tasks, 1) as pool:
        outcomes = outcomes_of(pool, {name: ("write", data) for name, data in messages.items()})
        outcomes["next"] = pool.submit(("double", 4), LONG).result(LONG)
    assert "sent what is not an answer" in lost(outcomes["pickle"])
    assert "bytes" in lost(outcomes["huge"])
    assert lost(outcomes["no pair"]) == "sent what is not an answer"
    assert outcomes["next"] == 8
    assert not (tmp_path / "run").exists()


def test_an_outcome_that_is_not_data_is_the_failure_of_its_task() -> None:
    with WorkerPool(make_tasks, 1) as pool:
        outcomes = outcomes_of(pool, {1: ("object", None), 2: ("double", 2)})
    assert isinstance(outcomes[1], TypeError)
    assert str(outcomes[1]) == "a worker cannot send a value of the type builtins.object"
    assert outcomes[2] == 4


@pytest.mark.long
def test_what_keeps_workers_from_starting_is_raised_by_all_tasks() -> None:
    with WorkerPool(partial(make_nothing, AudioError("no such model")), 2) as pool:
        futures = [pool.submit(("double", number), LONG) for number in range(3)]
        for future in futures:
            error = future.exception(LONG)
            assert isinstance(error, WorkerStartError)
            assert isinstance(error.error, AudioError)
            assert str(error) == str(error.error) == "no such model"
    with WorkerPool(make_death, 1) as pool:
        for _ in range(2):  # the pool can be used again: what was wrong may be fixed by then
            future = pool.submit(("double", 1), LONG)
            with pytest.raises(LibraryError, match=r"do not start: .*exit code 7; no codec found"):
                future.result(LONG)


@pytest.mark.long
def test_workers_are_replaced_after_so_many_tasks_and_when_they_have_grown() -> None:
    tasks = dict.fromkeys(range(8), ("pid", None))
    with WorkerPool(make_tasks, 1, limits=WorkerLimits(max_tasks=3)) as pool:
        assert len(set(outcomes_of(pool, tasks).values())) in (2, 3)  # a task already given is still done
    with WorkerPool(make_tasks, 1, limits=WorkerLimits(max_bytes=1)) as pool:
        assert len(set(outcomes_of(pool, tasks).values())) >= 4
    with WorkerPool(make_tasks, 1, tasks_per_worker=1, limits=WorkerLimits(max_tasks=1)) as pool:
        assert len(set(outcomes_of(pool, tasks).values())) == 8
        assert pool.pids() == []


def test_a_task_that_waits_can_be_cancelled() -> None:
    with WorkerPool(make_tasks, 1, tasks_per_worker=1) as pool:
        first = pool.submit(("sleep", 0.5), LONG)
        second, third = pool.submit(("double", 2), LONG), pool.submit(("double", 3), LONG)
        assert second.cancel()
        assert third.result(LONG) == 6
        assert first.done()
        assert not first.cancel()


def test_no_task_waits_behind_another_while_a_worker_is_free() -> None:
    with WorkerPool(make_tasks, 2, tasks_per_worker=1) as pool:
        slow = pool.submit(("sleep", 1000), LONG)
        for number in range(4):
            assert pool.submit(("double", number), LONG).result(LONG) == 2 * number
        assert slow.running()


def test_workers_that_warm_up_are_there_before_the_first_task() -> None:
    with WorkerPool(make_tasks, 2, tasks_per_worker=1) as pool:
        pool.warm_up(("raise", "nobody waits for this"), LONG)
        pids = pool.pids()
        assert len(pids) == 2
        assert pool.pending == 0
        assert pool.submit(("pid", None), LONG).result(LONG) in pids
        assert pool.pids() == pids


def test_closing_ends_the_workers_in_the_middle_of_their_tasks() -> None:
    with WorkerPool(make_tasks, 2) as pool:
        futures = [pool.submit(("sleep", 1000), LONG) for _ in range(6)]
        assert pool.capacity == 4
        pids = pool.pids()
        assert len(pids) == 2
    for future in futures:
        assert isinstance(future.exception(LONG), PoolClosedError)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(PoolClosedError):
        pool.submit(("double", 1), LONG)


PARENT = """
import sys, time
sys.path.insert(0, {tests!r})
from tests.jobs.test_worker_pool import make_tasks
from soundalike.jobs.worker_pool import WorkerPool
pool = WorkerPool(make_tasks, 2, tasks_per_worker=1)
for future in [pool.submit(("sleep", 0.5), 1e6) for number in range(2)]:
    future.result()
for number in range(4):
    pool.submit(("sleep", 1000), 1e6)
print(*pool.pids(), flush=True)
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
