"""A pool of Ray actors: `jobs.worker_pool.TaskPool` on many machines, with tasks that may take several stages.

Every actor holds two tasks at most, the current one and the next, so that a bounded number of tasks is in flight. What one
stage hands to the next stays in Ray's object store and never passes through the driver. An actor that is lost costs what
it had in flight, which is done again elsewhere; a task that two actors did not survive is at fault itself.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from soundalike.errors import LibraryError
from soundalike.jobs.failure import Failure
from soundalike.jobs.ray.ray_actors import Actor, on
from soundalike.jobs.worker_pool import (
    MAX_FAILED_STARTS,
    PoolClosedError,
    WorkerLimits,
    WorkerLostError,
    WorkerStartError,
    resolve,
    start,
)
from soundalike.jobs.worker_process import Setup

if TYPE_CHECKING:
    from soundalike.jobs.ray.ray_cluster import Machines, Node

TASKS_PER_ACTOR = 2

MAX_CRASHES = 2
"""A task that so many actors did not survive is given up."""

MAX_LOSSES = 6
"""A task that was lost so many times, for whatever reason, is given up."""

_POLL_SECONDS = 0.05
_NODES_SECONDS = 2.0
HEAVY_FACTOR = 4
"""Actors with neural models may take so many times the memory, and the time to start."""


@dataclass(frozen=True)
class Stage:
    """One step of the work of each task.

    setup: threads that an actor may use -> its setup function; actors: node -> (CPUs, GPUs) of each actor there; heavy:
    whether it takes the start time and memory of neural models.
    """

    setup: Callable[[int], Setup]
    actors: Callable[[Node], list[tuple[int, int]]]
    heavy: bool = False

    @property
    def limits(self) -> WorkerLimits:
        """Of each actor."""
        return WorkerLimits().times(HEAVY_FACTOR) if self.heavy else WorkerLimits()


@dataclass(eq=False)
class _Task:
    """intermediate: reference to what the stage before returned."""

    argument: Any
    seconds: float
    future: Future[Any] = field(default_factory=Future)
    intermediate: Any = None
    crashes: int = 0
    losses: int = 0


@dataclass(eq=False)
class _Worker:
    """An actor. starting: reference to the outcome of its start, until it is ready; tasks: each with the references to its
    answer and to what it hands to the next stage, in the order in which they are done."""

    stage: int
    node: Node
    actor: Any
    starting: Any
    tasks: deque[tuple[_Task, Any, Any]] = field(default_factory=deque)
    since: float = field(default_factory=time.monotonic)
    done: int = 0
    retiring: bool = False
    overdue: bool = False


class RayPool:
    """See the module and `TaskPool`. max_actors: of one stage, all nodes together."""

    def __init__(
        self,
        machines: Machines,
        stages: Sequence[Stage],
        *,
        max_actors: int | None = None,
    ) -> None:
        self._machines, self._stages, self._max_actors = machines, list(stages), max_actors
        self._lock = threading.Lock()
        self._workers: list[_Worker] = []
        self._queues: list[deque[_Task]] = [deque() for _ in stages]
        self._outcomes: list[tuple[_Task, Any, Exception | None]] = []
        self._failed_starts = 0
        self._ever_ready = False
        self._nodes_read = -_NODES_SECONDS
        self._thread: threading.Thread | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def capacity(self) -> int:
        """See `TaskPool`; grows as nodes join."""
        return TASKS_PER_ACTOR * max(1, len(self._workers))

    @property
    def pending(self) -> int:
        """Tasks submitted and not done."""
        with self._lock:
            return self._pending()

    def _pending(self) -> int:
        return sum(len(worker.tasks) for worker in self._workers) + sum(map(len, self._queues))

    def queue_lengths(self) -> list[int]:
        """For each stage, the tasks that wait for an actor."""
        with self._lock:
            return [len(queue) for queue in self._queues]

    def ready_actors(self) -> list[tuple[str, Any]]:
        """(id of the node, actor) of each that is ready."""
        with self._lock:
            return [(worker.node.id, worker.actor) for worker in self._workers if worker.starting is None]

    def submit(self, task: Any, seconds: float) -> Future[Any]:
        """See `TaskPool`."""
        added = _Task(task, seconds)
        with self._lock:
            if self._closed:
                raise PoolClosedError("the workers have been ended")
            self._queues[0].append(added)
            self._step([])
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ray-pool", daemon=True)
                self._thread.start()
        return added.future

    def close(self) -> None:
        """See `TaskPool`."""
        with self._lock:
            self._closed = True
            self._abandon(PoolClosedError("the workers have been ended"))
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._resolve_futures()

    def _run(self) -> None:
        """The pool's thread: wait for what actors answer, and react."""
        import ray

        while True:
            with self._lock:
                if self._closed:
                    return
                references = [worker.starting for worker in self._workers if worker.starting is not None]
                references += [
                    worker.tasks[0][1] for worker in self._workers if worker.starting is None and worker.tasks
                ]
            ready: list[Any] = []
            if references:
                ready, _ = ray.wait(references, num_returns=1, timeout=_POLL_SECONDS)
                if ready and len(references) > 1:
                    ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
            else:
                time.sleep(_POLL_SECONDS)
            with self._lock:
                if self._closed:
                    return
                self._step(ready)
            self._resolve_futures()

    def _step(self, ready: list[Any]) -> None:
        """React to references that are ready, to nodes that came or went, and to the time."""
        try:
            for worker in list(self._workers):
                if worker.starting is not None and worker.starting in ready:
                    self._take_start(worker)
                elif worker.starting is None and worker.tasks and worker.tasks[0][1] in ready:
                    self._take_answer(worker)
            if self._pending():
                self._meet_nodes()
            self._end_overdue()
            self._hand_out()
        except LibraryError as error:
            self._abandon(error)

    def _resolve_futures(self) -> None:
        """Called without the lock, since code that waits for a future may use the pool at once."""
        with self._lock:
            outcomes, self._outcomes = self._outcomes, []
        for task, outcome, error in outcomes:
            resolve(task.future, outcome, error)

    def _abandon(self, error: Exception) -> None:
        """End all actors and give up all tasks."""
        tasks = [
            *(task for worker in self._workers for task, _, _ in worker.tasks),
            *(t for q in self._queues for t in q),
        ]
        self._outcomes += [(task, None, error) for task in tasks]
        for queue in self._queues:
            queue.clear()
        for worker in self._workers:
            _kill(worker)
        self._workers.clear()

    def _meet_nodes(self) -> None:
        """Start actors on nodes that have joined, and replacements for actors that are gone."""
        if time.monotonic() - self._nodes_read < _NODES_SECONDS:
            return
        self._nodes_read = time.monotonic()
        nodes = self._machines.nodes()
        for number, stage in enumerate(self._stages):
            serving = [worker for worker in self._workers if worker.stage == number and not worker.retiring]
            for node in nodes:
                here = sum(worker.node.id == node.id for worker in serving)
                for cpus, gpus in stage.actors(node)[here:]:
                    if self._max_actors is not None and len(serving) >= self._max_actors:
                        break
                    serving.append(self._start(number, stage, node, cpus, gpus))
        if not nodes and not self._workers:
            raise WorkerStartError("no node of the Ray cluster is left; what was committed is kept, run it again")

    def _start(self, number: int, stage: Stage, node: Node, cpus: int, gpus: int) -> _Worker:
        threads = max(1, cpus)
        actor = on(node.id, Actor, cpus=cpus, gpus=gpus, threads=threads).remote(stage.setup(threads))
        worker = _Worker(number, node, actor, actor.start.remote())
        self._workers.append(worker)
        return worker

    def _hand_out(self) -> None:
        """Give tasks to actors that have room, later stages first: tasks between stages take memory."""
        for number in reversed(range(len(self._stages))):
            serving = [
                one for one in self._workers if one.stage == number and one.starting is None and not one.retiring
            ]
            while self._queues[number] and serving:
                free = min(serving, key=lambda worker: len(worker.tasks))
                if len(free.tasks) >= TASKS_PER_ACTOR or self._next_stage_full(number):
                    break
                task = self._queues[number].popleft()
                if start(task.future):
                    self._give(free, task)

    def _next_stage_full(self, number: int) -> bool:
        """Whether a stage has produced as much as the next one can hold."""
        if number + 1 == len(self._stages):
            return False
        after = [worker for worker in self._workers if worker.stage == number + 1]
        in_flight = sum(len(worker.tasks) for worker in self._workers if worker.stage == number)
        return len(self._queues[number + 1]) + in_flight >= TASKS_PER_ACTOR * max(1, len(after))

    def _give(self, worker: _Worker, task: _Task) -> None:
        if not worker.tasks:
            worker.since = time.monotonic()
        if worker.stage + 1 == len(self._stages):
            intermediate = () if task.intermediate is None else (task.intermediate,)
            worker.tasks.append((task, worker.actor.run_last_stage.remote(task.argument, *intermediate), None))
        else:
            answer, result = worker.actor.run_stage.options(num_returns=2).remote(task.argument)
            worker.tasks.append((task, answer, result))

    def _take_start(self, worker: _Worker) -> None:
        import ray

        try:
            failure = ray.get(worker.starting)
        except ray.exceptions.RayError as error:
            self._workers.remove(worker)
            if not _is_node_loss(error):
                self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS and not self._ever_ready:
                raise WorkerStartError(f"the workers on Ray do not start: {_last_line(error)}") from None
            return
        if isinstance(failure, Failure):
            cause = failure.exception()
            raise WorkerStartError(str(cause), cause)
        worker.starting, self._ever_ready, self._failed_starts = None, True, 0
        worker.since = time.monotonic()

    def _take_answer(self, worker: _Worker) -> None:
        import ray

        task, answer, result = worker.tasks[0]
        try:
            outcome, size = ray.get(answer)
        except (ray.exceptions.RayTaskError, ray.exceptions.ObjectLostError) as error:
            # What it was to work on was lost with a node, or cannot be sent.
            worker.tasks.popleft()
            worker.since = time.monotonic()
            self._retry(task, _last_line(error))
            return
        except ray.exceptions.RayError as error:
            self._remove_ended(worker, error)
            return
        worker.tasks.popleft()
        worker.since = time.monotonic()
        worker.done += 1
        if worker.stage + 1 < len(self._stages) and outcome is None:
            task.intermediate = result
            self._queues[worker.stage + 1].append(task)
        else:
            self._outcomes.append((task, outcome, None))
        limits = self._stages[worker.stage].limits
        worker.retiring = worker.retiring or worker.done >= limits.max_tasks or size > limits.max_bytes
        if worker.retiring and not worker.tasks:
            self._workers.remove(worker)
            _kill(worker)

    def _remove_ended(self, worker: _Worker, error: Exception) -> None:
        """Handle a lost actor: its current task is to blame, unless its node was lost; the next task goes to another actor."""
        self._workers.remove(worker)
        (task, _, _), *rest = worker.tasks
        alive = {node.id for node in self._machines.nodes()}
        if worker.overdue:
            self._outcomes.append((task, None, WorkerLostError(f"did not end within {task.seconds:.3g} s")))
        else:
            task.crashes += worker.node.id in alive and not _is_node_loss(error)
            if task.crashes >= MAX_CRASHES:
                self._outcomes.append(
                    (task, None, WorkerLostError(f"crashed {MAX_CRASHES} workers ({_signal_name(error)})"))
                )
            else:
                self._retry(task, _last_line(error))
        for other, _, _ in rest:
            self._retry(other, _last_line(error), blamed=False)
        self._nodes_read = -_NODES_SECONDS

    def _retry(self, task: _Task, why: str, *, blamed: bool = True) -> None:
        """Do a task again from the first stage: what an earlier stage returned may be lost with its node."""
        task.losses += blamed
        task.intermediate = None
        if task.losses >= MAX_LOSSES:
            self._outcomes.append((task, None, RuntimeError(f"lost {task.losses} times on Ray: {why}")))
        else:
            self._queues[0].appendleft(task)

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.starting is not None:
                limit = self._stages[worker.stage].limits.start_seconds
                if now - worker.since > limit and not self._ever_ready:
                    raise WorkerStartError(
                        f"no worker was ready within {limit:.0f} s on Ray; other jobs may occupy the cluster (see `ray status`)"
                    )
            elif worker.tasks and now - worker.since > worker.tasks[0][0].seconds and not worker.overdue:
                worker.overdue = True
                _kill(worker)  # its end arrives as the error of its answer


def _kill(worker: _Worker) -> None:
    import ray

    with suppress(ray.exceptions.RayError, ValueError):
        ray.kill(worker.actor, no_restart=True)


def _is_node_loss(error: Exception) -> bool:
    """Whether a node died and not an actor alone."""
    message = str(error)
    return "node has died" in message or "node was terminated" in message or "Node died" in message


def _signal_name(error: Exception) -> str:
    for name in ("SIGSEGV", "SIGABRT", "SIGKILL", "SIGBUS", "SIGILL", "SIGFPE"):
        if name in str(error) and "potential root causes" not in str(error):
            return name
    return "its process ended"


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
