"""A pool of Ray actors: its futures, and what happens when tasks, actors or start-ups fail."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import pytest

from soundalike.errors import AudioError, CheckpointError
from soundalike.jobs.ray.ray_cluster import Machines, Node, connected
from soundalike.jobs.ray.ray_pool import RayPool, Stage
from soundalike.jobs.worker_pool import PoolClosedError, WorkerLostError, WorkerStartError

pytestmark = pytest.mark.cluster

pytest.importorskip("ray", reason="needs the extra: cluster")

LONG = 90.0


@pytest.fixture
def machines(nodes: Any) -> Iterator[Machines]:
    with connected(nodes.address) as found:
        yield found


def one_actor(node: Node) -> list[tuple[int, int]]:
    return [(1, 0)]


def actor_without_cpu(node: Node) -> list[tuple[int, int]]:
    return [(0, 0)]


def make_tasks() -> Callable[[Any], Any]:
    """The setup of the actors of these tests."""

    def work(task: tuple[str, Any]) -> Any:
        order, value = task
        match order:
            case "raise":
                raise AudioError(f"bad {value}")
            case "signal":
                os.kill(os.getpid(), value)
            case "sleep":
                time.sleep(value)
        return value

    return work


def make_refusal() -> Callable[[Any], Any]:
    raise CheckpointError("the weights of clap are not here; fetch them: soundalike models fetch clap")


def make_first() -> Callable[[Any], Any]:
    return lambda task: {"of": task, "bytes": bytes(200_000)}


def make_last() -> Callable[[Any, Any], Any]:
    def join(task: Any, intermediate: Any) -> Any:
        time.sleep(0.1)
        return task, intermediate["of"], len(intermediate["bytes"]), os.getpid()

    return join


def simple_pool(machines: Machines) -> RayPool:
    return RayPool(machines, [Stage(lambda _: make_tasks, one_actor)])


def test_every_task_has_its_outcome(machines: Machines) -> None:
    with simple_pool(machines) as pool:
        futures = [pool.submit(("double", number), LONG) for number in range(20)]
        failing = pool.submit(("raise", 5), LONG)
        assert [future.result(LONG) for future in futures] == list(range(20))
        error = failing.exception(LONG)
        assert isinstance(error, AudioError)
        assert str(error) == "bad 5"
        assert "test_ray_pool.py" in str(error.__cause__)
        assert pool.capacity == 4  # two for each of two actors
        assert pool.pending == 0


def test_a_task_that_kills_its_actors_is_given_up_alone(machines: Machines) -> None:
    with simple_pool(machines) as pool:
        crash = pool.submit(("signal", signal.SIGSEGV), LONG)
        others = [pool.submit(("double", number), LONG) for number in range(8)]
        error = crash.exception(LONG)
        assert isinstance(error, WorkerLostError)
        assert str(error).startswith("crashed 2 workers")
        assert [future.result(LONG) for future in others] == list(range(8))


def test_a_task_that_hangs_is_ended(machines: Machines) -> None:
    with simple_pool(machines) as pool:
        hang, fine = pool.submit(("sleep", 1000), 1.0), pool.submit(("double", 1), LONG)
        error = hang.exception(LONG)
        assert isinstance(error, WorkerLostError)
        assert str(error) == "did not end within 1 s"
        assert fine.result(LONG) == 1


def test_an_actor_that_is_killed_once_costs_its_task_nothing(machines: Machines) -> None:
    import ray

    with simple_pool(machines) as pool:
        futures = [pool.submit(("sleep", 0.5), LONG) for _ in range(6)]
        deadline = time.monotonic() + LONG
        while not pool.ready_actors():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        (_, victim), *_ = pool.ready_actors()
        ray.kill(victim)
        assert [future.result(LONG) for future in futures] == [0.5] * 6


def test_stages_hand_on_their_results_and_wait_for_each_other(machines: Machines) -> None:
    stages = [Stage(lambda _: make_first, actor_without_cpu), Stage(lambda _: make_last, actor_without_cpu)]
    most = 0
    with RayPool(machines, stages) as pool:
        pending: set[Future[Any]] = {pool.submit(number, LONG) for number in range(20)}
        outcomes = []
        while pending:
            done, pending = wait(pending, 0.02, return_when=FIRST_COMPLETED)
            outcomes += [future.result() for future in done]
            most = max(most, pool.queue_lengths()[1])
    assert most <= 4  # two for each of the second stage's actors
    assert sorted(outcome[:3] for outcome in outcomes) == [(number, number, 200_000) for number in range(20)]
    assert len({outcome[3] for outcome in outcomes}) == 2


def test_what_keeps_actors_from_starting_is_raised_by_all_tasks(machines: Machines) -> None:
    with RayPool(machines, [Stage(lambda _: make_refusal, one_actor)]) as pool:
        for future in [pool.submit(("double", 1), LONG), pool.submit(("double", 2), LONG)]:
            error = future.exception(LONG)
            assert isinstance(error, WorkerStartError)
            assert isinstance(error.error, CheckpointError)


def test_a_task_that_waits_can_be_cancelled_and_closing_ends_the_rest(machines: Machines) -> None:
    with simple_pool(machines) as pool:
        futures = [pool.submit(("sleep", 1000), 1000.0) for _ in range(6)]
        assert futures[-1].cancel()
    for future in futures[:-1]:
        assert isinstance(future.exception(LONG), PoolClosedError)
    with pytest.raises(PoolClosedError):
        pool.submit(("double", 1), LONG)
