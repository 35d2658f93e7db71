"""A team of Ray actors that does an indexing run's tasks: `jobs.worker_pool.Workers` for many machines.

Every actor holds two tasks at most, the one it is at and the next, so that a run has a bounded number of files in flight
whatever their number. What goes from a stage to the next stays in Ray's object store and never passes through the driver.
An actor that is lost costs what it had in flight, which is done again elsewhere; a file at which two actors died is at
fault itself.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soundalike.errors import AudioError, LibraryError
from soundalike.jobs.ray.ray_actors import UnseenError, Worker, on
from soundalike.jobs.worker_pool import MAX_BYTES, MAX_TASKS, START_SECONDS, Done, Failure, Lost, Maker

if TYPE_CHECKING:
    from soundalike.jobs.ray.ray_cluster import Machines, Node

PER_ACTOR = 2
"""Tasks that an actor holds."""

BLAMED = 2
"""A file at which so many actors died is skipped."""

MOST_LOSSES = 6
"""A task that was lost so many times, by whosever fault, is given up."""

_FEWEST_STARTS = 3
_LOOK_SECONDS = 2.0
_HEAVY = 4


@dataclass(frozen=True)
class Stage:
    """One step of the work. make: threads that an actor may use -> what makes its function, there; room: (CPUs, GPUs) of
    each actor that a node gets; heavy: whether it takes the time and memory of neural models."""

    make: Callable[[int], Maker]
    room: Callable[[Node], list[tuple[int, int]]]
    heavy: bool = False


@dataclass
class _Task:
    key: Any
    argument: Any
    seconds: float
    prepared: Any = None
    crashes: int = 0
    losses: int = 0


@dataclass(eq=False)
class _Member:
    """An actor. answers: of its tasks, in the order in which it does them; coming: of its start, until that is there."""

    stage: int
    node: Node
    handle: Any
    coming: Any
    tasks: deque[tuple[_Task, Any, Any]] = field(default_factory=deque)
    since: float = field(default_factory=time.monotonic)
    done: int = 0
    retiring: bool = False
    overdue: bool = False


class RayTeam:
    """See the module. most: actors of a stage, all nodes together."""

    def __init__(
        self,
        machines: Machines,
        stages: Sequence[Stage],
        *,
        most: int | None = None,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._machines, self._stages, self._most = machines, list(stages), most
        self._start_seconds = start_seconds
        self._members: list[_Member] = []
        self._queues: list[deque[_Task]] = [deque() for _ in stages]
        self._outcomes: deque[Done] = deque()
        self._stillborn = 0
        self._ever_ready = False
        self._looked = -_LOOK_SECONDS
        self._began = time.monotonic()

    def __enter__(self) -> RayTeam:
        return self

    def __exit__(self, *exception: object) -> None:
        self.end()

    @property
    def pending(self) -> int:
        """See `jobs.worker_pool.Team`; so for those that follow."""
        return sum(len(member.tasks) for member in self._members) + sum(map(len, self._queues))

    @property
    def full(self) -> bool:
        return self.pending >= PER_ACTOR * max(1, len(self._members))

    @property
    def current(self) -> list[Any]:
        return [member.tasks[0][0].key for member in self._members if member.tasks]

    def submit(self, key: Any, argument: Any, seconds: float) -> None:
        self._look()
        self._queues[0].append(_Task(key, argument, seconds))
        self._hand_out()

    def wait(self, seconds: float) -> list[Done]:
        """Raises LibraryError where no actor can be had, and what making the work raised."""
        import ray

        self._look()
        coming = {member.coming: member for member in self._members if member.coming is not None}
        heads = {member.tasks[0][1]: member for member in self._members if member.coming is None and member.tasks}
        asked = [*coming, *heads]
        if asked:
            patience = 0 if self._outcomes else max(0.0, seconds)
            ready, _ = ray.wait(asked, num_returns=1, timeout=patience)
            if ready and len(asked) > 1:
                ready, _ = ray.wait(asked, num_returns=len(asked), timeout=0)
            for answer in ready:
                if answer in coming:
                    self._started(coming[answer])
                else:
                    self._take_in(heads[answer])
        elif not self._outcomes:
            time.sleep(min(seconds, 0.1))
        self._enforce_limits()
        self._hand_out()
        outcomes = list(self._outcomes)
        self._outcomes.clear()
        return outcomes

    def end(self) -> None:
        for member in self._members:
            self._kill(member)
        self._members.clear()
        for queue in self._queues:
            queue.clear()

    def places(self) -> list[tuple[str, Any]]:
        """(id of the node, actor) of each member that is ready."""
        return [(member.node.id, member.handle) for member in self._members if member.coming is None]

    def _look(self) -> None:
        """Give nodes that have come their actors, and replace those that are gone."""
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        nodes = self._machines.nodes()
        for number, stage in enumerate(self._stages):
            serving = [member for member in self._members if member.stage == number and not member.retiring]
            for node in nodes:
                here = sum(member.node.id == node.id for member in serving)
                for cpus, gpus in stage.room(node)[here:]:
                    if self._most is not None and len(serving) >= self._most:
                        break
                    serving.append(self._add(number, stage, node, cpus, gpus))
        if not nodes and not self._members:
            raise LibraryError("no node of the Ray cluster is left; what was committed is kept, run it again")

    def _add(self, number: int, stage: Stage, node: Node, cpus: int, gpus: int) -> _Member:
        threads = max(1, cpus)
        actor = on(node.id, Worker, cpus=cpus, gpus=gpus, threads=threads)
        handle = actor.remote(stage.make(threads))
        member = _Member(number, node, handle, handle.start.remote())
        self._members.append(member)
        return member

    def _hand_out(self) -> None:
        """Give tasks to those that have room, later stages first: what is half done takes memory."""
        for number in reversed(range(len(self._stages))):
            serving = [one for one in self._members if one.stage == number and one.coming is None and not one.retiring]
            while self._queues[number] and serving:
                free = min(serving, key=lambda member: len(member.tasks))
                if len(free.tasks) >= PER_ACTOR or self._ahead(number):
                    break
                self._give(free, self._queues[number].popleft())

    def _ahead(self, number: int) -> bool:
        """Whether a stage has made as much as the next one can hold."""
        if number + 1 == len(self._stages):
            return False
        after = [member for member in self._members if member.stage == number + 1]
        on_the_way = sum(len(member.tasks) for member in self._members if member.stage == number)
        return len(self._queues[number + 1]) + on_the_way >= PER_ACTOR * max(1, len(after))

    def _give(self, member: _Member, task: _Task) -> None:
        if not member.tasks:
            member.since = time.monotonic()
        if member.stage + 1 == len(self._stages):
            prepared = () if task.prepared is None else (task.prepared,)
            member.tasks.append((task, member.handle.last.remote(task.argument, *prepared), None))
        else:
            said, made = member.handle.first.options(num_returns=2).remote(task.argument)
            member.tasks.append((task, said, made))

    def _started(self, member: _Member) -> None:
        import ray

        try:
            failure = ray.get(member.coming)
        except ray.exceptions.RayError as error:
            self._members.remove(member)
            if not _of_a_node(error):
                self._stillborn += 1
            if self._stillborn >= _FEWEST_STARTS and not self._ever_ready:
                raise LibraryError(f"the workers on Ray do not start: {_short(error)}") from None
            return
        if isinstance(failure, Failure):
            raise failure.error
        member.coming, self._ever_ready, self._stillborn = None, True, 0
        member.since = time.monotonic()

    def _take_in(self, member: _Member) -> None:
        import ray

        task, said, made = member.tasks[0]
        try:
            answer = ray.get(said)
        except ray.exceptions.RayTaskError as error:  # what it was to work on was lost with a node, or cannot be sent
            member.tasks.popleft()
            member.since = time.monotonic()
            self._again(task, _short(error))
            return
        except ray.exceptions.ObjectLostError as error:
            member.tasks.popleft()
            member.since = time.monotonic()
            self._again(task, _short(error))
            return
        except ray.exceptions.RayError as error:
            self._bury(member, error)
            return
        member.tasks.popleft()
        member.since = time.monotonic()
        member.done += 1
        outcome, size = answer
        if member.stage + 1 < len(self._stages) and outcome is None:
            task.prepared = made
            self._queues[member.stage + 1].append(task)
        else:
            self._finish(task, outcome)
        most = MAX_BYTES * (_HEAVY if self._stages[member.stage].heavy else 1)
        member.retiring = member.retiring or member.done >= MAX_TASKS or size > most
        if member.retiring and not member.tasks:
            self._members.remove(member)
            self._kill(member)

    def _finish(self, task: _Task, outcome: Any) -> None:
        if isinstance(outcome, Failure) and isinstance(outcome.error, UnseenError):
            if Path(task.argument[0]).exists():
                raise outcome.error
            outcome = Failure(AudioError(f"{task.argument[0]}: is not there any more"), "")
        self._outcomes.append(Done(task.key, outcome))

    def _bury(self, member: _Member, error: Exception) -> None:
        """An actor is gone: blame the task it was at, unless its node went; give what was to come to others."""
        self._members.remove(member)
        (head, _, _), *rest = member.tasks
        alive = {node.id for node in self._machines.nodes()}
        if member.overdue:
            self._outcomes.append(Done(head.key, Lost(f"did not end within {head.seconds:.3g} s")))
        else:
            head.crashes += member.node.id in alive and not _of_a_node(error)
            if head.crashes >= BLAMED:
                self._outcomes.append(Done(head.key, Lost(f"crashed {BLAMED} workers ({_cause(error)})")))
            else:
                self._again(head, _short(error))
        for task, _, _ in rest:
            self._again(task, _short(error), blamed=False)
        self._looked = -_LOOK_SECONDS

    def _again(self, task: _Task, why: str, *, blamed: bool = True) -> None:
        """From the first stage on: what was prepared may be lost with its node."""
        task.losses += blamed
        task.prepared = None
        if task.losses >= MOST_LOSSES:
            self._outcomes.append(Done(task.key, Failure(RuntimeError(f"lost {task.losses} times on Ray: {why}"), "")))
        else:
            self._queues[0].appendleft(task)

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        for member in list(self._members):
            if member.coming is not None:
                slow = self._start_seconds * (_HEAVY if self._stages[member.stage].heavy else 1)
                if now - member.since > slow and not self._ever_ready:
                    raise LibraryError(
                        f"no worker came up within {slow:.0f} s on Ray; the cluster may be taken by other jobs (`ray status` "
                        "shows it)"
                    )
            elif member.tasks and now - member.since > member.tasks[0][0].seconds and not member.overdue:
                member.overdue = True
                self._kill(member)  # its answer arrives as the news of its end

    @staticmethod
    def _kill(member: _Member) -> None:
        import ray

        with suppress(ray.exceptions.RayError, ValueError):
            ray.kill(member.handle, no_restart=True)


def _of_a_node(error: Exception) -> bool:
    """Whether it was a node that died and not an actor alone."""
    words = str(error)
    return "node has died" in words or "node was terminated" in words or "Node died" in words


def _cause(error: Exception) -> str:
    for name in ("SIGSEGV", "SIGABRT", "SIGKILL", "SIGBUS", "SIGILL", "SIGFPE"):
        if name in str(error) and "potential root causes" not in str(error):
            return name
    return "its process ended"


def _short(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
